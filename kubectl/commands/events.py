"""`pytheas events`: what happened lately, the newest last."""

from __future__ import annotations

import argparse
from typing import Any

from kubectl.command import Command
from kubectl.describe.common import event_age, last_seen
from kubectl.kinds import EVENT
from kubectl.output.table import Look, TableWriter
from kubectl.parser import Parser
from kubectl.server import Object
from kubectl.session import Session
from kubectl.targets import parse_targets

EXAMPLES = """
  pytheas events
  pytheas events --for pod/web-1
  pytheas events -A --types=Warning
"""
COLUMNS = ("Last Seen", "Type", "Reason", "Object", "Message")


def arguments(parser: Parser) -> None:
    parser.flag("-A", "--all-namespaces", help="in every namespace")
    parser.add_argument("--for", dest="subject", default="", metavar="TYPE/NAME", help="only of this object")
    parser.add_argument("--types", default="", metavar="TYPES", help="only of these types: Normal, Warning")
    parser.flag("--no-headers", help="leave out the line of headers")


def run(session: Session, args: argparse.Namespace) -> int:
    fields: dict[str, str] = {}
    if args.subject:
        target = parse_targets([args.subject], session.catalog)[0]
        fields = {"involvedObject.kind": target.resource.kind, "involvedObject.name": target.name or ""}
    query: dict[str, Any] = {"fieldSelector": ",".join(f"{k}={v}" for k, v in fields.items()), "limit": 500}
    namespace = None if args.all_namespaces else session.namespace
    found = session.server.list(EVENT, namespace, query).get("items") or []
    types = {name.lower() for name in args.types.split(",") if name}
    chosen = sorted((e for e in found if not types or e.get("type", "").lower() in types), key=last_seen)
    if not chosen:
        where = "" if args.all_namespaces else f" in {session.namespace} namespace."
        session.terminal.complain(f"No events found{where}")
        return 0
    look = Look(headers=not args.no_headers, namespace=args.all_namespaces)
    TableWriter(session.terminal, look).write(
        {"columnDefinitions": [{"name": name} for name in COLUMNS], "rows": [_row(event) for event in chosen]}
    )
    return 0


def _row(event: Object) -> Object:
    subject = event.get("involvedObject") or {}
    what = f"{subject.get('kind', '')}/{subject.get('name', '')}"
    message = (event.get("message") or "").strip().replace("\n", " ")
    return {"cells": [event_age(event), event.get("type"), event.get("reason"), what, message], "object": event}


COMMAND = Command(
    usage="events [flags]",
    about="Show the events of a namespace or of one object.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
