"""`pytheas describe`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from api.errors import NotFound, StatusError
from kubectl.command import Command
from kubectl.describe import describer
from kubectl.describe.writer import Writer
from kubectl.errors import status_message
from kubectl.parser import Parser
from kubectl.selection import Item, existing, file_arguments, selector_arguments
from kubectl.session import Session
from kubectl.targets import Target, parse_targets

EXAMPLES = """
  pytheas describe pod web-1
  pytheas describe deploy/hello svc/hello
  pytheas describe pods -l app=hello
  pytheas describe node
"""
SHOW_EVENTS = "with the events, or without (default: with those of a single object)"


class Alike(Item):
    """One of several whose names begin as asked for."""


def arguments(parser: Parser) -> None:
    parser.names("TYPE, TYPE NAME… or TYPE/NAME…; a name's beginning will do", "TYPE|NAME")
    selector_arguments(parser)
    file_arguments(parser)
    parser.option("--show-events", bare="true", choices=("true", "false"), help=SHOW_EVENTS)


def run(session: Session, args: argparse.Namespace) -> int:
    args.any_number = True
    failed = False
    count = 0
    everything = list(_found(session, args))
    session.show_events = args.show_events == "true" or (args.show_events is None and len(everything) == 1)
    for found in everything:
        if isinstance(found, StatusError):
            failed = True
            session.terminal.complain(status_message(found))
            continue
        if count and not isinstance(found, Alike):
            session.terminal.write("\n\n")
        count += 1
        _describe(session, found)
        if isinstance(found, Alike):
            session.terminal.print()
    if not count and not failed:
        session.terminal.complain(
            "No resources found" if args.all_namespaces else f"No resources found in {session.namespace} namespace."
        )
    return 1 if failed else 0


def _describe(session: Session, item: Item) -> None:
    obj = {"apiVersion": item.resource.api_version, "kind": item.resource.kind} | item.obj
    writer = Writer()
    describer(item.resource.group, item.resource.kind)(session, writer, obj)
    session.terminal.write(writer.text())


def _found(session: Session, args: argparse.Namespace) -> Iterator[Item | StatusError]:
    if args.filename or not args.names:
        yield from existing(session, args)
        return
    for target in parse_targets(args.names, session.catalog):
        if target.name is None:
            yield from existing(session, args, [target.resource.qualified])
        else:
            yield from _named(session, target)


def _named(session: Session, target: Target) -> Iterator[Item | StatusError]:
    """The object of that name, or those whose names begin so, as kubectl does."""
    namespace = session.namespace if target.resource.namespaced else None
    name = target.name or ""
    try:
        yield Item(target.resource, namespace, name, session.server.get(target.resource, namespace, name))
    except NotFound as error:
        listed = session.server.list(target.resource, namespace, {"limit": 500}).get("items") or []
        alike = [obj for obj in listed if obj["metadata"]["name"].startswith(name)]
        if not alike:
            yield error
        for obj in alike:
            yield Alike(target.resource, namespace, obj["metadata"]["name"], obj)


COMMAND = Command(
    usage="describe (TYPE [NAME…] | TYPE/NAME… | TYPE -l LABELS | -f FILE) [flags]",
    about="Show objects in detail, with what belongs to them and what happened to them.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
