"""`logs --deleted`: what kubelets keep of containers that were removed, their pods being gone or not."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from kubectl import durations
from kubectl.errors import CliError
from kubectl.images.nodes import name_of, on_each, said
from kubectl.kinds import NODE
from kubectl.output.tabwriter import Columns
from kubectl.server import decode, object_path
from kubectl.session import Session
from kubectl.transport import Answer

_HEADERS = ["POD", "CONTAINER", "ATTEMPT", "WORKLOAD", "NODE", "EXIT CODE", "ENDED", "SIZE"]
Object = dict[str, Any]


def show(session: Session, args: argparse.Namespace, query: dict[str, Any]) -> int:
    """Without a name: which logs there are. With one: what they say, the oldest first."""
    if args.follow or args.previous or args.selector or len(args.names) > 1:
        raise CliError("--deleted goes with at most one POD or TYPE/NAME, and not with -f, -p or -l")
    records, failed = _records(session, _wanted(session, args))
    if args.container:
        records = [each for each in records if each["container"] == args.container]
    records.sort(key=lambda each: (each.get("finished", 0), each["pod"], each["container"], each["attempt"]))
    if not records:
        what = f" of {args.names[0]}" if args.names else ""
        session.terminal.complain(f"No logs{what} are kept in {session.namespace} namespace.")
        return failed or (1 if args.names else 0)
    if not args.names:
        now = time.time()
        for line in Columns().lines([_HEADERS, *(_row(each, now) for each in records)]):
            session.terminal.print(line)
        return failed
    for index, record in enumerate(records):
        if len(records) > 1 and not args.prefix:
            session.terminal.print(("\n" if index else "") + heading(record))
        _print(session, args, record, query)
    return failed


def _wanted(session: Session, args: argparse.Namespace) -> dict[str, str]:
    if not args.names:
        return {}
    kind, slash, name = args.names[0].partition("/")
    if not slash:
        return {"pod": kind}
    resource = session.catalog.find(kind)
    return {"pod": name} if resource.plural == "pods" else {"workload": f"{resource.kind}/{name}"}


def _records(session: Session, wanted: dict[str, str]) -> tuple[list[Object], int]:
    nodes = session.server.list(NODE, None).get("items") or []
    found: list[Object] = []
    failed = 0

    def ask(node: Object) -> list[Object]:
        path = f"{_path(name_of(node), session.namespace)}?{urlencode(wanted)}"
        with session.server.transport.open(path) as response:
            items: list[Object] = decode(Answer(response.status, response.read()))["items"]
            return [{**each, "node": name_of(node)} for each in items]

    for node, result in on_each(nodes, ask):
        if isinstance(result, Exception):
            session.terminal.complain(f"error: {node}: {said(result)}")
            failed = 1
        else:
            found += result
    return found, failed


def _print(session: Session, args: argparse.Namespace, record: Object, query: dict[str, Any]) -> None:
    from kubectl.commands.logs import prefixed

    where = f"{record['uid']}/{record['container']}/{record['attempt']}"
    head = f"[pod/{record['pod']}/{record['container']}] ".encode()
    write = prefixed(session.terminal.write_bytes, head) if args.prefix else session.terminal.write_bytes
    for piece in session.server.lines(f"{_path(record['node'], record['namespace'])}/{where}", query):
        write(piece)
    if args.prefix:
        write(b"")


def _path(node: str, namespace: str) -> str:
    return f"{object_path(NODE, None, node)}/proxy/deletedLogs/{namespace}"


def heading(record: Object) -> str:
    ended = datetime.fromtimestamp(record.get("finished", 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"==> pod/{record['pod']} {record['container']}: attempt {record['attempt']} on {record['node']}, "
        f"ended {ended} with exit code {record.get('exit_code', 0)} <=="
    )


def _row(record: Object, now: float) -> list[str]:
    return [
        record["pod"],
        record["container"],
        str(record["attempt"]),
        record["workload"],
        record["node"],
        str(record.get("exit_code", 0)),
        f"{durations.human(now - record.get('finished', now))} ago",
        f"{record['size'] / 1024:.0f}Ki",
    ]
