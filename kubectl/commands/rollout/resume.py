"""`pytheas rollout resume`."""

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
        if not item.obj["spec"].get("paused"):
            raise CliError(f'{item.resource.qualified} "{item.name}" is not paused')
        return {"spec": {"paused": False}}

    return change(session, args, "resume", "resumed", decide)


COMMAND = Command(
    usage="rollout resume (deployment NAME | deployment/NAME) [flags]",
    about="Go on with a paused Deployment's rollouts.",
    examples="  pytheas rollout resume deployment/hello",
    arguments=change_arguments,
    run=run,
)
