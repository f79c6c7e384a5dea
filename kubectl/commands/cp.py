"""`pytheas cp`: files and folders to and from containers."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.session import Session

if TYPE_CHECKING:
    from kubectl.streams import copying, paths

EXAMPLES = """
  pytheas cp notes.txt web-1:/tmp/            a file into a container
  pytheas cp web-1:/var/log/app ./app -c main a folder out of one
  pytheas cp site other/web-1:/srv            in another namespace
"""


def arguments(parser: Parser) -> None:
    parser.names("where from and where to: a local path, or [[NAMESPACE/]POD:]PATH", "PATH")
    parser.add_argument("-c", "--container", default="", metavar="NAME", help="which container")
    parser.flag("--no-preserve", help="leave the owners and permissions of the copy to the other side")
    parser.add_argument(
        "--retries", type=int, default=0, metavar="N", help="go on so often with a copy that was cut off; -1: always"
    )


def run(session: Session, args: argparse.Namespace) -> int:
    from pathlib import Path

    from kubectl.progress import Progress
    from kubectl.streams import copying, paths

    if len(args.names) != 2:
        raise CliError("source and destination are required")
    source, target = (paths.parse(word) for word in args.names)
    if not (source.path and target.path):
        raise CliError("filepath can not be empty")
    if bool(source.pod) == bool(target.pod):
        raise CliError("one of src or dest must be a local file specification")
    place = _place(session, args, target if target.pod else source)
    done = 0
    with Progress(session.terminal, f"copying {source.path}") as progress:
        progress.follow(lambda: f"copying {source.path}: {done / 1e6:.1f} MB")

        def count(size: int) -> None:
            nonlocal done
            done += size

        preserve = not args.no_preserve
        try:
            if target.pod:
                copying.upload(place, Path(source.path), target.path, preserve=preserve, count=count)
            else:
                local = Path(target.path)
                copying.download(place, source.path, local, preserve=preserve, retries=args.retries, count=count)
        except OSError as problem:
            raise CliError(str(problem)) from problem
    return 0


def _place(session: Session, args: argparse.Namespace, spec: paths.Spec) -> copying.Place:
    from kubectl.containers import choose
    from kubectl.kinds import POD
    from kubectl.streams.copying import Place

    namespace = spec.namespace or session.namespace
    pod = session.server.get(POD, namespace, spec.pod)
    return Place(session, namespace, spec.pod, choose(session, pod, args.container))


COMMAND = Command(
    usage="cp SOURCE TARGET [-c CONTAINER] [flags]",
    about="Copy files and folders to and from a container, which must have a `tar`.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
