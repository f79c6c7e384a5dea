"""`pytheas apply`: make the server's objects what the files say, touching only what the files speak of.

The last applied configuration travels in an annotation. What was in it and is no longer in the file is removed, what
the file says is set, and what others have set stays.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from api.errors import Conflict, NotFound, StatusError
from kubectl.command import Command
from kubectl.commands.create.files import LAST_APPLIED, field_validation, with_last_applied
from kubectl.discovery import Resource
from kubectl.errors import CliError
from kubectl.manifest import Document
from kubectl.outcome import Outcome, outcome_arguments
from kubectl.parser import Parser
from kubectl.selection import documents, file_arguments
from kubectl.serverside import CLIENT_SIDE, Applier
from kubectl.session import Session

TRIES = 5
EXAMPLES = """
  pytheas apply -f examples/hello.yaml
  pytheas apply -f manifests/ -R                   every file below a folder
  cat web.yaml | pytheas apply -f -
  pytheas apply -f web.yaml --dry-run=server       what would the server say?
"""


def arguments(parser: Parser) -> None:
    file_arguments(parser)
    outcome_arguments(parser)
    parser.add_argument("-l", "--selector", default="", metavar="LABELS", help="only the objects with these labels")
    parser.option(
        "--validate", bare="strict", default="strict", metavar="HOW", help="strict, warn or ignore unknown fields"
    )
    parser.flag("--server-side", help="let the server merge (server-side apply)")
    parser.flag("--force-conflicts", help="with --server-side: take over fields that others own")
    parser.add_argument("--field-manager", default="", metavar="NAME", help="who the fields belong to")
    parser.flag("--force", help="delete and create anew what cannot be changed")
    parser.flag("--overwrite", default=True, help="take the file's value where both changed")


def run(session: Session, args: argparse.Namespace) -> int:
    if not args.filename:
        raise CliError("must specify one of -f and -k")
    outcome = Outcome(session, args)
    if args.server_side and outcome.only_here:
        raise CliError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")
    if args.server_side and args.force:
        raise CliError("--force cannot be used with --server-side")
    if args.force_conflicts and not args.server_side:
        raise CliError("--force-conflicts only works with --server-side")
    for resource, namespace, document in _chosen(session, args):
        try:
            apply_one(session, args, outcome, resource, namespace, document)
        except (StatusError, CliError) as error:
            outcome.failure(error)
    return outcome.code


def _chosen(session: Session, args: argparse.Namespace) -> list[tuple[Resource, str | None, Document]]:
    found = documents(session, args)
    if not args.selector:
        return found
    from api.selectors import LabelSelector

    selector = LabelSelector.parse(args.selector)
    return [entry for entry in found if selector.matches((entry[2].obj.get("metadata") or {}).get("labels") or {})]


def apply_one(
    session: Session,
    args: argparse.Namespace,
    outcome: Outcome,
    resource: Resource,
    namespace: str | None,
    document: Document,
) -> None:
    """Create or patch one object and report it. Raises StatusError, with the file in its message."""
    if not document.name:
        raise CliError(
            f"error when retrieving current configuration of {document.source}: resource name may not be empty"
        )
    if args.server_side:
        _server_side(session, args, outcome, resource, namespace, document)
        return
    modified: dict[str, Any] = with_last_applied(document.obj)
    try:
        current = session.server.get(resource, namespace, document.name)
    except NotFound:
        _create(session, args, outcome, resource, namespace, document, modified)
        return
    if LAST_APPLIED not in (current["metadata"].get("annotations") or {}):
        session.terminal.complain(
            f"Warning: resource {resource.plural}/{document.name} is missing the {LAST_APPLIED} annotation which is "
            "required by pytheas apply. pytheas apply should only be used on resources created declaratively by either "
            "pytheas create --save-config or pytheas apply. The missing annotation will be patched automatically."
        )
    _patch(session, args, outcome, resource, namespace, document, modified, current)


def _create(
    session: Session,
    args: argparse.Namespace,
    outcome: Outcome,
    resource: Resource,
    namespace: str | None,
    document: Document,
    modified: dict[str, Any],
) -> None:
    if not outcome.only_here:
        query = _writing(outcome, args)
        try:
            modified = session.server.create(resource, namespace, modified, query)
        except StatusError as error:
            raise _in_context(error, f'error when creating "{document.source}"') from error
    outcome.report(resource, document.name, modified, "created")


def _patch(
    session: Session,
    args: argparse.Namespace,
    outcome: Outcome,
    resource: Resource,
    namespace: str | None,
    document: Document,
    modified: dict[str, Any],
    current: dict[str, Any],
) -> None:
    for left in reversed(range(TRIES)):
        patch, kind = difference(modified, current)
        if not patch:
            outcome.report(resource, document.name, current, "unchanged")
            return
        if outcome.only_here:
            outcome.report(resource, document.name, modified, "configured")
            return
        query = _writing(outcome, args)
        try:
            result = session.server.patch(resource, namespace, document.name, patch, kind, query)
        except Conflict as error:
            if not left:
                raise _in_context(error, f'error when patching "{document.source}"') from error
            current = session.server.get(resource, namespace, document.name)
        except StatusError as error:
            if not args.force or error.code != 422:
                raise _in_context(error, f'error when patching "{document.source}"') from error
            _replace(session, resource, namespace, document.name)
            _create(session, args, outcome, resource, namespace, document, modified)
            return
        else:
            outcome.report(resource, document.name, result, "configured")
            return


def _replace(session: Session, resource: Resource, namespace: str | None, name: str) -> None:
    from kubectl.waiting import Deadline, states

    session.server.delete(resource, namespace, name, {"propagationPolicy": "Background"})
    for state in states(session.server, resource, namespace, name, Deadline(0)):
        if state is None:
            return


def difference(modified: dict[str, Any], current: dict[str, Any]) -> tuple[Any, str]:
    """The patch that makes `current` what `modified` says, and its type; an empty one if nothing is to be done."""
    from api.patch import three_way
    from kubectl.schemas import built_in

    original = json.loads((current["metadata"].get("annotations") or {}).get(LAST_APPLIED) or "{}")
    schema = built_in(modified["apiVersion"], modified["kind"])
    patch = three_way(original, modified, current, schema)
    return patch, "strategic" if schema is not None else "merge"


def _server_side(
    session: Session,
    args: argparse.Namespace,
    outcome: Outcome,
    resource: Resource,
    namespace: str | None,
    document: Document,
) -> None:
    query = outcome.query(force=args.force_conflicts or None, fieldValidation=field_validation(args.validate))
    try:
        result = Applier(session.server, args.field_manager, query).apply(resource, namespace, document)
    except StatusError as error:
        raise _in_context(error, f'error when applying "{document.source}"') from error
    outcome.report(resource, document.name, result, "serverside-applied")


def _writing(outcome: Outcome, args: argparse.Namespace) -> dict[str, Any]:
    """The parameters of a write from this side."""
    manager = args.field_manager or CLIENT_SIDE
    return outcome.query(fieldValidation=field_validation(args.validate), fieldManager=manager)


def _in_context(error: StatusError, context: str) -> StatusError:
    if error.reason != "Invalid":
        error.message = f"{context}: {error.message}"
    return error


COMMAND = Command(
    usage="apply -f FILE [flags]",
    about="Create what the files describe, or change what is there to match them.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
