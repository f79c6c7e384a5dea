"""Resources that come and go, and one resource in several versions."""

from __future__ import annotations

import orjson
import pytest

from api.schema import Schema
from apiserver.endpoints.catalog import Catalog, versions
from apiserver.registry.conversion import between
from apiserver.registry.kind import Kind, Object
from apiserver.storage.store import Stored


def kind(version: str, **more: object) -> Kind:
    return Kind("stable.example.com", version, "Crontab", "crontabs", "", own_schema=Schema({}), **more)  # type: ignore[arg-type]


def test_versions_come_and_go_together() -> None:
    catalog = Catalog(())
    catalog.put(versions([kind("v1beta1", kept=False), kind("v1")]))
    assert [each.kind.version for each in catalog] == ["v1", "v1beta1"]
    assert [home.kind.version for home in catalog.homes] == ["v1"]
    before = catalog.generation
    catalog.put(versions([kind("v1beta1", kept=False, served=False), kind("v1")]))
    assert catalog.find("stable.example.com", "v1beta1", "crontabs") is None
    catalog.remove("stable.example.com", "crontabs")
    assert not list(catalog)
    assert not list(catalog.homes)
    assert catalog.generation > before


async def test_a_version_that_differs_in_name_only() -> None:
    home, other = versions([kind("v1"), kind("v2", kept=False)])
    obj = {"apiVersion": "stable.example.com/v2", "kind": "Crontab", "metadata": {"name": "x"}, "spec": {"a": 1}}
    kept = await other.stored(obj)
    assert orjson.loads(kept)["apiVersion"] == "stable.example.com/v1"
    raw = home.encoding.wire(kept, 7)
    assert orjson.loads(await other.show(raw)) == {**obj, "metadata": {"resourceVersion": "7", "name": "x"}}
    assert await other.decode(Stored(kept, 7)) == {**obj, "metadata": {"resourceVersion": "7", "name": "x"}}


async def test_an_object_kept_in_a_version_that_is_not_kept_any_more() -> None:
    """The storage version was changed: what is in etcd still says the old one."""
    (home,) = versions([kind("v1")])
    old = home.encoding.store({"metadata": {"name": "x"}})
    newer, _ = versions([kind("v1", kept=False), kind("v2")])
    raw = newer.encoding.wire(old, 7)
    assert orjson.loads(raw)["apiVersion"] == "stable.example.com/v1"
    assert orjson.loads(newer.encoding.again(raw, 7, 9))["metadata"]["resourceVersion"] == "9"
    assert orjson.loads(await newer.show(raw))["apiVersion"] == "stable.example.com/v2"


def _up(obj: Object) -> Object:
    return {**obj, "apiVersion": "stable.example.com/v2", "spec": {"n": int(obj["spec"]["text"])}}


def _down(obj: Object) -> Object:
    return {**obj, "apiVersion": "stable.example.com/v1", "spec": {"text": str(obj["spec"]["n"])}}


@pytest.mark.parametrize("count", [1, 3])
async def test_a_version_with_a_conversion(count: int) -> None:
    convert = between("stable.example.com/v2", _down, _up)
    home, v1 = versions([kind("v1", kept=False, convert=convert), kind("v2", convert=convert)])
    kept = [
        await v1.stored({"apiVersion": v1.kind.api_version, "metadata": {"name": f"n{i}"}, "spec": {"text": str(i)}})
        for i in range(count)
    ]
    assert [orjson.loads(each)["spec"] for each in kept] == [{"n": i} for i in range(count)]
    raws = [home.encoding.wire(each, 40 + i) for i, each in enumerate(kept)]
    shown = [orjson.loads(raw) for raw in await v1.shown(raws)]
    assert [each["spec"]["text"] for each in shown] == [str(i) for i in range(count)]
    assert [each["metadata"]["resourceVersion"] for each in shown] == [str(40 + i) for i in range(count)]
