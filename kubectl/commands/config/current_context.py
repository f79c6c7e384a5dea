"""`pytheas config current-context`."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.commands.config.files import read
from kubectl.errors import CliError
from kubectl.session import Session


def run(session: Session, args: argparse.Namespace) -> int:
    name = read(args)["current-context"]
    if not name:
        raise CliError("current-context is not set")
    session.terminal.print(name)
    return 0


COMMAND = Command(usage="config current-context", about="Name the context in use.", run=run)
