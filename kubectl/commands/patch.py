"""`pytheas patch`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from api.errors import StatusError
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.outcome import Outcome, outcome_arguments
from kubectl.parser import Parser
from kubectl.schemas import built_in
from kubectl.selection import Item, existing, file_arguments
from kubectl.session import Session

EXAMPLES = """
  pytheas patch deploy hello -p '{"spec":{"replicas":2}}'
  pytheas patch node node-1 --type=merge -p '{"spec":{"unschedulable":true}}'
  pytheas patch pod web-1 --type=json -p '[{"op":"add","path":"/metadata/labels/tier","value":"web"}]'
"""


def arguments(parser: Parser) -> None:
    parser.names("TYPE NAME or TYPE/NAME", "TYPE|NAME")
    parser.add_argument("-p", "--patch", default="", metavar="PATCH", help="the patch, as JSON or YAML")
    parser.add_argument("--patch-file", default="", metavar="FILE", help="a file with the patch")
    parser.add_argument(
        "--type", default="strategic", choices=("strategic", "merge", "json"), help="what kind of patch"
    )
    parser.add_argument("--subresource", default="", metavar="NAME", help="patch status or scale instead")
    file_arguments(parser)
    outcome_arguments(parser)


def run(session: Session, args: argparse.Namespace) -> int:
    patch = _patch(args)
    outcome = Outcome(session, args)
    for item in existing(session, args):
        try:
            _apply(session, args, outcome, item, patch)
        except StatusError as error:
            outcome.failure(error)
    return outcome.code


def _patch(args: argparse.Namespace) -> Any:
    if bool(args.patch) == bool(args.patch_file):
        raise CliError("must specify one of --patch or --patch-file")
    from api.codec import MalformedBody
    from api.yaml import documents

    try:
        text = args.patch or Path(args.patch_file).read_text()
        found = list(documents(text))
    except OSError as problem:
        raise CliError(f"cannot read {args.patch_file}: {problem.strerror}") from problem
    except MalformedBody as problem:
        raise CliError(f"unable to parse {text!r}: {problem}") from problem
    if len(found) != 1 or not isinstance(found[0], list if args.type == "json" else dict):
        shape = "a list of operations" if args.type == "json" else "an object"
        raise CliError(f"unable to parse {text!r}: a {args.type} patch is {shape}")
    return found[0]


def _apply(session: Session, args: argparse.Namespace, outcome: Outcome, item: Item, patch: Any) -> None:
    if outcome.only_here:
        outcome.report(item.resource, item.name, _locally(args.type, item.obj, patch), "patched")
        return
    result = session.server.patch(
        item.resource, item.namespace, item.name, patch, args.type, outcome.query(), subresource=args.subresource
    )
    same = result["metadata"].get("resourceVersion") == item.obj["metadata"].get("resourceVersion")
    outcome.report(item.resource, item.name, result, "patched (no change)" if same else "patched")


def _locally(kind: str, obj: dict[str, Any], patch: Any) -> dict[str, Any]:
    from api.patch import json_patch, merge_patch, strategic_merge

    if kind == "strategic":
        return strategic_merge(obj, patch, built_in(obj["apiVersion"], obj["kind"]))
    result: dict[str, Any] = json_patch(obj, patch) if kind == "json" else merge_patch(obj, patch)
    return result


COMMAND = Command(
    usage="patch (TYPE NAME | TYPE/NAME | -f FILE) -p PATCH [flags]",
    about="Change fields of an object by a patch.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
