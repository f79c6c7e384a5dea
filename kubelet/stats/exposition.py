"""Prometheus' text format, with the time of each sample, which the client library's own collectors leave out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(slots=True)
class Family:
    """One metric. `kind` is `counter` or `gauge`."""

    name: str
    help: str
    kind: str = "gauge"
    lines: list[str] = field(default_factory=list)

    def add(self, value: float, labels: Mapping[str, str] | str = "", at: float | None = None) -> None:
        """A sample; `labels` may have been written already, `at` is in seconds since the epoch."""
        pairs = labels if isinstance(labels, str) else written(labels)
        name = f"{self.name}{{{pairs}}}" if pairs else self.name
        self.lines.append(f"{name} {_number(value)}" + (f" {int(at * 1000)}" if at is not None else ""))


def written(labels: Mapping[str, str]) -> str:
    """Labels as they stand between the braces: worth doing once where many samples have the same."""
    return ",".join([f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items()])


def page(families: Iterable[Family]) -> str:
    """All families that have a sample."""
    parts = []
    for family in families:
        if family.lines:
            parts += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}", *family.lines]
    return "\n".join(parts) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
