"""`pytheas image ls`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from kubectl.command import Command
from kubectl.images.nodes import NodeImages, chosen, name_of, node_arguments, on_each, said
from kubectl.images.send import megabytes
from kubectl.output.tabwriter import Columns
from kubectl.parser import Parser
from kubectl.server import Object
from kubectl.session import Session

SHOWN = 4
"""How many nodes a line names."""
_ID = slice(len("sha256:"), len("sha256:") + 12)


def arguments(parser: Parser) -> None:
    parser.names("only images with these names", "NAME")
    node_arguments(parser)
    parser.flag("--no-headers", help="leave out the line of headers")


def run(session: Session, args: argparse.Namespace) -> int:
    nodes, failed = chosen(session, args), 0
    found: dict[str, list[Object]] = {}
    for node, result in on_each(nodes, lambda node: NodeImages(session.server, name_of(node)).present()):
        if isinstance(result, Exception):
            failed = 1
            session.terminal.complain(f"error: {node}: {said(result)}")
        else:
            found[node] = result
    rows = [] if args.no_headers else [["IMAGE", "ID", "SIZE", "NODES"]]
    for line in Columns().lines(rows + table(found, args.names)):
        session.terminal.print(line)
    return failed


def table(found: Mapping[str, Sequence[Object]], names: Sequence[str] = ()) -> list[list[str]]:
    """A row for each name and id, by name, with the nodes that have it."""
    where: dict[tuple[str, str, int], list[str]] = {}
    for node in sorted(found):
        for image in found[node]:
            for name in image["names"] or image["digests"] or ["<none>"]:
                if not names or _named(name, names):
                    where.setdefault((name, image["id"], image["size"]), []).append(node)
    return [
        [name, image_id[_ID], megabytes(size), _listed(nodes)]
        for (name, image_id, size), nodes in sorted(where.items())
    ]


def _named(name: str, wanted: Sequence[str]) -> bool:
    """`app` means all tags of it, `app:1` that one."""
    return any(name == each or name.rpartition(":")[0] == each for each in wanted)


def _listed(nodes: Sequence[str]) -> str:
    more = len(nodes) - SHOWN
    return ",".join(nodes[:SHOWN]) + (f" +{more}" if more > 0 else "")


COMMAND = Command(
    usage="image ls [NAME…] [--node NAME… | -l LABELS] [flags]",
    about="Show the images that nodes have.",
    examples="  pytheas image ls\n  pytheas image ls app --node node-1",
    arguments=arguments,
    run=run,
)
