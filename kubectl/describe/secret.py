"""A Secret: the names and sizes of what it holds, never the contents."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from kubectl.describe.common import annotation_lines, header, label_lines
from kubectl.describe.writer import Writer
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session


def describe(session: Session, writer: Writer, secret: Object) -> None:
    header(writer, secret)
    label_lines(writer, "Labels", secret["metadata"].get("labels"))
    annotation_lines(writer, "Annotations", secret["metadata"].get("annotations"))
    writer.line(0)
    writer.line(0, f"Type:\t{secret.get('type', 'Opaque')}")
    writer.line(0, "\nData\n====")
    for key, value in sorted((secret.get("data") or {}).items()):
        writer.field(0, key, f"{len(base64.b64decode(value))} bytes")
