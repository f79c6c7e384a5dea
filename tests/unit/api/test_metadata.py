"""Times, owners, keys, percentages and the typed structs."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import intstr, metadata
from api.types import core_v1, meta_v1

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


def test_wire_forms() -> None:
    assert metadata.rfc3339(NOON) == "2026-11-22T12:00:00Z"
    assert metadata.micro_time(NOON) == "2026-11-22T12:00:00.123456Z"
    east = NOON.astimezone(timezone(timedelta(hours=2)))
    assert metadata.rfc3339(east) == "2026-11-22T12:00:00Z"


def test_offsets_and_decimals_are_read() -> None:
    assert metadata.parse_time("2026-11-22T14:00:00.123456789+02:00") == NOON
    assert metadata.parse_time("2026-11-22T12:00:00Z") == NOON.replace(microsecond=0)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22", "2026-11-22T12:00:00", "2026-13-01T00:00:00Z"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|month"):
        metadata.parse_time(text)


@given(st.datetimes())
def test_micro_times_survive(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert metadata.parse_time(metadata.micro_time(aware)) == aware


def test_owner_and_key_of_dicts_and_structs() -> None:
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "1", "controller": True}
    as_dict = {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [{"name": "other"}, reference]}}
    assert metadata.controller_of(as_dict) is reference
    pod = msgspec.convert({"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [reference]}}, core_v1.Pod)
    owner = metadata.controller_of(pod)
    assert isinstance(owner, meta_v1.OwnerReference)
    assert metadata.key(pod) == metadata.key(as_dict) == "ns/p"
    assert metadata.controller_of({"metadata": {}}) is None
    assert metadata.key({"metadata": {"name": "n1"}}) == "n1"
    assert metadata.split_key("ns/p") == ("ns", "p")
    assert metadata.split_key("n1") == ("", "n1")


def test_percentages() -> None:
    assert intstr.resolve("25%", 10, round_up=True) == 3
    assert intstr.resolve("25%", 10, round_up=False) == 2
    assert intstr.resolve(4, 10, round_up=True) == 4
    assert intstr.resolve(None, 10, round_up=True) == 0
    with pytest.raises(ValueError, match="not a percentage"):
        intstr.resolve("four", 10, round_up=True)


def test_models_come_without_their_client() -> None:
    code = (
        "import sys; from api.types import core_v1, apps_v1; "
        "assert 'httpx2' not in sys.modules and 'lightkube' not in sys.modules; "
        "import api.types; assert not hasattr(api.types, 'nonsense_v9')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_struct_carries_managed_fields_whichever_models_are_loaded_first() -> None:
    body = '{"metadata": {"name": "a", "labels": {"b": "c"}, "managedFields": [{"fieldsV1": {"f:data": {}}}]}}'
    program = (
        "import msgspec; from api.types import core_v1, meta_v1; "
        f"config = msgspec.json.decode('{body}', type=core_v1.ConfigMap); "
        "assert config.metadata == meta_v1.ObjectMeta(name='a', labels={'b': 'c'}); "
        "assert b'managedFields' not in msgspec.json.encode(config)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
