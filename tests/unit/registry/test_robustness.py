"""Whatever passes the check of types is judged by the rules without a crash: they refuse, they never fail."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from api import schema
from api.errors import BadRequest, Forbidden
from apiserver.endpoints.body import conform
from apiserver.registry.columns import table_columns
from apiserver.registry.kind import Object
from tests.unit.registry.support import NOW, create, kind_of, update

FILES = sorted((Path(__file__).parent / "golden").glob("*.yaml"))
CASES: list[Object] = [list(yaml.safe_load_all(path.read_text()))[1] for path in FILES]
ODD: dict[type, tuple[Any, ...]] = {
    str: ("", "x", "None", "10.0.0.1", "a b", "Ä", "x" * 300, "25%", "../x", "/", "=", "1"),
    int: (0, -1, 1, 70000, 2**31 - 1),
    bool: (True, False),
    list: ([], [None], [{}], ["x"], [{"name": "x"}] * 2),
    dict: ({}, {"x": "y"}, {"": ""}, {"name": ""}),
    type(None): (None,),
}


def _places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every place in a value."""
    found: list[tuple[Any, Any]] = []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in entries:
        found += [(value, key), *_places(child)]
    return found


def _spoil(obj: Object, seed: int) -> Object:
    """A copy with a few places replaced by something odd of the same type, or by nothing."""
    rng = random.Random(seed)
    result = copy.deepcopy(obj)
    for _ in range(rng.randint(1, 4)):
        container, key = rng.choice([place for place in _places(result) if place[1] not in ("kind", "apiVersion")])
        choices = (None, *ODD.get(type(container[key]), ()))
        container[key] = copy.deepcopy(rng.choice(choices))
    return result


@pytest.mark.parametrize("kept", CASES, ids=[path.stem for path in FILES])
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_odd_values(kept: Object, seed: int) -> None:
    kind = kind_of(kept)
    odd = _spoil(kept, seed)
    if not isinstance(odd.get("metadata"), dict):
        odd["metadata"] = {}
    try:
        odd = conform(odd, kind, "Ignore", [])
    except BadRequest:
        return
    try:
        stored, _ = create(odd)
        update(odd, kept)
    except (BadRequest, Forbidden):
        return
    named = {**stored, "metadata": {"name": "x", **(stored.get("metadata") or {})}}
    for shown in (named, {**named, "status": odd.get("status")}):
        [column.cell(shown, NOW) for column in table_columns(kind)]
        kind.strategy.fields(shown)
    assert (
        schema.exact(schema.load(kind.definition), stored)
        or schema.type_error(schema.load(kind.definition), kind.kind, kind.version, stored) is None
    )
