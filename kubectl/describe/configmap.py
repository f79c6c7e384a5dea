"""A ConfigMap with all its text."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from kubectl.describe.common import annotation_lines, events, header, label_lines
from kubectl.describe.writer import Writer
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session


def describe(session: Session, writer: Writer, config_map: Object) -> None:
    header(writer, config_map)
    label_lines(writer, "Labels", config_map["metadata"].get("labels"))
    annotation_lines(writer, "Annotations", config_map["metadata"].get("annotations"))
    writer.line(0, "\nData\n====")
    for key, value in sorted((config_map.get("data") or {}).items()):
        writer.line(0, f"{key}:\n----\n{value}\n")
    writer.line(0, "\nBinaryData\n====")
    for key, value in sorted((config_map.get("binaryData") or {}).items()):
        writer.line(0, f"{key}: {len(base64.b64decode(value))} bytes")
    writer.line(0)
    events(session, writer, config_map)
