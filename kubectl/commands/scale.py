"""`pytheas scale`: how many replicas, through the scale subresource of whatever kind has one."""

from __future__ import annotations

import argparse
from typing import Any

from api.errors import StatusError
from kubectl import durations
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.outcome import Outcome, outcome_arguments
from kubectl.parser import Parser
from kubectl.progress import Progress
from kubectl.selection import Item, existing, file_arguments, selector_arguments
from kubectl.session import Session
from kubectl.waiting import Deadline, states

EXAMPLES = """
  pytheas scale deployment/hello --replicas=5
  pytheas scale deploy hello --replicas=0 --current-replicas=5
"""


def arguments(parser: Parser) -> None:
    parser.names("TYPE NAME… or TYPE/NAME…", "TYPE|NAME")
    parser.add_argument("--replicas", type=int, required=True, metavar="N", help="the wanted number")
    parser.add_argument("--current-replicas", type=int, default=-1, metavar="N", help="only if it is this now")
    parser.add_argument("--resource-version", default="", metavar="V", help="only if the object is at this version")
    parser.add_argument("--timeout", default="0s", metavar="TIME", help="wait this long for the replicas; 0: don't")
    parser.flag("--all", help="all objects of the type in the namespace")
    selector_arguments(parser, all_namespaces=False, fields=False)
    file_arguments(parser)
    outcome_arguments(parser)


def run(session: Session, args: argparse.Namespace) -> int:
    if args.replicas < 0:
        raise CliError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    outcome = Outcome(session, args)
    count = 0
    for item in existing(session, args):
        count += 1
        try:
            _scale(session, args, outcome, item)
        except StatusError as error:
            outcome.failure(error)
    if not count:
        raise CliError("no objects passed to scale")
    return outcome.code


def _scale(session: Session, args: argparse.Namespace, outcome: Outcome, item: Item) -> None:
    if "scale" not in item.resource.subresources:
        raise CliError(f"{item.resource.qualified} cannot be scaled: the kind has no scale subresource")
    _check(args, item.obj)
    if outcome.only_here:
        outcome.report(item.resource, item.name, item.obj, "scaled")
        return
    patch: dict[str, Any] = {"spec": {"replicas": args.replicas}}
    if args.resource_version:
        patch["metadata"] = {"resourceVersion": args.resource_version}
    result = session.server.patch(
        item.resource, item.namespace, item.name, patch, query=outcome.query(), subresource="scale"
    )
    outcome.report(item.resource, item.name, result, "scaled")
    seconds = durations.parse(args.timeout)
    if seconds > 0:
        _wait(session, item, args.replicas, Deadline(seconds))


def _check(args: argparse.Namespace, obj: dict[str, Any]) -> None:
    now = (obj.get("spec") or {}).get("replicas", 1)
    if args.current_replicas >= 0 and now != args.current_replicas:
        raise CliError(f"Expected replicas to be {args.current_replicas}, was {now}")


def _wait(session: Session, item: Item, replicas: int, deadline: Deadline) -> None:
    with Progress(session.terminal, f"waiting for {item.label} to have {replicas} replicas") as progress:
        for obj in states(session.server, item.resource, item.namespace, item.name, deadline):
            if obj is None:
                raise CliError(f"{item.label} was deleted meanwhile")
            has = (obj.get("status") or {}).get("replicas", 0)
            progress.text = f"waiting for {item.label}: {has} of {replicas} replicas"
            if has == replicas:
                return


COMMAND = Command(
    usage="scale (TYPE NAME | TYPE/NAME | -f FILE) --replicas=N [flags]",
    about="Set how many replicas a Deployment, ReplicaSet or other scalable object has.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
