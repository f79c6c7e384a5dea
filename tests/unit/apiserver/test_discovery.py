"""Discovery follows from the registry."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api import protobuf
from api.codec import PROTOBUF
from api.errors import NoSuchResource, NotAcceptable
from apiserver.endpoints.discovery import Discovery
from apiserver.endpoints.discovery_documents import Elsewhere
from apiserver.registry import KINDS
from tests.unit.apiserver.test_http import Wire

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


OURS = Discovery(KINDS, "10.0.0.1:6443")


async def asked(path: str, accept: str, discovery: Discovery = OURS, **headers: str) -> Wire:
    wire = Wire()
    request = wire.request(headers={"accept": accept, **headers})
    request.path = path
    await discovery.answer(request)
    return wire


async def ask(path: str, accept: str = "application/json", discovery: Discovery = OURS) -> dict[str, Any]:
    wire = await asked(path, accept, discovery)
    assert wire.sent[0]["status"] == 200
    body: dict[str, Any] = orjson.loads(wire.sent[1]["body"])
    return body


async def test_the_old_way() -> None:
    assert (await ask("/api"))["versions"] == ["v1"]
    groups = {group["name"]: group for group in (await ask("/apis"))["groups"]}
    assert groups["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert (await ask("/apis/apps"))["name"] == "apps"
    core = {resource["name"]: resource for resource in (await ask("/api/v1"))["resources"]}
    assert core["pods"]["shortNames"] == ["po"]
    assert core["namespaces"]["namespaced"] is False
    assert core["pods/binding"]["verbs"] == ["create"]
    assert (core["pods/eviction"]["group"], core["pods/eviction"]["kind"]) == ("policy", "Eviction")
    apps = {resource["name"]: resource for resource in (await ask("/apis/apps/v1"))["resources"]}
    assert (apps["deployments/scale"]["group"], apps["deployments/scale"]["kind"]) == ("autoscaling", "Scale")
    assert "deployments/status" in apps


async def test_all_at_once() -> None:
    core, named = await ask("/api", AGGREGATED), await ask("/apis/", AGGREGATED)
    assert (core["kind"], core["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    (version,) = core["items"][0]["versions"]
    pods = next(each for each in version["resources"] if each["resource"] == "pods")
    assert pods["scope"] == "Namespaced"
    assert {"status", "log", "binding", "eviction"} <= {each["subresource"] for each in pods["subresources"]}
    assert {group["metadata"]["name"] for group in named["items"]} >= {"apps", "coordination.k8s.io"}
    assert pods["subresources"] == sorted(pods["subresources"], key=lambda each: str(each["subresource"]))


@pytest.mark.parametrize("path", ["/api/v2", "/apis/none", "/apis/apps/v2", "/apis/none/v1"])
async def test_what_is_not_there(path: str) -> None:
    with pytest.raises(NoSuchResource):
        await ask(path)


async def test_an_older_name_of_the_new_way() -> None:
    answer = await ask("/apis", AGGREGATED.replace("v2", "v2beta1"))
    assert (answer["kind"], answer["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2beta1")


async def test_one_who_asks_for_an_unknown_form_gets_the_old_one() -> None:
    assert (await ask("/apis", AGGREGATED.replace("v2", "v7")))["kind"] == "APIGroupList"
    assert (await ask("/apis/apps", AGGREGATED))["kind"] == "APIGroup"
    with pytest.raises(NotAcceptable):
        await ask("/apis", "text/plain")


async def test_groups_and_versions_come_in_the_order_of_their_priority() -> None:
    groups = (await ask("/apis"))["groups"]
    names = [group["name"] for group in groups]
    assert names[:3] == ["apiregistration.k8s.io", "apps", "events.k8s.io"]
    assert names.index("admissionregistration.k8s.io") + 1 == names.index("apiextensions.k8s.io")
    scaling = next(group for group in groups if group["name"] == "autoscaling")
    assert [version["version"] for version in scaling["versions"]] == ["v2", "v1"]
    assert scaling["preferredVersion"]["version"] == "v2"
    aggregated = await ask("/apis", AGGREGATED)
    assert [group["metadata"]["name"] for group in aggregated["items"]] == names


async def test_in_protobuf() -> None:
    for path, kind in (("/api", "APIVersions"), ("/apis", "APIGroupList"), ("/apis/apps/v1", "APIResourceList")):
        wire = await asked(path, PROTOBUF)
        assert dict(wire.sent[0]["headers"])[b"content-type"] == PROTOBUF.encode()
        assert protobuf.decode(wire.sent[1]["body"])["kind"] == kind
    wire = await asked("/apis", AGGREGATED.replace("application/json", PROTOBUF))
    assert b"v=v2;as=APIGroupDiscoveryList" in dict(wire.sent[0]["headers"])[b"content-type"]
    apps = protobuf.decode(wire.sent[1]["body"])["items"][1]
    assert apps["versions"][0]["resources"] == (await ask("/apis", AGGREGATED))["items"][1]["versions"][0]["resources"]


async def test_one_who_has_it_already_is_told_so() -> None:
    tag = dict((await asked("/apis", AGGREGATED)).sent[0]["headers"])[b"etag"]
    again = await asked("/apis", AGGREGATED, **{"if-none-match": tag.decode()})
    assert (again.sent[0]["status"], again.sent[1]["body"]) == (304, b"")
    assert not {b"content-type", b"content-length"} & dict(again.sent[0]["headers"]).keys(), (
        "they would replace the cached ones"
    )


async def test_stored_versions_are_named_by_their_hash() -> None:
    core = {resource["name"]: resource for resource in (await ask("/api/v1"))["resources"]}
    assert core["pods"]["storageVersionHash"] == "xPOwRZ+Yhw8="
    scalers = {version: (await ask(f"/apis/autoscaling/{version}"))["resources"][0] for version in ("v1", "v2")}
    assert scalers["v1"]["storageVersionHash"] == scalers["v2"]["storageVersionHash"]


async def test_other_servers_groups_stand_beside_ours() -> None:
    resources = [
        {"name": "widgets", "singularName": "widget", "namespaced": True, "kind": "Widget", "verbs": ["get"]},
        {"name": "widgets/status", "singularName": "", "namespaced": True, "kind": "Widget", "verbs": ["update"]},
    ]
    known = Elsewhere("shop.example.org", "v1", 2000, 10, {"resources": resources})
    silent = Elsewhere("other.example.org", "v1", 17900, 10, None)
    discovery = Discovery(KINDS, elsewhere=(known, silent))
    names = [group["name"] for group in (await ask("/apis", discovery=discovery))["groups"]]
    assert (names[1], names[-2:]) == ("other.example.org", ["shop.example.org", "metrics.k8s.io"])
    assert (await ask("/apis/shop.example.org/v1", discovery=discovery))["resources"] == resources
    aggregated = (await ask("/apis", AGGREGATED, discovery=discovery))["items"]
    assert aggregated[1]["versions"] == [{"version": "v1", "resources": [], "freshness": "Stale"}]
    (widgets,) = aggregated[-2]["versions"][0]["resources"]
    assert (widgets["resource"], widgets["scope"]) == ("widgets", "Namespaced")
    assert widgets["subresources"][0]["verbs"] == ["update"]


async def test_another_server_for_a_group_of_ours_takes_its_place() -> None:
    resources = [{"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get"]}]
    real = Elsewhere("metrics.k8s.io", "v1beta1", 100, 100, {"resources": resources})
    found = await ask("/apis/metrics.k8s.io/v1beta1", discovery=Discovery(KINDS, elsewhere=(real,)))
    assert found["resources"] == resources
    own = (await ask("/apis/metrics.k8s.io/v1beta1"))["resources"]
    assert [(each["name"], each["verbs"]) for each in own] == [("nodes", ["get", "list"]), ("pods", ["get", "list"])]
    assert not any("storageVersionHash" in each for each in own)
