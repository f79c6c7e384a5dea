"""Any other kind: every field of the object, its name spelled as words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kubectl.describe.common import annotation_lines, events, header, label_lines
from kubectl.describe.writer import Writer
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session

_SHOWN_ABOVE = {"name", "namespace", "labels", "annotations", "managedFields"}
_ACRONYMS = {"Api": "API", "Ip": "IP", "Uid": "UID", "Url": "URL", "Cidr": "CIDR", "Tls": "TLS", "Id": "ID"}


def describe(session: Session, writer: Writer, obj: Object) -> None:
    header(writer, obj)
    label_lines(writer, "Labels", obj["metadata"].get("labels"))
    annotation_lines(writer, "Annotations", obj["metadata"].get("annotations"))
    shown = dict(obj)
    shown["metadata"] = {key: value for key, value in obj["metadata"].items() if key not in _SHOWN_ABOVE}
    _fields(writer, 0, shown)
    events(session, writer, obj)


def words(name: str) -> str:
    """`holderIdentity` becomes `Holder Identity`, `podIP` becomes `Pod IP`."""
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z]|\b|\d)|[A-Z]?[^A-Z]+", name[:1].upper() + name[1:])
    return " ".join(_ACRONYMS.get(part, part) for part in parts)


def _fields(writer: Writer, level: int, value: dict[str, Any]) -> None:
    for key in sorted(value):
        _field(writer, level, words(key), value[key])


def _field(writer: Writer, level: int, name: str, value: Any) -> None:
    if isinstance(value, dict):
        writer.line(level, f"{name}:" if value else f"{name}:\t")
        _fields(writer, level + 1, value)
    elif isinstance(value, list):
        writer.line(level, f"{name}:" if value else f"{name}:\t<none>")
        for item in value:
            if isinstance(item, dict):
                _fields(writer, level + 1, item)
            else:
                writer.line(level + 1, str(item))
    else:
        writer.field(level, name, _scalar(value))


def _scalar(value: Any) -> str:
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
