"""The schema of a built-in kind by its apiVersion and kind, as objects name it."""

from __future__ import annotations

from api.schema import Schema, UnknownDefinition, load


def built_in(api_version: str, kind: str) -> Schema | None:
    """None for a kind of somebody else's: its lists have no merge keys that a client could know of."""
    group, _, version = api_version.rpartition("/")
    if "." in group and not group.endswith(".k8s.io"):
        return None
    try:
        return load(f"io.k8s.api.{group.split('.')[0] or 'core'}.{version}.{kind}")
    except UnknownDefinition:
        return None
