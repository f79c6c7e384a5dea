"""`pytheas create configmap`."""

from __future__ import annotations

import argparse
import base64

from kubectl.command import Command
from kubectl.commands.create.making import Object, make, making_arguments, one_name
from kubectl.commands.create.sources import contents, source_arguments
from kubectl.kinds import CONFIG_MAP
from kubectl.parser import Parser
from kubectl.session import Session

EXAMPLES = """
  pytheas create configmap settings --from-literal=level=info
  pytheas create configmap settings --from-file=app.ini --from-file=logo=images/logo.png
  pytheas create configmap settings --from-env-file=.env
"""


def arguments(parser: Parser) -> None:
    making_arguments(parser)
    source_arguments(parser)


def run(session: Session, args: argparse.Namespace) -> int:
    return make(session, args, CONFIG_MAP, config_map(one_name(args), contents(args)))


def config_map(name: str, values: dict[str, bytes]) -> Object:
    """Text goes to `data`, what is not UTF-8 to `binaryData`."""
    obj: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    for key, value in values.items():
        try:
            obj.setdefault("data", {})[key] = value.decode()
        except UnicodeDecodeError:
            obj.setdefault("binaryData", {})[key] = base64.b64encode(value).decode()
    return {key: value for key, value in obj.items() if value}


COMMAND = Command(
    usage="create configmap NAME [--from-literal=K=V] [--from-file=PATH] [flags]",
    about="Create a ConfigMap from values, files or folders.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
