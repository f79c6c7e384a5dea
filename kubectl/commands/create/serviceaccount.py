"""`pytheas create serviceaccount`."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.commands.create.making import make, making_arguments, one_name
from kubectl.kinds import SERVICE_ACCOUNT
from kubectl.session import Session


def run(session: Session, args: argparse.Namespace) -> int:
    return make(
        session,
        args,
        SERVICE_ACCOUNT,
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": one_name(args)}},
    )


COMMAND = Command(
    usage="create serviceaccount NAME [flags]",
    about="Create a service account.",
    examples="  pytheas create serviceaccount robot",
    arguments=making_arguments,
    run=run,
)
