"""How a command that changes things says so: `deployment.apps/web created (dry run)`, or with -o the object."""

from __future__ import annotations

import argparse
from typing import Any

from kubectl.discovery import Resource
from kubectl.errors import CliError, status_message
from kubectl.output.objects import FORMATS, ObjectPrinter
from kubectl.parser import Parser
from kubectl.session import Session

DRY_RUNS = {"none": "", "client": " (dry run)", "server": " (server dry run)"}


def outcome_arguments(parser: Parser) -> None:
    parser.option(
        "--dry-run",
        bare="client",
        default="none",
        metavar="WHERE",
        help="change nothing: client (send nothing), server (let the server check it)",
    )
    parser.add_argument("-o", "--output", default="", metavar="FORMAT", help=f"print the object: {FORMATS}")


class Outcome:
    def __init__(self, session: Session, args: argparse.Namespace) -> None:
        if args.dry_run not in DRY_RUNS:
            raise CliError(f'Invalid dry-run value ({args.dry_run}). Must be "none", "server", or "client".')
        self.dry_run: str = args.dry_run
        self._session = session
        self._printer = ObjectPrinter(session.terminal, args.output) if args.output else None
        self.failed = False

    @property
    def only_here(self) -> bool:
        """Whether nothing may be sent."""
        return self.dry_run == "client"

    def query(self, **more: Any) -> dict[str, Any]:
        """The parameters of a write."""
        return {"dryRun": "All" if self.dry_run == "server" else None, **more}

    def report(self, resource: Resource, name: str, obj: dict[str, Any], done: str) -> None:
        if self._printer:
            whole = {"apiVersion": resource.api_version, "kind": resource.kind} | obj
            self._printer.print(whole, resource.prefix)
        else:
            terminal = self._session.terminal
            verb = terminal.paint(done, COLOURS.get(done, ""))
            terminal.print(f"{resource.prefix}/{name} {verb}{DRY_RUNS[self.dry_run]}")
        self._session.terminal.flush()

    def failure(self, error: Exception, context: str = "") -> None:
        """Report an error and go on with the next object. `context`: `error when creating "x.yaml": `."""
        self.failed = True
        if context and getattr(error, "reason", None) != "Invalid" and hasattr(error, "message"):
            error.message = f"{context}: {error.message}"
        text = str(error) if isinstance(error, CliError) else status_message(error)  # type: ignore[arg-type]
        self._session.terminal.complain(text)

    @property
    def code(self) -> int:
        return 1 if self.failed else 0


COLOURS = {"created": "green", "configured": "yellow", "unchanged": "dim", "deleted": "red"}
