"""`pytheas get`: tables as the server makes them, or whole objects; once, or as they change."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from kubectl.command import Command
from kubectl.errors import CliError, status_message
from kubectl.output.objects import FORMATS, ObjectPrinter
from kubectl.output.table import Look, TableWriter
from kubectl.parser import Parser
from kubectl.reading import Batch, as_list, batches, fetch_objects, fetch_table, sort_rows, sorted_items
from kubectl.selection import file_arguments, selector_arguments
from kubectl.session import Session

if TYPE_CHECKING:
    from api.errors import StatusError

EXAMPLES = """
  pytheas get pods                              the pods of the namespace
  pytheas get pods -A -o wide                   all pods, with their addresses and nodes
  pytheas get deploy,svc -l app=hello           two kinds, by label
  pytheas get deploy/hello svc/hello -o yaml    as YAML
  pytheas get pods -w                           and go on as they change
  pytheas get pods -o jsonpath='{.items[*].status.podIP}'
  pytheas get nodes -o custom-columns=NAME:.metadata.name,CIDR:.spec.podCIDR
"""


def arguments(parser: Parser) -> None:
    parser.names("TYPE, TYPE NAME…, TYPE/NAME…, or several types with commas between them", "TYPE|NAME")
    parser.add_argument("-o", "--output", default="", metavar="FORMAT", help=FORMATS)
    selector_arguments(parser)
    file_arguments(parser)
    parser.flag("-w", "--watch", help="after the list, show each change")
    parser.flag("--watch-only", help="show changes only")
    parser.flag("--output-watch-events", help="show the kind of change with --watch")
    parser.flag("--no-headers", help="leave out the line of headers")
    parser.flag("--show-labels", help="show all labels in a last column")
    parser.add_argument("-L", "--label-columns", action="append", default=[], metavar="KEYS", help="labels as columns")
    parser.flag("--show-kind", help="show the kind before each name")
    parser.add_argument("--sort-by", default="", metavar="PATH", help="sort by a JSONPath, e.g. .metadata.name")
    parser.flag("--ignore-not-found", help="no error for what does not exist")
    parser.flag("--show-managed-fields", help="keep metadata.managedFields in json and yaml")
    parser.add_argument("--chunk-size", type=int, default=500, metavar="N", help="objects a request; 0: all at once")
    parser.add_argument("--subresource", default="", metavar="NAME", help="status or scale instead of the object")
    parser.add_argument("--raw", default="", metavar="PATH", help="GET this path and print the answer as it is")


def run(session: Session, args: argparse.Namespace) -> int:
    if args.raw:
        session.terminal.write(session.server.transport.request("GET", args.raw).body.decode())
        return 0
    human = args.output in ("", "wide")
    printer = (
        None
        if human
        else ObjectPrinter(
            session.terminal, args.output, headers=not args.no_headers, managed_fields=args.show_managed_fields
        )
    )
    if not args.names and not args.filename:
        raise CliError(
            'You must specify the type of resource to get. Use "pytheas api-resources" for a complete list of '
            'supported resources.\n\nerror: Required resource not specified.\nUse "pytheas explain <resource>" for a '
            "detailed description of that resource (e.g. pytheas explain pods).\n"
            "See 'pytheas get -h' for help and examples",
            prefix="",
        )
    found = batches(session, args)
    if args.watch or args.watch_only:
        from kubectl.watching import watch

        return watch(session, args, found, printer, look(args, len(found) > 1))
    return _print_objects(session, args, found, printer) if printer else _print_tables(session, args, found)


def look(args: argparse.Namespace, several: bool) -> Look:
    return Look(
        wide=args.output == "wide",
        headers=not args.no_headers,
        namespace=args.all_namespaces,
        show_labels=args.show_labels,
        label_columns=tuple(label for value in args.label_columns for label in value.split(",")),
        prefix="kind" if several or args.show_kind else "",
        event=args.output_watch_events,
    )


def _print_tables(session: Session, args: argparse.Namespace, found: list[Batch]) -> int:
    errors: list[StatusError] = []
    printed = False
    several = len({batch.resource for batch in found}) > 1
    for batch in found:
        table = fetch_table(session, args, batch, errors)
        if not table.get("rows"):
            continue
        if args.sort_by:
            sort_rows(table, args.sort_by)
        if printed and not args.no_headers:
            session.terminal.print()
        printed = True
        shape = look(args, several)
        prefix = f"{batch.resource.prefix}/" if shape.prefix else ""
        shows_namespace = shape.namespace and batch.resource.namespaced
        TableWriter(session.terminal, _with(shape, prefix, shows_namespace)).write(table)
    _report(session, errors)
    if not printed and not errors and not args.ignore_not_found:
        everywhere = args.all_namespaces or not any(batch.resource.namespaced for batch in found)
        session.terminal.complain(
            "No resources found" if everywhere else f"No resources found in {session.namespace} namespace."
        )
    return 1 if errors else 0


def _with(shape: Look, prefix: str, namespace: bool) -> Look:
    from dataclasses import replace

    return replace(shape, prefix=prefix, namespace=namespace)


def _print_objects(session: Session, args: argparse.Namespace, found: list[Batch], printer: ObjectPrinter) -> int:
    errors: list[StatusError] = []
    objects: list[tuple[Batch, dict[str, Any]]] = []
    for batch in found:
        objects.extend((batch, obj) for obj in fetch_objects(session, args, batch, errors))
    if args.sort_by:
        objects = sorted_items(objects, args.sort_by)
    single = len(found) == 1 and len(found[0].names) == 1
    if args.output == "name" or single:
        for batch, obj in objects:
            printer.print(obj, batch.resource.prefix)
    elif objects or not errors:
        printer.print(as_list([obj for _, obj in objects]), "list")
    _report(session, errors)
    return 1 if errors else 0


def _report(session: Session, errors: list[StatusError]) -> None:
    for error in errors:
        session.terminal.complain(status_message(error))


COMMAND = Command(
    usage="get (TYPE[,TYPE…] [NAME…] | TYPE/NAME… | -f FILE) [flags]",
    about="Show one or many objects: as a table, or with -o in another form.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
