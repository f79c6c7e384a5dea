"""`pytheas rollout undo`: back to an earlier pod template."""

from __future__ import annotations

import argparse
from typing import Any

from api.errors import StatusError
from kubectl.command import Command
from kubectl.commands.rollout.common import deployments, rollout_arguments
from kubectl.errors import CliError
from kubectl.outcome import Outcome, outcome_arguments
from kubectl.parser import Parser
from kubectl.selection import Item
from kubectl.session import Session
from kubectl.workloads import Object, replica_sets_of, revision_of, same_template, template_of

KEPT_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)
"""Annotations that stay the Deployment's own; all others come from the revision gone back to."""


def arguments(parser: Parser) -> None:
    rollout_arguments(parser)
    outcome_arguments(parser)
    parser.add_argument("--to-revision", type=int, default=0, metavar="N", help="the revision; 0: the one before")


def run(session: Session, args: argparse.Namespace) -> int:
    outcome = Outcome(session, args)
    for item in deployments(session, args, "undo"):
        try:
            _undo(session, outcome, item, args.to_revision)
        except (StatusError, CliError) as error:
            outcome.failure(error)
    return outcome.code


def _undo(session: Session, outcome: Outcome, item: Item, revision: int) -> None:
    if item.obj["spec"].get("paused"):
        raise CliError(
            f'cannot rollback a paused deployment; resume it first with "pytheas rollout resume {item.label}"'
        )
    target = earlier(replica_sets_of(session, item.obj), revision)
    template = template_of(target)
    if same_template(template, item.obj["spec"]["template"]):
        done = f"skipped rollback (current template already matches revision {revision_of(target)})"
        outcome.report(item.resource, item.name, item.obj, done)
        return
    obj = item.obj
    if not outcome.only_here:
        patch = rollback_patch(item.obj, target, template)
        obj = session.server.patch(item.resource, item.namespace, item.name, patch, "json", outcome.query())
    outcome.report(item.resource, item.name, obj, "rolled back")


def earlier(replica_sets: list[Object], revision: int) -> Object:
    """The ReplicaSet of that revision, or of the last but one."""
    if revision:
        for replica_set in replica_sets:
            if revision_of(replica_set) == revision:
                return replica_set
        raise CliError(f"unable to find specified revision {revision} in history")
    numbered = [rs for rs in replica_sets if revision_of(rs)]
    if len(numbered) < 2:
        raise CliError("no rollout history found for a revision before this one")
    return numbered[-2]


def rollback_patch(deployment: Object, target: Object, template: Object) -> list[dict[str, Any]]:
    own = deployment["metadata"].get("annotations") or {}
    theirs = target["metadata"].get("annotations") or {}
    annotations = {key: value for key, value in own.items() if key in KEPT_ANNOTATIONS}
    annotations |= {key: value for key, value in theirs.items() if key not in KEPT_ANNOTATIONS}
    return [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]


COMMAND = Command(
    usage="rollout undo (deployment NAME | deployment/NAME) [--to-revision=N] [flags]",
    about="Go back to the revision before, or to a given one.",
    examples="  pytheas rollout undo deployment/hello\n  pytheas rollout undo deployment/hello --to-revision=2",
    arguments=arguments,
    run=run,
)
