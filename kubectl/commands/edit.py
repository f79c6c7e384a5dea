"""`pytheas edit`: the object as YAML in an editor; what was changed there becomes a patch."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from api.errors import StatusError
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.outcome import Outcome
from kubectl.output.objects import without_managed_fields
from kubectl.output.yaml import dump
from kubectl.parser import Parser
from kubectl.schemas import built_in
from kubectl.selection import Item, existing, file_arguments
from kubectl.session import Session

HEAD = """\
# Edit the object below. Lines that begin with '#' are left out; an empty file ends the edit without a change.
#
"""


def arguments(parser: Parser) -> None:
    parser.names("TYPE NAME or TYPE/NAME", "TYPE|NAME")
    file_arguments(parser)


def run(session: Session, args: argparse.Namespace) -> int:
    args.dry_run, args.output = "none", ""
    outcome = Outcome(session, args)
    for item in existing(session, args):
        _edit(session, outcome, item)
    return outcome.code


def _edit(session: Session, outcome: Outcome, item: Item) -> None:
    original = without_managed_fields(item.obj)
    path = _open(HEAD + dump(original))
    try:
        patch, kind = changes(original, path.read_text())
        if not patch:
            session.terminal.complain("Edit cancelled, no changes made.")
        else:
            result = session.server.patch(item.resource, item.namespace, item.name, patch, kind)
            outcome.report(item.resource, item.name, result, "edited")
    except (StatusError, CliError) as problem:
        outcome.failure(problem)
        session.terminal.complain(f'A copy of your changes has been stored to "{path}"')
        return
    path.unlink()


def _open(text: str) -> Path:
    handle, name = tempfile.mkstemp(prefix="pytheas-edit-", suffix=".yaml")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    editor = os.environ.get("KUBE_EDITOR") or os.environ.get("EDITOR") or "vi"
    try:
        code = subprocess.run([*shlex.split(editor), name], check=False).returncode
    except OSError as problem:
        raise CliError(f"unable to launch the editor {editor!r}: {problem.strerror}; set EDITOR") from problem
    if code:
        raise CliError(f"the editor {editor!r} ended with exit code {code}")
    return Path(name)


def changes(original: dict[str, Any], text: str) -> tuple[Any, str]:
    """The patch from the original to the edited text, and its type. Raises CliError for text that is no object."""
    from api.codec import MalformedBody
    from api.patch import three_way
    from api.yaml import documents

    try:
        edited = list(documents(text))
    except MalformedBody as problem:
        raise CliError(f"the edited file cannot be read: {problem}") from problem
    if not edited:
        return {}, "merge"
    if len(edited) > 1 or not isinstance(edited[0], dict):
        raise CliError("the edited file must hold one object")
    if edited[0].get("metadata", {}).get("name") != original["metadata"]["name"]:
        raise CliError("an object's name cannot be changed")
    schema = built_in(original["apiVersion"], original["kind"])
    return three_way(original, edited[0], original, schema), "strategic" if schema is not None else "merge"


COMMAND = Command(
    usage="edit (TYPE NAME | TYPE/NAME | -f FILE) [flags]",
    about="Change an object in the editor of $KUBE_EDITOR or $EDITOR.",
    examples="  EDITOR=nano pytheas edit deployment/hello",
    arguments=arguments,
    run=run,
)
