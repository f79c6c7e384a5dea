"""`pytheas rollout history`: the revisions that a Deployment can go back to."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.commands.rollout.common import deployments, rollout_arguments
from kubectl.errors import CliError
from kubectl.output.tabwriter import Columns
from kubectl.parser import Parser
from kubectl.selection import Item
from kubectl.session import Session
from kubectl.workloads import CHANGE_CAUSE, Object, replica_sets_of, revision_of


def arguments(parser: Parser) -> None:
    rollout_arguments(parser)
    parser.add_argument("--revision", type=int, default=0, metavar="N", help="show the pod template of one revision")


def run(session: Session, args: argparse.Namespace) -> int:
    if args.revision < 0:
        raise CliError("revision must be a positive integer")
    for item in deployments(session, args, "history"):
        revisions = replica_sets_of(session, item.obj)
        if args.revision:
            _one(session, item, revisions, args.revision)
        else:
            _all(session, item, revisions)
    return 0


def _all(session: Session, item: Item, revisions: list[Object]) -> None:
    rows = [["REVISION", "CHANGE-CAUSE"]]
    for replica_set in revisions:
        cause = (replica_set["metadata"].get("annotations") or {}).get(CHANGE_CAUSE) or "<none>"
        rows.append([str(revision_of(replica_set)), cause])
    session.terminal.print(f"{item.label} ")
    for line in Columns(padding=2, minimum=0).lines(rows):
        session.terminal.print(line)
    session.terminal.print()


def _one(session: Session, item: Item, revisions: list[Object], number: int) -> None:
    from kubectl.describe.template import pod_template
    from kubectl.describe.writer import Writer

    chosen = next((rs for rs in revisions if revision_of(rs) == number), None)
    if chosen is None:
        raise CliError(f"unable to find the specified revision {number}: there are {_numbers(revisions)}")
    session.terminal.print(f"{item.label} with revision #{number}")
    writer = Writer()
    pod_template(writer, chosen["spec"]["template"])
    session.terminal.write(writer.text())


def _numbers(revisions: list[Object]) -> str:
    return ", ".join(str(revision_of(rs)) for rs in revisions) or "none"


COMMAND = Command(
    usage="rollout history (deployment NAME | deployment/NAME) [flags]",
    about="Show the earlier revisions of a Deployment.",
    examples="  pytheas rollout history deployment/hello\n  pytheas rollout history deployment/hello --revision=2",
    arguments=arguments,
    run=run,
)
