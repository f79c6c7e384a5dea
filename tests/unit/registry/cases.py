"""What the tables of the kinds' tests are made of: a golden object to start from, and what is changed in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from apiserver.registry.kind import Object
from tests.unit.registry.support import create, edited, update, update_status

Case = tuple[str, Any, list[str]]
"""A place, what is put there (None: it is taken away), and the messages."""


@cache
def golden(name: str) -> tuple[Object, Object]:
    sent, kept = yaml.safe_load_all((Path(__file__).parent / "golden" / f"{name}.yaml").read_text())
    return sent, kept


def refused(name: str, path: str, value: Any) -> list[str]:
    """What is said to a new object that differs from the golden one in one place."""
    return create(edited(golden(name)[0], path, value))[1]


def changed(name: str, path: str, value: Any, **before: Any) -> list[str]:
    """What is said to a change of the golden object. `before` puts values at places of the old one (`a__b`: a.b)."""
    old = golden(name)[1]
    for place, at_first in before.items():
        old = edited(old, place.replace("__", "."), at_first)
    return update(edited(old, path, value), old)[1]


def judged(name: str, status: Object, before: Object | None = None, **spec: Any) -> list[str]:
    """What is said to a status of the golden object, whose status is `before`."""
    old = edited(golden(name)[1], "status", before or {})
    for place, value in spec.items():
        old = edited(old, f"spec.{place}", value)
    return update_status(status, old)[1]


def ids(cases: list[Any]) -> list[str]:
    return [f"{number}-{case[0]}" for number, case in enumerate(cases)]
