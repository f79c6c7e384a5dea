"""Events in two APIs: the same facts under both sets of names, and what the new one asks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.registry import event, event_v1
from apiserver.registry.event_versions import from_core, to_core
from tests.unit.api.samples import sample
from tests.unit.registry.cases import Case, changed, golden, ids, refused
from tests.unit.registry.support import NOW

REFUSED: list[Case] = [
    ("eventTime", None, [
        "eventTime: Required value"]),
    ("type", "Odd", ['type: Invalid value: "": has invalid value: Odd']),
    ("reportingController", None, ["reportingController: Required value"]),
    ("action", None, ["action: Required value"]),
    ("reason", "x" * 129, ['reason: Invalid value: "": can have at most 128 characters']),
    ("note", "x" * 1025, ['message: Invalid value: "": can have at most 1024 characters']),
    ("series", {"count": 1}, [
        'series.count: Invalid value: "": should be at least 2', "series.lastObservedTime: Required value"]),
    ("deprecatedCount", 2, ['count: Invalid value: "": needs to be unset']),
    ("deprecatedSource", {"component": "a"}, ['source: Invalid value: "": needs to be unset']),
    ("regarding.namespace", None, []),
    ("metadata.name", "A", [
        "metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
        "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
        r"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"]),
]  # fmt: skip
CHANGES: list[Case] = [
    ("note", "other", ['message: Invalid value: "other": field is immutable']),
    ("regarding.name", "b", [
        'involvedObject: Invalid value: {"kind":"Pod","name":"b","namespace":"default"}: field is immutable']),
    ("series", {"count": 2, "lastObservedTime": "2026-11-22T12:00:01.000000Z"}, []),
    ("series", {"count": 1, "lastObservedTime": "2026-11-22T12:00:01.000000Z"}, [
        'series.count: Invalid value: "": should be at least 2']),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "messages"), REFUSED, ids=ids(REFUSED))
def test_refused(path: str, value: Any, messages: list[str]) -> None:
    assert refused("event-new", path, value) == messages


@pytest.mark.parametrize(("path", "value", "messages"), CHANGES, ids=ids(CHANGES))
def test_changes(path: str, value: Any, messages: list[str]) -> None:
    assert changed("event-new", path, value) == messages


@given(seed=st.randoms(use_true_random=False), share=st.floats(0, 1))
def test_nothing_is_lost_between_the_two(seed: Any, share: float) -> None:
    old = sample(event.KIND.schema, seed, share) | {"apiVersion": "v1", "kind": "Event"}
    there = from_core(old)
    assert set(there) <= set(event_v1.KIND.schema.properties)
    back = to_core(there)
    assert {**back, **old} == back  # what must always be there is added, nothing is changed
    new = sample(event_v1.KIND.schema, seed, share) | {"apiVersion": "events.k8s.io/v1", "kind": "Event"}
    assert {**from_core(to_core(new)), **new} == from_core(to_core(new))


def test_rows_are_the_same() -> None:
    new = golden("event-new")[1]
    new["metadata"]["creationTimestamp"] = "2026-11-22T11:00:00Z"
    core = to_core(new)
    shown = [column.cell(new, NOW) for column in event_v1.KIND.columns]
    assert shown == [column.cell(core, NOW) for column in event.KIND.columns]
    assert shown[3] == "pod/web"


def test_fields_have_two_names() -> None:
    new = golden("event-new")[1]
    found, core = event_v1.KIND.strategy.fields(new), event.KIND.strategy.fields(to_core(new))
    aliases = event_v1.KIND.strategy.field_aliases
    assert aliases["regarding.name"] == "involvedObject.name"
    assert aliases["reportingController"] == "reportingComponent"
    assert {aliases[name]: value for name, value in found.items()}.items() <= core.items()
