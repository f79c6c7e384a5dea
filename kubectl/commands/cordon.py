"""`pytheas cordon` and `uncordon`: whether the scheduler may put pods on a node."""

from __future__ import annotations

import argparse

from api.errors import StatusError
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.kinds import NODE
from kubectl.parser import Parser
from kubectl.selection import selector_arguments
from kubectl.server import Object
from kubectl.session import Session


def arguments(parser: Parser) -> None:
    parser.names("nodes", "NODE")
    selector_arguments(parser, all_namespaces=False, fields=False)


def nodes(session: Session, args: argparse.Namespace) -> list[Object]:
    if bool(args.names) == bool(args.selector):
        raise CliError(f"USAGE: {args.command} NODE [flags]: name nodes, or select them with -l")
    if args.selector:
        found: list[Object] = session.server.list(NODE, None, {"labelSelector": args.selector})["items"]
        return found
    return [session.server.get(NODE, None, name.removeprefix("node/")) for name in args.names]


def set_schedulable(session: Session, node: Object, wanted: bool) -> None:
    """Patch the node if need be, and say so. Raises StatusError."""
    name = node["metadata"]["name"]
    verb = "uncordoned" if wanted else "cordoned"
    unschedulable = bool(node.get("spec", {}).get("unschedulable"))
    if unschedulable != wanted:
        session.terminal.print(f"node/{name} already {verb}")
        return
    change = {"spec": {"unschedulable": None if wanted else True}}
    session.server.patch(NODE, None, name, change, "strategic")
    session.terminal.print(f"node/{name} {verb}")


def _run(session: Session, args: argparse.Namespace, wanted: bool) -> int:
    args.command = "uncordon" if wanted else "cordon"
    for node in nodes(session, args):
        try:
            set_schedulable(session, node, wanted)
        except StatusError as error:
            raise CliError(f"unable to {args.command} node: {error.message}") from error
    return 0


COMMAND = Command(
    usage="cordon (NODE… | -l LABELS) [flags]",
    about="Let no more pods be scheduled to a node; those that run there stay.",
    examples="  pytheas cordon node-1",
    arguments=arguments,
    run=lambda session, args: _run(session, args, False),
)
UNCORDON = Command(
    usage="uncordon (NODE… | -l LABELS) [flags]",
    about="Let pods be scheduled to a node again.",
    examples="  pytheas uncordon node-1",
    arguments=arguments,
    run=lambda session, args: _run(session, args, True),
)
