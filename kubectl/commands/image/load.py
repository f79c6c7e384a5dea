"""`pytheas image load`."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence

from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.images.archive import Archive, ArchiveError, Parcel, read
from kubectl.images.nodes import NodeImages, chosen, name_of, node_arguments, on_each, said
from kubectl.images.send import Delivery, Way, megabytes
from kubectl.images.source import opened
from kubectl.parser import Parser
from kubectl.progress import Progress
from kubectl.server import Object
from kubectl.session import Session

EXAMPLES = """
  pytheas image load app.tar                    what `docker save` wrote, to all nodes
  pytheas image load app:1 --node node-1        an image of this machine's Docker engine
  docker save app:1 | pytheas image load -
"""
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def arguments(parser: Parser) -> None:
    parser.names("an archive's file, - for standard input, or an image of this machine's Docker engine", "FILE|IMAGE")
    node_arguments(parser)


def run(session: Session, args: argparse.Namespace) -> int:
    if not args.names:
        raise CliError("an archive or an image is required")
    nodes = chosen(session, args)
    return max(_load(session, source, nodes) for source in args.names)


def _load(session: Session, source: str, nodes: Sequence[Object]) -> int:
    with Progress(session.terminal, f"reading {source}") as progress:

        def fetched(size: int) -> None:
            progress.text = f"reading {source}: {megabytes(size)}"

        with opened(source, fetched) as file:
            try:
                archive = read(file, _architecture(nodes))
            except ArchiveError as problem:
                raise CliError(f"{source} is no image archive: {problem}") from problem
            delivery = Delivery(file, archive, {name_of(node): Way() for node in nodes})
            return _deliver(session, delivery, nodes, progress)


def _deliver(session: Session, delivery: Delivery, nodes: Sequence[Object], progress: Progress) -> int:
    names = ", ".join(name for image in delivery.archive.images for name in image.names) or "an image without a name"
    left = dict(delivery.ways)

    def text() -> str:
        return f"loading {names}: {' · '.join(f'{node} {way.text}' for node, way in left.items())}"

    def work(node: Object) -> tuple[list[str], Parcel]:
        return delivery.to(name_of(node), NodeImages(session.server, name_of(node)))

    progress.follow(text)
    failed = 0
    for node, result in on_each(nodes, work, delivery.stopped.set):
        left.pop(node)
        if isinstance(result, Exception):
            failed = 1
            progress.complain(f"error: {node}: {said(result)}")
        else:
            progress.print(f"{node}: loaded {', '.join(result[0])} ({_told(delivery.archive, result[1])})")
    return failed


def _told(archive: Archive, sent: Parcel) -> str:
    layers = len(archive.layers)
    return f"{megabytes(sent.size)} sent, {sent.skipped} of {layers} layer{'' if layers == 1 else 's'} there already"


def _architecture(nodes: Sequence[Object]) -> str:
    """The first node's; it decides which image of a multi-platform archive is meant."""
    info = nodes[0].get("status", {}).get("nodeInfo") or {}
    return str(info.get("architecture") or _MACHINES.get(platform.machine(), platform.machine()))


COMMAND = Command(
    usage="image load (FILE | IMAGE | -) [--node NAME… | -l LABELS] [flags]",
    about="Bring an image to nodes without a registry. Only the layers that a node lacks are sent.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
