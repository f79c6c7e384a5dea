"""A ServiceAccount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl.describe.common import annotation_lines, events, header, label_lines, several
from kubectl.describe.writer import Writer
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session


def describe(session: Session, writer: Writer, account: Object) -> None:
    header(writer, account)
    label_lines(writer, "Labels", account["metadata"].get("labels"))
    annotation_lines(writer, "Annotations", account["metadata"].get("annotations"))
    several(writer, "Image pull secrets", [secret["name"] for secret in account.get("imagePullSecrets") or ()])
    events(session, writer, account)
