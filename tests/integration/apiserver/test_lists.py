"""Lists: selectors, pages, and what resourceVersion means."""

from __future__ import annotations

import pytest

from apiserver.storage.etcd import Etcd
from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import CORE, TABLE, Api, config_map, pod


async def fill(api: Api, count: int = 7) -> None:
    for index in range(count):
        given = config_map(f"c{index}", data={"n": str(index)})
        given["metadata"]["labels"] = {"half": "first" if index < count // 2 else "second"}
        assert (await api.create("configmaps", given)).code == 201


async def test_a_list_has_its_own_version(api: Api) -> None:
    await fill(api, 3)
    listed = await api.get(api.path("configmaps"))
    assert (listed.body["kind"], listed.body["apiVersion"]) == ("ConfigMapList", "v1")
    assert listed.names == ["c0", "c1", "c2"]
    assert int(listed.version) >= max(int(item["metadata"]["resourceVersion"]) for item in listed.body["items"])
    everywhere = await api.get(f"{CORE}/configmaps")
    assert {"c0", "c1", "c2"} <= set(everywhere.names)


async def test_namespaces_that_share_a_beginning_are_kept_apart(api: Api) -> None:
    await fill(api, 1)
    first = api.namespace
    for suffix in ("-b", "0"):
        api.namespace = first + suffix
        await api.send("POST", f"{CORE}/namespaces", {"metadata": {"name": api.namespace}})
        await api.create("configmaps", config_map(f"other{suffix}"))
    api.namespace = first
    assert (await api.get(api.path("configmaps"))).names == ["c0"]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("labelSelector=half%3Dfirst", ["c0", "c1", "c2"]),
        ("labelSelector=half%20in%20(second)", ["c3", "c4", "c5", "c6"]),
        ("labelSelector=!half", []),
        ("labelSelector=half", ["c0", "c1", "c2", "c3", "c4", "c5", "c6"]),
        ("fieldSelector=metadata.name%3Dc4", ["c4"]),
        ("fieldSelector=metadata.name!%3Dc4&labelSelector=half%3Dsecond", ["c3", "c5", "c6"]),
        ("fieldSelector=metadata.namespace%3Dnone", []),
    ],
)
async def test_selectors(api: Api, selector: str, names: list[str]) -> None:
    await fill(api)
    assert (await api.get(f"{api.path('configmaps')}?{selector}")).names == names


async def test_pods_by_node(api: Api) -> None:
    for name, node in (("a", "n1"), ("b", "n2"), ("c", "")):
        await api.create("pods", pod(name, **({"nodeName": node} if node else {})))
    for node, names in (("n1", ["a"]), ("", ["c"])):
        listed = await api.get(f"{api.path('pods')}?fieldSelector=spec.nodeName%3D{node}")
        assert listed.names == names
    phases = await api.get(f"{api.path('pods')}?fieldSelector=status.phase!%3DRunning")
    assert phases.names == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("labelSelector=a%20b", "unable to parse requirement"),
        ("labelSelector=a%20in%20b", "unable to parse requirement"),
        ("fieldSelector=spec.colour%3Dred", '"spec.colour" is not a known field selector: only "metadata.name", '),
        ("fieldSelector=nonsense", "invalid selector"),
    ],
)
async def test_selectors_that_make_no_sense(api: Api, selector: str, words: str) -> None:
    answer = await api.get(f"{api.path('configmaps')}?{selector}")
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert words in answer.message


async def test_pages_show_one_moment(api: Api) -> None:
    await fill(api)
    path = api.path("configmaps")
    first = await api.get(f"{path}?limit=3")
    assert first.names == ["c0", "c1", "c2"]
    assert first.body["metadata"]["remainingItemCount"] == 4
    await api.delete(api.path("configmaps", "c4"))
    await api.create("configmaps", config_map("c33"))
    await api.patch(api.path("configmaps", "c3"), {"data": {"n": "changed"}})
    second = await api.get(f"{path}?limit=3&continue={first.body['metadata']['continue']}")
    assert second.names == ["c3", "c4", "c5"]
    assert second.body["items"][0]["data"] == {"n": "3"}
    assert second.version == first.version
    last = await api.get(f"{path}?limit=3&continue={second.body['metadata']['continue']}")
    assert last.names == ["c6"]
    assert "continue" not in last.body["metadata"]


