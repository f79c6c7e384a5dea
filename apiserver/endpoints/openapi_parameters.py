"""The query parameters of each verb, as the OpenAPI documents tell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]

_PAGES = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
)
READ = ("pretty",)
LIST = ("pretty", *_PAGES, "watch")
WRITE = ("pretty", "dryRun", "fieldManager", "fieldValidation")
PATCH = (*WRITE, "force")
DELETE = ("pretty", "dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
DELETE_MANY = (*DELETE, *(name for name in _PAGES if name != "allowWatchBookmarks"))
LOG = (
    "container",
    "follow",
    "insecureSkipTLSVerifyBackend",
    "limitBytes",
    "pretty",
    "previous",
    "sinceSeconds",
    "sinceTime",
    "stream",
    "tailLines",
    "timestamps",
)
_STREAMS = ("container", "stderr", "stdin", "stdout", "tty")
CONNECT: Mapping[str, tuple[str, ...]] = {
    "attach": _STREAMS,
    "exec": ("command", *_STREAMS),
    "portforward": ("ports",),
    "proxy": ("path",),
}
"""By subresource."""

_BOOLEANS = frozenset(
    {
        "allowWatchBookmarks",
        "follow",
        "force",
        "insecureSkipTLSVerifyBackend",
        "orphanDependents",
        "previous",
        "sendInitialEvents",
        "stderr",
        "stdin",
        "stdout",
        "timestamps",
        "tty",
        "watch",
    }
)
_INTEGERS = frozenset(
    {"gracePeriodSeconds", "limit", "limitBytes", "ports", "sinceSeconds", "tailLines", "timeoutSeconds"}
)
_PROSE: Mapping[str, str] = {
    "allowWatchBookmarks": "Whether a watch may send BOOKMARK events, which tell only how far it has come.",
    "command": "What to run, and its arguments, one after the other; no shell is there unless it is named.",
    "container": "The container that is meant; needed where a pod has several.",
    "continue": "The token of the page before, to read on from there.",
    "dryRun": "All: do everything but store the result.",
    "fieldManager": "The name under which the fields that this request sets are managed.",
    "fieldSelector": "Only objects whose fields have these values.",
    "fieldValidation": "What to do about unknown and doubled fields: Ignore, Warn or Strict.",
    "follow": "Whether to go on sending what the container writes.",
    "force": "Whether an apply takes fields over that others manage.",
    "gracePeriodSeconds": "How long the object may take to end. 0 is at once.",
    "insecureSkipTLSVerifyBackend": "Whether to trust any certificate of the kubelet.",
    "labelSelector": "Only objects with labels like these.",
    "limit": "The most objects that a page may have; the answer has a token for the next one.",
    "limitBytes": "The most bytes to send.",
    "name": "The object's name.",
    "namespace": "The object's namespace.",
    "orphanDependents": "Deprecated: see propagationPolicy.",
    "path": "What comes after the object's own path.",
    "ports": "The ports that a WebSocket connection forwards.",
    "pretty": "Whether to write the answer for people to read.",
    "previous": "Whether to send the output of the container's last run, before the present one.",
    "propagationPolicy": "What becomes of dependents: Orphan, Background or Foreground.",
    "resourceVersion": "How new, or as of which version, the answer must be.",
    "resourceVersionMatch": "How resourceVersion is meant: Exact or NotOlderThan.",
    "sendInitialEvents": "Whether a watch begins with all there is, and a bookmark that marks its end.",
    "sinceSeconds": "Only what was written in the last so many seconds.",
    "sinceTime": "Only what was written after this time.",
    "stderr": "Whether the container's errors are wanted.",
    "stdin": "Whether the container is to read from this connection.",
    "stdout": "Whether the container's output is wanted.",
    "stream": "Which output: All, Stdout or Stderr.",
    "tailLines": "Only so many lines from the end.",
    "timeoutSeconds": "How long a watch may last.",
    "timestamps": "Whether each line begins with its time.",
    "tty": "Whether there is a terminal.",
    "watch": "Whether to send changes as they come, instead of a list.",
}


def query(names: Iterable[str], version: int) -> list[Json]:
    """Query parameters in an OpenAPI document of this version (2 or 3)."""
    return [_parameter(name, "query", version) for name in names]


def path(names: Iterable[str], version: int) -> list[Json]:
    """Parameters that are parts of the path."""
    return [_parameter(name, "path", version) | {"required": True} for name in names]


def _parameter(name: str, place: str, version: int) -> Json:
    kind = "boolean" if name in _BOOLEANS else "integer" if name in _INTEGERS else "string"
    schema: Json = {"type": kind, "uniqueItems": True}
    parameter: Json = {"name": name, "in": place, "description": _PROSE[name]}
    return parameter | ({"schema": schema} if version == 3 else schema)
