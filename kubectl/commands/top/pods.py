"""`pytheas top pods`."""

from __future__ import annotations

import argparse
from typing import Any

from kubectl import metrics
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.output.tabwriter import Columns
from kubectl.parser import Parser
from kubectl.session import Session
from kubectl.usage import Usage, ordered, total, usage

_RULE = "________"


def arguments(parser: Parser) -> None:
    parser.names("only this pod", "NAME")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS", help="only pods with these labels")
    parser.add_argument("--field-selector", default="", metavar="FIELDS", help="only pods with these fields")
    parser.add_argument("--sort-by", default="", metavar="WHAT", help="cpu or memory: the greatest first")
    parser.flag("-A", "--all-namespaces", help="of all namespaces")
    parser.flag("--containers", help="a line for each container")
    parser.flag("--sum", help="a last line with the sum")
    parser.flag("--no-headers", help="leave out the line of headers")


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.names) > 1 or (args.names and args.selector):
        raise CliError("only one of NAME or --selector can be provided")
    name = args.names[0] if args.names else ""
    namespace = None if args.all_namespaces else session.namespace
    query = {"labelSelector": args.selector, "fieldSelector": args.field_selector}
    found = metrics.of_pods(session, namespace, name, query)
    if not found:
        where = f" in {namespace} namespace" if namespace else ""
        session.terminal.complain(f"No resources found{where}.")
        return 0
    for line in Columns().lines(table(found, args)):
        session.terminal.print(line.rstrip())
    return 0


def table(found: list[dict[str, Any]], args: argparse.Namespace) -> list[list[str]]:
    headers = (
        ["NAMESPACE"] * args.all_namespaces + (["POD"] * args.containers) + ["NAME", "CPU(cores)", "MEMORY(bytes)"]
    )
    rows: list[tuple[Usage | None, list[str]]] = []
    for pod in found:
        names = [pod["metadata"]["namespace"]] * args.all_namespaces + [pod["metadata"]["name"]]
        parts = [(each["name"], usage(each["usage"])) for each in pod["containers"]]
        if args.containers:
            rows += [(used, [*names, name, *used.cells()]) for name, used in parts]
        else:
            used = total(each for _, each in parts)
            rows.append((used, [*names, *used.cells()]))
    lines = ([] if args.no_headers else [headers]) + ordered(rows, args.sort_by)
    if args.sum:
        blank = [""] * (len(headers) - 2)
        lines += [[*blank, _RULE, _RULE], [*blank, *total(used for used, _ in rows if used is not None).cells()]]
    return lines


COMMAND = Command(
    usage="top pods [NAME | -l LABELS] [-A] [flags]",
    about="Show what CPU and memory pods use.",
    examples="  pytheas top pods\n  pytheas top pods -A --sort-by=memory\n  pytheas top pods web-1 --containers",
    arguments=arguments,
    run=run,
)
