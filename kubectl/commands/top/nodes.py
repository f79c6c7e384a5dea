"""`pytheas top nodes`."""

from __future__ import annotations

import argparse

from kubectl import metrics
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.kinds import NODE
from kubectl.output.tabwriter import Columns
from kubectl.parser import Parser
from kubectl.session import Session
from kubectl.usage import node_cells, ordered, usage

HEADERS = ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]


def arguments(parser: Parser) -> None:
    parser.names("only this node", "NAME")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS", help="only nodes with these labels")
    parser.add_argument("--sort-by", default="", metavar="WHAT", help="cpu or memory: the greatest first")
    parser.flag("--show-capacity", help="percentages of the whole node, not of what pods may have")
    parser.flag("--no-headers", help="leave out the line of headers")


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.names) > 1 or (args.names and args.selector):
        raise CliError("only one of NAME or --selector can be provided")
    name = args.names[0] if args.names else ""
    query = {"labelSelector": args.selector}
    found = metrics.of_nodes(session, name, query)
    nodes = [session.server.get(NODE, None, name)] if name else session.server.list(NODE, None, query)["items"]
    used = {each["metadata"]["name"]: usage(each["usage"]) for each in found}
    if not used:
        raise CliError("metrics not available yet")
    rows = []
    for node in nodes:
        own, status = used.get(node["metadata"]["name"]), node.get("status") or {}
        available = usage(status.get("capacity" if args.show_capacity else "allocatable") or {})
        rows.append((own, [node["metadata"]["name"], *node_cells(own, available)]))
    table = [] if args.no_headers else [HEADERS]
    for line in Columns().lines(table + ordered(rows, args.sort_by)):
        session.terminal.print(line)
    return 0


COMMAND = Command(
    usage="top nodes [NAME | -l LABELS] [flags]",
    about="Show what CPU and memory nodes use.",
    examples="  pytheas top nodes\n  pytheas top nodes --sort-by=memory",
    arguments=arguments,
    run=run,
)
