"""What a resource path names: `/api/v1/namespaces/{ns}/{resource}/{name}/{subresource}` and its shorter forms."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """The parts of a path. What it does not name is empty; without a `plural` it is a discovery path."""

    group: str = ""
    version: str = ""
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    """What stands behind a subresource (`proxy/…`)."""
    watch: bool = False
    """The old form of a watch: `/api/v1/watch/…`."""


_OF_A_NAMESPACE = frozenset({"status", "finalize"})
"""Third parts below `namespaces/{name}/` that are subresources of the namespace and no resources in it."""


def parse(path: str) -> Target:
    """Read a path that begins with `/api/` or `/apis/`. Says nothing of whether it is served."""
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        group, rest = "", parts[1:]
    else:
        group, rest = (parts[1] if len(parts) > 1 else ""), parts[2:]
    version, rest = (rest[0], rest[1:]) if rest else ("", rest)
    watch = bool(rest) and rest[0] == "watch"
    if watch:
        rest = rest[1:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in _OF_A_NAMESPACE:
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource, *more = [*rest, "", "", ""][: max(3, len(rest))]
    return Target(group, version, plural, namespace, name, subresource, "/".join(more), watch)
