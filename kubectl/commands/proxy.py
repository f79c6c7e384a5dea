"""`pytheas proxy`: the API on a local port, without credentials."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.session import Session


def arguments(parser: Parser) -> None:
    parser.add_argument("-p", "--port", type=int, default=8001, metavar="N", help="the local port; 0 is any free one")
    parser.add_argument("--address", default="127.0.0.1", metavar="IP", help="where to listen")
    parser.flag("--disable-filter", help="serve whatever host is asked for: whoever reaches the port acts as you")


def run(session: Session, args: argparse.Namespace) -> int:
    import asyncio

    from kubectl.streams.proxying import serve

    def say(text: str) -> None:
        session.terminal.print(text)
        session.terminal.flush()

    try:
        asyncio.run(serve(session, args.address, args.port, any_host=args.disable_filter, say=say))
    except OSError as problem:
        raise CliError(f"listen {args.address}:{args.port}: {problem.strerror or problem}") from problem
    return 0


COMMAND = Command(
    usage="proxy [--port N] [--address IP]",
    about="Serve the API on a local port with your own rights, for a browser or a program that cannot log in.",
    examples="  pytheas proxy\n  curl http://127.0.0.1:8001/api/v1/namespaces/default/pods",
    arguments=arguments,
    run=run,
)
