"""`pytheas api-resources`: the kinds the server serves, and the names they go by."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from kubectl.command import Command
from kubectl.discovery import Resource
from kubectl.output.tabwriter import Columns
from kubectl.parser import Parser
from kubectl.session import Session


def arguments(parser: Parser) -> None:
    parser.add_argument("-o", "--output", default="", choices=("", "wide", "name"), help="wide or name")
    parser.flag("--no-headers", help="leave out the line of headers")
    parser.add_argument("--api-group", default=None, metavar="GROUP", help="only this group ('' is the core group)")
    parser.add_argument(
        "--namespaced", default=None, metavar="true|false", help="only those in namespaces, or only others"
    )
    parser.add_argument("--verbs", default="", metavar="VERBS", help="only those with these verbs")
    parser.add_argument("--categories", default="", metavar="NAMES", help="only those in these categories")
    parser.add_argument("--sort-by", default="", choices=("", "name", "kind"), help="name or kind")


def run(session: Session, args: argparse.Namespace) -> int:
    found = [resource for resource in _preferred(session.catalog.refresh()) if _wanted(resource, args)]
    if args.sort_by:
        found.sort(key=lambda r: r.plural if args.sort_by == "name" else r.kind)
    else:
        found.sort(key=lambda r: (r.group, r.plural))
    if args.output == "name":
        for resource in found:
            session.terminal.print(resource.qualified)
        return 0
    wide = args.output == "wide"
    rows = [[*["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"], *(["VERBS", "CATEGORIES"] if wide else [])]]
    rows = [] if args.no_headers else rows
    rows.extend(_row(resource, wide) for resource in found)
    for line in Columns().lines(rows):
        session.terminal.print(line)
    return 0


def _preferred(resources: Iterable[Resource]) -> Iterable[Resource]:
    """Of a resource in several versions the one that discovery names first."""
    return {(each.group, each.plural): each for each in reversed(list(resources))}.values()


def _wanted(resource: Resource, args: argparse.Namespace) -> bool:
    if args.api_group is not None and resource.group != args.api_group:
        return False
    if args.namespaced is not None and resource.namespaced != (args.namespaced.lower() == "true"):
        return False
    verbs = {verb for verb in args.verbs.split(",") if verb}
    categories = {category for category in args.categories.split(",") if category}
    return verbs <= set(resource.verbs) and categories <= set(resource.categories)


def _row(resource: Resource, wide: bool) -> list[str]:
    row = [
        resource.plural,
        ",".join(resource.short_names),
        resource.api_version,
        "true" if resource.namespaced else "false",
        resource.kind,
    ]
    return [*row, ",".join(resource.verbs), ",".join(resource.categories)] if wide else row


COMMAND = Command(
    usage="api-resources [flags]",
    about="List the kinds that the server serves.",
    examples="  pytheas api-resources --namespaced=true -o wide",
    arguments=arguments,
    run=run,
)
