"""`pytheas rollout restart`: new pods from the same template, one after the other."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from kubectl.command import Command
from kubectl.commands.rollout.change import change, change_arguments
from kubectl.errors import CliError
from kubectl.selection import Item
from kubectl.session import Session

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def run(session: Session, args: argparse.Namespace) -> int:
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def decide(item: Item) -> dict[str, Any]:
        if item.obj["spec"].get("paused"):
            raise CliError(
                f'{item.resource.qualified} "{item.name}" can\'t restart paused deployment (run rollout resume first)'
            )
        return {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: moment}}}}}

    return change(session, args, "restart", "restarted", decide)


COMMAND = Command(
    usage="rollout restart (deployment NAME | deployment/NAME) [flags]",
    about="Replace the pods of a Deployment by new ones, as a rolling update.",
    examples="  pytheas rollout restart deployment/hello\n  pytheas rollout restart deployment -l app=hello",
    arguments=change_arguments,
    run=run,
)
