"""What restart, pause and resume share: look at each Deployment, patch it, say what was done."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from api.errors import StatusError
from kubectl.commands.rollout.common import deployments, rollout_arguments
from kubectl.errors import CliError
from kubectl.outcome import Outcome, outcome_arguments
from kubectl.parser import Parser
from kubectl.selection import Item
from kubectl.session import Session


def change_arguments(parser: Parser) -> None:
    rollout_arguments(parser)
    outcome_arguments(parser)


def change(
    session: Session, args: argparse.Namespace, verb: str, done: str, decide: Callable[[Item], dict[str, Any]]
) -> int:
    """`decide` gives the patch for a Deployment, or raises CliError to say why there is none."""
    outcome = Outcome(session, args)
    for item in deployments(session, args, verb):
        try:
            patch = decide(item)
            obj = item.obj
            if not outcome.only_here:
                obj = session.server.patch(
                    item.resource, item.namespace, item.name, patch, "strategic", outcome.query()
                )
            outcome.report(item.resource, item.name, obj, done)
        except (StatusError, CliError) as error:
            outcome.failure(error)
    return outcome.code
