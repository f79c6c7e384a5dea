"""`pytheas rollout pause`."""

from __future__ import annotations

import argparse
from typing import Any

from kubectl.command import Command
from kubectl.commands.rollout.change import change, change_arguments
from kubectl.errors import CliError
from kubectl.selection import Item
from kubectl.session import Session


def run(session: Session, args: argparse.Namespace) -> int:
    def decide(item: Item) -> dict[str, Any]:
        if item.obj["spec"].get("paused"):
            raise CliError(f'{item.resource.qualified} "{item.name}" is already paused')
        return {"spec": {"paused": True}}

    return change(session, args, "pause", "paused", decide)


COMMAND = Command(
    usage="rollout pause (deployment NAME | deployment/NAME) [flags]",
    about="Hold a Deployment's rollouts: changes of its template wait.",
    examples="  pytheas rollout pause deployment/hello",
    arguments=change_arguments,
    run=run,
)
