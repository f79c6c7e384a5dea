"""`pytheas create namespace`."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.commands.create.making import make, making_arguments, one_name
from kubectl.kinds import NAMESPACE
from kubectl.session import Session


def run(session: Session, args: argparse.Namespace) -> int:
    return make(
        session, args, NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": one_name(args)}}
    )


COMMAND = Command(
    usage="create namespace NAME [flags]",
    about="Create a namespace.",
    examples="  pytheas create namespace staging",
    arguments=making_arguments,
    run=run,
)
