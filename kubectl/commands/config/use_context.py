"""`pytheas config use-context`."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.commands.config.files import change, named, read, save
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.session import Session


def arguments(parser: Parser) -> None:
    parser.names("the context", "NAME")


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.names) != 1:
        raise CliError("exactly one context NAME is required")
    name = args.names[0]
    if named(read(args), "contexts", name) is None:
        raise CliError(f'no context exists with the name: "{name}"')
    path, config = change(args)
    save(path, {**config, "current-context": name})
    session.terminal.print(f'Switched to context "{name}".')
    return 0


COMMAND = Command(
    usage="config use-context NAME",
    about="Choose the context that commands use.",
    examples="  pytheas config use-context staging",
    arguments=arguments,
    run=run,
)
