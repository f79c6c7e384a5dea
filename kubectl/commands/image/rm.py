"""`pytheas image rm`."""

from __future__ import annotations

import argparse

from api.errors import NotFound
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.images.nodes import NodeImages, chosen, name_of, node_arguments, on_each, said
from kubectl.parser import Parser
from kubectl.server import Object
from kubectl.session import Session


def arguments(parser: Parser) -> None:
    parser.names("images", "NAME")
    node_arguments(parser)
    parser.flag("--force", help="also one that containers use (they run on)")


def run(session: Session, args: argparse.Namespace) -> int:
    if not args.names:
        raise CliError("an image is required")
    nodes, failed = chosen(session, args), 0
    for name in args.names:

        def remove(node: Object, name: str = name) -> Object:
            return NodeImages(session.server, name_of(node)).remove(name, args.force)

        absent = 0
        for node, result in on_each(nodes, remove):
            if isinstance(result, NotFound):
                absent += 1
            elif isinstance(result, Exception):
                failed = 1
                session.terminal.complain(f"error: {node}: {said(result)}")
            else:
                what = "removed" if result["deleted"] else "untagged"
                session.terminal.print(f"{node}: {what} {name}")
        if absent == len(nodes):
            failed = 1
            session.terminal.complain(f"error: no node has the image {name}")
    return failed


COMMAND = Command(
    usage="image rm NAME… [--node NAME… | -l LABELS] [--force] [flags]",
    about="Remove images from the nodes that have them.",
    examples="  pytheas image rm app:1",
    arguments=arguments,
    run=run,
)
