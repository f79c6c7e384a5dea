"""What `get` asks the server for, and the answers brought into one shape."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubectl import durations
from kubectl.discovery import Resource
from kubectl.output.jsonpath import Template, relaxed
from kubectl.selection import documents
from kubectl.session import Session
from kubectl.targets import parse_targets

if TYPE_CHECKING:
    from api.errors import StatusError

Object = dict[str, Any]


@dataclass
class Batch:
    """Objects of one kind in one namespace: all of them, or these names."""

    resource: Resource
    namespace: str | None
    names: list[str] = field(default_factory=list)


def batches(session: Session, args: argparse.Namespace) -> list[Batch]:
    """The words or files, with neighbours of one kind and namespace put together."""
    found: list[Batch] = []
    for resource, namespace, name in _wanted(session, args):
        last = found[-1] if found else None
        if last and name and last.names and (last.resource, last.namespace) == (resource, namespace):
            last.names.append(name)
        else:
            found.append(Batch(resource, namespace, [name] if name else []))
    return found


def _wanted(session: Session, args: argparse.Namespace) -> Iterable[tuple[Resource, str | None, str | None]]:
    if args.filename:
        for resource, namespace, document in documents(session, args):
            yield resource, namespace, document.name
        return
    for target in parse_targets(args.names, session.catalog):
        everywhere = args.all_namespaces or not target.resource.namespaced
        yield target.resource, None if everywhere else session.namespace, target.name


def fetch_table(session: Session, args: argparse.Namespace, batch: Batch, errors: list[StatusError]) -> Object:
    query: dict[str, Any] = {"includeObject": "Object"} if args.sort_by else {}
    if not batch.names:
        return as_table(session.server.list(batch.resource, batch.namespace, list_query(args) | query, table=True))
    joined: Object = {}
    for name in batch.names:
        one = _get(session, args, batch, name, errors, query, table=True)
        if one is None:
            continue
        table = as_table(one)
        if joined:
            joined["rows"].extend(table.get("rows") or [])
        else:
            joined = table
    return joined


def fetch_objects(session: Session, args: argparse.Namespace, batch: Batch, errors: list[StatusError]) -> list[Object]:
    if batch.names:
        got = [_get(session, args, batch, name, errors, {}, table=False) for name in batch.names]
        return [obj for obj in got if obj is not None]
    items = session.server.list(batch.resource, batch.namespace, list_query(args)).get("items") or []
    return [{"apiVersion": batch.resource.api_version, "kind": batch.resource.kind} | obj for obj in items]


def list_query(args: argparse.Namespace) -> dict[str, Any]:
    return {"labelSelector": args.selector, "fieldSelector": args.field_selector, "limit": args.chunk_size or None}


def _get(
    session: Session,
    args: argparse.Namespace,
    batch: Batch,
    name: str,
    errors: list[StatusError],
    query: dict[str, Any],
    *,
    table: bool,
) -> Object | None:
    from api.errors import StatusError

    try:
        return session.server.get(
            batch.resource, batch.namespace, name, query, table=table, subresource=args.subresource
        )
    except StatusError as error:
        if not (error.code == 404 and args.ignore_not_found):
            errors.append(error)
        return None


def as_table(answer: Object) -> Object:
    """The answer if it is a table; else names and ages, for a server that makes no tables of this kind."""
    if answer.get("kind") == "Table":
        return answer
    items = answer["items"] if isinstance(answer.get("items"), list) else [answer]
    return {
        "kind": "Table",
        "metadata": answer.get("metadata", {}),
        "columnDefinitions": [{"name": "Name"}, {"name": "Age"}],
        "rows": [
            {"cells": [obj["metadata"]["name"], durations.age(obj["metadata"].get("creationTimestamp"))], "object": obj}
            for obj in items
        ],
    }


def as_list(items: list[Object]) -> Object:
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


def sort_rows(table: Object, path: str) -> None:
    template = Template(relaxed(path))
    table["rows"].sort(key=lambda row: _sort_key(template, row.get("object") or {}))


def sorted_items(objects: list[tuple[Batch, Object]], path: str) -> list[tuple[Batch, Object]]:
    template = Template(relaxed(path))
    return sorted(objects, key=lambda pair: _sort_key(template, pair[1]))


def _sort_key(template: Template, obj: Object) -> tuple[int, float, str]:
    """Objects without the field first, then numbers, then text."""
    values = template.values(obj)
    if not values or values[0] is None:
        return 0, 0.0, ""
    if isinstance(values[0], int | float):
        return 1, float(values[0]), ""
    return 2, 0.0, str(values[0])
