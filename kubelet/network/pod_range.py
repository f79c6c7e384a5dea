"""The range of this node's pods, remembered: a kubelet that starts while the API server is away (which may be a static
pod of its own) still knows which addresses it may give out."""

from __future__ import annotations

from pathlib import Path

from daemon.log import logger

log = logger(__name__)

FILE = "pod-range"


def recall(root: Path) -> str:
    """The range that the Node had last, or nothing."""
    try:
        return (root / FILE).read_text().strip()
    except OSError:
        return ""


def remember(root: Path, cidr: str) -> None:
    try:
        (root / FILE).write_text(f"{cidr}\n")
    except OSError as error:
        log.warning("the range of this node's pods is not remembered", error=str(error))


def forget(root: Path) -> None:
    (root / FILE).unlink(missing_ok=True)
