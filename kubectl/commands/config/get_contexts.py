"""`pytheas config get-contexts`."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.commands.config.files import read
from kubectl.errors import CliError
from kubectl.output.tabwriter import Columns
from kubectl.parser import Parser
from kubectl.session import Session


def arguments(parser: Parser) -> None:
    parser.names("contexts to show", "NAME")
    parser.add_argument("-o", "--output", default="", choices=("", "name"), help="name")
    parser.flag("--no-headers", help="leave out the line of headers")


def run(session: Session, args: argparse.Namespace) -> int:
    config = read(args)
    contexts = sorted(config["contexts"], key=lambda entry: str(entry["name"]))
    missing = set(args.names) - {entry["name"] for entry in contexts}
    if missing:
        raise CliError(f"context {sorted(missing)[0]} not found")
    chosen = [entry for entry in contexts if not args.names or entry["name"] in args.names]
    if args.output == "name":
        for entry in chosen:
            session.terminal.print(entry["name"])
        return 0
    rows = [] if args.no_headers else [["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]]
    for entry in chosen:
        inside = entry.get("context") or {}
        current = "*" if entry["name"] == config["current-context"] else ""
        rows.append([current, entry["name"], *(inside.get(key) or "" for key in ("cluster", "user", "namespace"))])
    for line in Columns().lines(rows):
        session.terminal.print(line)
    return 0


COMMAND = Command(usage="config get-contexts [NAME…] [flags]", about="List the contexts.", arguments=arguments, run=run)
