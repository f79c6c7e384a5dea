"""`pytheas create secret generic`."""

from __future__ import annotations

import argparse
import base64

from kubectl.command import Command
from kubectl.commands.create.making import Object, make, making_arguments, one_name
from kubectl.commands.create.sources import contents, source_arguments
from kubectl.errors import CliError
from kubectl.kinds import SECRET
from kubectl.parser import Parser
from kubectl.session import Session


def arguments(parser: Parser) -> None:
    making_arguments(parser)
    source_arguments(parser)
    parser.add_argument("--type", default="", metavar="TYPE", help="the secret's type (default: Opaque)")


def run(session: Session, args: argparse.Namespace) -> int:
    if not args.names or args.names[0] != "generic":
        raise CliError("write: pytheas create secret generic NAME --from-literal=KEY=VALUE")
    args.names = args.names[1:]
    obj: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": one_name(args)}}
    values = {key: base64.b64encode(value).decode() for key, value in contents(args).items()}
    if values:
        obj["data"] = values
    if args.type:
        obj["type"] = args.type
    return make(session, args, SECRET, obj)


COMMAND = Command(
    usage="create secret generic NAME [--from-literal=K=V] [--from-file=PATH] [flags]",
    about="Create a Secret from values, files or folders.",
    examples="  pytheas create secret generic db --from-literal=user=app --from-file=password",
    arguments=arguments,
    run=run,
)
