"""`pytheas version`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.session import Session
from kubectl.transport import VERSION


def arguments(parser: Parser) -> None:
    parser.flag("--client", help="the CLI's version only; asks no server")
    parser.add_argument("-o", "--output", default="", choices=("", "json", "yaml"), help="json or yaml")


def run(session: Session, args: argparse.Namespace) -> int:
    versions: dict[str, Any] = {"clientVersion": {"gitVersion": f"v{VERSION}", "platform": _platform()}}
    problem: CliError | None = None
    if not args.client:
        try:
            versions["serverVersion"] = session.server.call("GET", "/version")
        except CliError as error:
            problem = error
    _print(session, args.output, versions)
    if problem:
        raise problem
    return 0


def _print(session: Session, form: str, versions: dict[str, Any]) -> None:
    if form == "json":
        from kubectl.output.objects import as_json

        session.terminal.write(as_json(versions))
    elif form == "yaml":
        from kubectl.output.yaml import dump

        session.terminal.write(dump(versions))
    else:
        session.terminal.print(f"Client Version: {versions['clientVersion']['gitVersion']}")
        if "serverVersion" in versions:
            session.terminal.print(f"Server Version: {versions['serverVersion']['gitVersion']}")


def _platform() -> str:
    import platform

    return f"{sys.platform}/{platform.machine()} Python {platform.python_version()}"


COMMAND = Command(
    usage="version [flags]",
    about="Show the versions of the CLI and of the server.",
    examples="  pytheas version\n  pytheas version --client -o yaml",
    arguments=arguments,
    run=run,
)