async def test_pages_with_a_selector(api: Api) -> None:
    await fill(api)
    path = f"{api.path('configmaps')}?labelSelector=half%3Dsecond&limit=2"
    first = await api.get(path)
    assert (first.names, "remainingItemCount" in first.body["metadata"]) == (["c3", "c4"], False)
    await api.create("configmaps", config_map("c9"))
    rest = await api.get(f"{path}&continue={first.body['metadata']['continue']}")
    assert (rest.names, "continue" in rest.body["metadata"]) == (["c5", "c6"], False)


async def test_a_page_whose_moment_is_forgotten(api: Api, plane: ControlPlane) -> None:
    await fill(api)
    path = api.path("configmaps")
    first = await api.get(f"{path}?limit=3")
    changed = await api.patch(api.path("configmaps", "c6"), {"data": {"n": "new"}})
    etcd = Etcd([plane.etcd_url])
    await etcd.compact(int(changed.version))
    await etcd.close()
    gone = await api.get(f"{path}?limit=3&continue={first.body['metadata']['continue']}")
    assert (gone.code, gone.reason) == (410, "Expired")
    assert gone.message.startswith("The provided continue parameter is too old to display a consistent list result.")
    rest = await api.get(f"{path}?continue={gone.body['metadata']['continue']}")
    assert rest.names == ["c3", "c4", "c5", "c6"]
    assert rest.body["items"][-1]["data"] == {"n": "new"}
    exact = await api.get(f"{path}?resourceVersion={first.version}&resourceVersionMatch=Exact")
    assert (exact.code, exact.reason) == (410, "Expired")


@pytest.mark.parametrize("token", ["%21%21", "e30", "eyJydiI6IngiLCJhZnRlciI6MX0"])
async def test_a_continue_token_from_elsewhere(api: Api, token: str) -> None:
    answer = await api.get(f"{api.path('configmaps')}?continue={token}")
    assert (answer.code, answer.reason) == (400, "BadRequest")


async def test_which_version_is_wanted(api: Api) -> None:
    await fill(api, 2)
    path = api.path("configmaps")
    before = (await api.get(path)).version
    await api.create("configmaps", config_map("later"))
    assert (await api.get(f"{path}?resourceVersion=0")).code == 200
    newer = await api.get(f"{path}?resourceVersion={before}&resourceVersionMatch=NotOlderThan")
    assert "later" in newer.names
    exact = await api.get(f"{path}?resourceVersion={before}&resourceVersionMatch=Exact")
    assert (exact.names, exact.version) == (["c0", "c1"], before)


async def test_a_version_that_is_not_there_yet(api: Api) -> None:
    future = await api.get(f"{api.path('configmaps')}?resourceVersion=99999999")
    assert (future.code, future.reason) == (504, "Timeout")
    assert future.message.startswith("Timeout: Too large resource version: 99999999, current: ")
    assert future.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert future.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("resourceVersion=abc", 400),
        ("resourceVersion=-1", 400),
        ("resourceVersionMatch=Exact", 422),
        ("resourceVersion=5&resourceVersionMatch=Nearly", 422),
        ("resourceVersion=0&resourceVersionMatch=Exact", 422),
        ("limit=-1", 422),
        ("limit=some", 400),
    ],
)
async def test_versions_that_make_no_sense(api: Api, query: str, code: int) -> None:
    answer = await api.get(f"{api.path('configmaps')}?{query}")
    assert answer.code == code, answer.message


async def test_a_table(api: Api) -> None:
    await api.create("pods", pod())
    table = (await api.get(api.path("pods"), Accept=TABLE)).body
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    columns = [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0]
    assert columns == ["Name", "Ready", "Status", "Restarts", "Age"]
    (row,) = table["rows"]
    assert row["cells"][:3] == ["one", "0/1", "Pending"]
    assert (row["object"]["kind"], row["object"]["metadata"]["name"]) == ("PartialObjectMetadata", "one")
    whole = (await api.get(api.path("pods") + "?includeObject=Object", Accept=TABLE)).body
    assert whole["rows"][0]["object"]["spec"]["containers"]
    single = (await api.get(api.path("pods", "one"), Accept=TABLE)).body
    assert len(single["rows"]) == 1


async def test_only_metadata(api: Api) -> None:
    await api.create("pods", pod())
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    listed = (await api.get(api.path("pods"), Accept=accept)).body
    assert listed["kind"] == "PartialObjectMetadataList"
    assert set(listed["items"][0]) == {"kind", "apiVersion", "metadata"}
