"""`get --watch`: the list, then a line for each change, across time-outs of the server's watches."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from kubectl.errors import CliError
from kubectl.output.objects import ObjectPrinter
from kubectl.output.table import Look, TableWriter
from kubectl.reading import Batch, Object, as_table, list_query
from kubectl.session import Session


def watch(
    session: Session, args: argparse.Namespace, found: list[Batch], printer: ObjectPrinter | None, look: Look
) -> int:
    if len(found) != 1 or len(found[0].names) > 1:
        raise CliError("you may only specify a single resource type" + (" and name" if found[0].names else ""))
    batch = found[0]
    show = _object_output(session, args, batch, printer) if printer else _table_output(session, batch, look)
    query = _query(args, batch)
    if batch.names and not args.watch_only and not args.ignore_not_found:
        session.server.get(batch.resource, batch.namespace, batch.names[0])  # a name that is not there is an error
    listed = session.server.list(batch.resource, batch.namespace, query, table=printer is None)
    if not args.watch_only:
        show("ADDED", listed)
    session.terminal.flush()
    for kind, obj in changes(session, batch, query, listed["metadata"]["resourceVersion"], table=printer is None):
        show(kind, obj)
        session.terminal.flush()
    return 0


def changes(
    session: Session, batch: Batch, query: dict[str, Any], version: str, *, table: bool
) -> Iterator[tuple[str, Object]]:
    """Every change from that version on, for ever. Raises Unreachable when the server goes."""
    from api.errors import StatusError

    query = {key: value for key, value in query.items() if key != "limit"} | {"allowWatchBookmarks": True}
    while True:
        try:
            for kind, obj in session.server.watch(
                batch.resource, batch.namespace, {**query, "resourceVersion": version}, table=table
            ):
                version = _version(obj) or version
                if kind != "BOOKMARK":
                    yield kind, obj
        except StatusError as error:
            if error.code != 410:
                raise
            listed = session.server.list(batch.resource, batch.namespace, query, table=table)
            version = listed["metadata"]["resourceVersion"]


def _query(args: argparse.Namespace, batch: Batch) -> dict[str, Any]:
    query = list_query(args)
    if batch.names:
        query["fieldSelector"] = f"metadata.name={batch.names[0]}"
    return query


def _version(obj: Object) -> str:
    if obj.get("kind") == "Table":
        rows = obj.get("rows") or []
        metadata = (rows[-1].get("object") or {}).get("metadata", {}) if rows else obj.get("metadata", {})
        return str(metadata.get("resourceVersion") or "")
    return str(obj.get("metadata", {}).get("resourceVersion") or "")


def _table_output(session: Session, batch: Batch, look: Look) -> Callable[[str, Object], None]:
    shown = replace(
        look,
        prefix=f"{batch.resource.prefix}/" if look.prefix else "",
        namespace=look.namespace and batch.resource.namespaced,
    )
    writer = TableWriter(session.terminal, shown)

    def show(kind: str, answer: Object) -> None:
        table = as_table(answer)
        if table.get("rows"):
            writer.write(table, kind)

    return show


def _object_output(
    session: Session, args: argparse.Namespace, batch: Batch, printer: ObjectPrinter
) -> Callable[[str, Object], None]:
    def show(kind: str, answer: Object) -> None:
        for obj in answer["items"] if isinstance(answer.get("items"), list) else [answer]:
            whole = {"apiVersion": batch.resource.api_version, "kind": batch.resource.kind} | obj
            if args.output_watch_events and args.output != "name":
                whole = {"type": kind, "object": whole}
            printer.print(whole, batch.resource.prefix)

    return show
