"""`pytheas rollout status`: follow a rollout to its end, with a bar on a terminal."""

from __future__ import annotations

import argparse

from kubectl import durations
from kubectl.command import Command
from kubectl.commands.rollout.common import deployments, rollout_arguments
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.progress import Progress
from kubectl.selection import Item
from kubectl.session import Session
from kubectl.waiting import Deadline, states
from kubectl.workloads import Object, rollout_step

WIDTH = 20


def arguments(parser: Parser) -> None:
    rollout_arguments(parser)
    parser.flag("-w", "--watch", default=True, help="follow it to its end (--watch=false: only say how it is)")
    parser.add_argument("--timeout", default="0s", metavar="TIME", help="stop waiting after this long; 0: never")
    parser.add_argument("--revision", type=int, default=0, metavar="N", help="only if this is the running revision")


def run(session: Session, args: argparse.Namespace) -> int:
    deadline = Deadline(durations.parse(args.timeout))
    for item in deployments(session, args, "status"):
        if args.watch:
            _follow(session, item, args.revision, deadline)
        else:
            session.terminal.print(rollout_step(item.obj, args.revision)[0])
    return 0


def _follow(session: Session, item: Item, revision: int, deadline: Deadline) -> None:
    said = ""
    with Progress(session.terminal, f"rolling out {item.label}") as progress:
        for obj in states(session.server, item.resource, item.namespace, item.name, deadline):
            if obj is None:
                raise CliError("object has been deleted")
            sentence, done = rollout_step(obj, revision)
            if sentence != said:
                progress.print(sentence)
                said = sentence
            if done:
                return
            progress.text = f"{_bar(obj)} {item.label}"


def _bar(deployment: Object) -> str:
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1) or 1
    ready = min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
    full = int(min(WIDTH, WIDTH * ready // wanted))
    return f"{'█' * full}{'░' * (WIDTH - full)} {ready}/{wanted}"


COMMAND = Command(
    usage="rollout status (deployment NAME | deployment/NAME) [flags]",
    about="Follow a rollout until it is done or has failed.",
    examples="  pytheas rollout status deployment/hello --timeout=2m",
    arguments=arguments,
    run=run,
)
