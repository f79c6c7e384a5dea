"""`pytheas config set-context`."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.commands.config.files import change, named, read, save
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.session import Session

EXAMPLES = """
  pytheas config set-context --current --namespace=staging
  pytheas config set-context work --cluster=pytheas --user=kubernetes-admin
"""


def arguments(parser: Parser) -> None:
    parser.names("the context", "NAME")
    parser.flag("--current", help="the context in use")
    parser.add_argument("--cluster", default="", metavar="NAME", help="its cluster")
    parser.add_argument("--user", default="", metavar="NAME", help="its user")


def run(session: Session, args: argparse.Namespace) -> int:
    if args.current == bool(args.names) or len(args.names) > 1:
        raise CliError("unexpected args: give a NAME or --current")
    name = read(args)["current-context"] if args.current else args.names[0]
    if not name:
        raise CliError("no current context is set")
    path, config = change(args, holding=name)
    entry = named(config, "contexts", name)
    verb = "Modified" if entry else "Created"
    if entry is None:
        entry = {"name": name, "context": {}}
        config["contexts"] = [*(config.get("contexts") or ()), entry]
    for key, value in (("cluster", args.cluster), ("user", args.user), ("namespace", args.namespace)):
        if value:
            entry["context"][key] = value
    save(path, config)
    session.terminal.print(f'Context "{name}" {verb.lower()}.')
    return 0


COMMAND = Command(
    usage="config set-context (NAME | --current) [--namespace=NAME] [flags]",
    about="Make or change a context.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
