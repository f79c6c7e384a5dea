"""The media types in which the API answers: protobuf, YAML, JSON to read, gzip; and what clients may keep."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from api import protobuf
from api.codec import PROTOBUF
from tests.integration.apiserver.api import CORE, Answer, Api, config_map, deployment, headers_of, pod

GO = f"{PROTOBUF},application/json"
METADATA = "as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class Raw:
    """An answer as it is on the wire."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def object(self) -> Any:
        assert self.headers["content-type"] == PROTOBUF, self.headers
        return protobuf.decode(self.body)


async def raw(api: Api, path: str, accept: str = GO, method: str = "GET", body: bytes = b"", **more: str) -> Raw:
    headers = {"accept": accept, **{name.replace("_", "-"): value for name, value in more.items()}}
    data = body or None
    async with api.session.request(
        method, api.server + path, headers=headers, data=data, allow_redirects=False, auto_decompress=False
    ) as answer:
        return Raw(answer.status, headers_of(answer), await answer.read())


def told(answer: Answer) -> Any:
    """A JSON object as it is told in protobuf: nothing empty, no types inside of lists."""
    return protobuf.decode(protobuf.encode(answer.body))


async def test_objects_and_lists_in_protobuf(api: Api) -> None:
    await api.create("pods", pod("one"))
    await api.create("pods", pod("two"))
    plain = await api.get(api.path("pods", "one"))
    for _ in range(2):  # the second time from what the cache has kept
        found = await raw(api, api.path("pods", "one"))
        assert (found.code, found.object) == (200, told(plain))
        listed = await raw(api, api.path("pods"))
        assert listed.object["kind"] == "PodList"
        assert [item["metadata"]["name"] for item in listed.object["items"]] == ["one", "two"]
        same = await api.get(api.path("pods"))
        assert listed.object["items"] == told(same)["items"]
    page = await raw(api, api.path("pods") + "?limit=1")
    assert page.object["metadata"]["remainingItemCount"] == 1
    assert page.object["metadata"]["continue"]
    await api.patch(api.path("pods", "one"), {"metadata": {"labels": {"new": "label"}}})
    assert (await raw(api, api.path("pods", "one"))).object["metadata"]["labels"] == {"new": "label"}


async def test_writes_answer_in_protobuf(api: Api) -> None:
    path = api.path("configmaps")
    sent = protobuf.encode(config_map("one", data={"a": "b"}))
    made = await raw(api, path, method="POST", body=sent, content_type=PROTOBUF)
    assert (made.code, made.object["data"]) == (201, {"a": "b"})
    again = await raw(api, path, method="POST", body=sent, content_type=PROTOBUF)
    assert (again.code, again.object["kind"], again.object["reason"]) == (409, "Status", "AlreadyExists")
    assert again.object["details"]["name"] == "one"
    gone = await raw(api, f"{path}/one", method="DELETE")
    assert (gone.object["kind"], gone.object["status"]) == ("Status", "Success")
    missing = await raw(api, f"{path}/one")
    assert (missing.code, missing.object["reason"], missing.object["code"]) == (404, "NotFound", 404)


async def test_subresources_and_reviews_in_protobuf(api: Api) -> None:
    await api.create("deployments", deployment("web", 3), group="apps")
    scale = await raw(api, api.path("deployments", "web", "scale", "apps"))
    assert (scale.object["kind"], scale.object["spec"]["replicas"]) == ("Scale", 3)
    review = protobuf.encode({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = await raw(api, path, method="POST", body=review, content_type=PROTOBUF)
    assert "system:masters" in answer.object["status"]["userInfo"]["groups"]


async def test_only_metadata(api: Api) -> None:
    await api.create("configmaps", config_map("one", data={"a": "b"}))
    one = await raw(api, api.path("configmaps", "one"), f"{PROTOBUF};{METADATA},application/json")
    assert (one.object["kind"], one.object["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert "data" not in one.object
    many = await raw(api, api.path("configmaps"), f"{PROTOBUF};{METADATA.replace('Metadata;', 'MetadataList;')}")
    assert many.object["kind"] == "PartialObjectMetadataList"
    assert many.object["items"][0]["metadata"] == one.object["metadata"]
    for path, accept in (
        (api.path("configmaps"), f"application/json;{METADATA}"),
        (api.path("configmaps", "one"), f"application/json;{METADATA.replace('Metadata;', 'MetadataList;')}"),
    ):
        refused = await api.get(path, Accept=accept)
        assert (refused.code, refused.reason) == (406, "NotAcceptable")
        assert "you requested PartialObjectMetadata" in refused.message


async def frames(api: Api, path: str, count: int, accept: str = GO) -> list[tuple[str, Any]]:
    async with api.session.get(api.server + path, headers={"accept": accept}) as answer:
        assert answer.headers["content-type"] == f"{PROTOBUF};stream=watch"
        found = []
        async with asyncio.timeout(10):
            for _ in range(count):
                size = int.from_bytes(await answer.content.readexactly(4))
                found.append(event(await answer.content.readexactly(size)))
        assert answer.connection is not None
        assert answer.connection.transport is not None
        answer.connection.transport.abort()
        return found


def event(frame: bytes) -> tuple[str, Any]:
    fields = dict(protobuf_fields(frame))
    (body,) = (value for number, value in protobuf_fields(fields[2]) if number == 1)
    return fields[1].decode(), protobuf.decode(body)


def protobuf_fields(data: bytes) -> list[tuple[int, bytes]]:
    """Fields of a message that has only length-delimited ones."""
    found, at = [], 0
    while at < len(data):
        number, size, shift = data[at] >> 3, 0, 0
        at += 1
        while True:
            size |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                break
        found.append((number, data[at : at + size]))
        at += size
    return found


async def test_watches_in_protobuf(api: Api) -> None:
    path = api.path("configmaps")
    made = await api.create("configmaps", config_map("one", data={"a": "b"}))
    initial = "&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    (first, mark) = await frames(api, f"{path}?watch=1{initial}", 2)
    assert first == ("ADDED", told(made))
    assert (mark[0], mark[1]["kind"]) == ("BOOKMARK", "ConfigMap")
    assert mark[1]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    await api.patch(f"{path}/one", {"data": {"a": "c"}})
    await api.delete(f"{path}/one")
    changes = await frames(api, f"{path}?watch=1&resourceVersion={made.version}", 2)
    assert [(type_, obj["data"]["a"]) for type_, obj in changes] == [("MODIFIED", "c"), ("DELETED", "c")]
    only = await frames(api, f"{path}?watch=1&resourceVersion={made.version}", 1, f"{PROTOBUF};{METADATA}")
    assert only[0][1]["kind"] == "PartialObjectMetadata"


def is_established(obj: Any) -> bool:
    conditions = obj.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


async def test_custom_kinds_answer_json_to_those_who_like_protobuf_better(api: Api) -> None:
    group = f"{api.namespace}.example.org"
    names = {"plural": "crumbs", "singular": "crumb", "kind": "Crumb", "listKind": "CrumbList"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    await api.send("POST", CRDS, {"metadata": {"name": f"crumbs.{group}"}, "spec": spec})
    path = api.path("crumbs", group=group)
    async with api.watch(f"{CRDS}?fieldSelector=metadata.name=crumbs.{group}") as events:
        while not is_established((await events.next())["object"]):
            pass
    crumb = {"apiVersion": f"{group}/v1", "kind": "Crumb", "metadata": {"name": "one"}}
    made = await api.create("crumbs", crumb, group=group)
    assert made.code == 201, made.message
    both = await raw(api, path)
    assert (both.code, both.headers["content-type"]) == (200, "application/json")
    refused = await raw(api, path, PROTOBUF)
    assert (refused.code, refused.object["reason"]) == (406, "NotAcceptable")
    assert "application/json, application/yaml" in refused.object["message"]
    metadata = await raw(api, f"{path}/one", f"{PROTOBUF};{METADATA}")
    assert metadata.object["metadata"]["name"] == "one"
    document = (await api.get(f"/openapi/v3/apis/{group}/v1")).body
    assert f"/apis/{group}/v1/namespaces/{{namespace}}/crumbs" in document["paths"]
    await api.delete(f"{CRDS}/crumbs.{group}")


async def test_yaml_and_json_to_read(api: Api) -> None:
    await api.create("configmaps", config_map("one"))
    listed = await raw(api, api.path("configmaps"), "application/yaml")
    assert yaml.safe_load(listed.body)["items"][0]["metadata"]["name"] == "one"
    refused = await raw(api, api.path("configmaps", "two"), "application/yaml")
    assert yaml.safe_load(refused.body)["reason"] == "NotFound"
    for path, accept in (
        (api.path("configmaps", "one") + "?pretty=true", "application/json"),
        (api.path("configmaps", "one"), "application/json;pretty=1"),
        (api.path("configmaps"), "text/html,application/xhtml+xml,*/*;q=0.8"),
    ):
        assert b'\n  "kind": "ConfigMap' in (await raw(api, path, accept)).body
    stream = await raw(api, api.path("configmaps") + "?watch=1", "application/yaml")
    assert (stream.code, yaml.safe_load(stream.body)["reason"]) == (406, "NotAcceptable")
    unread = await api.send("POST", api.path("configmaps"), b"\xd9\xd9\xf7\xa0", "application/cbor")
    assert (unread.code, unread.reason) == (415, "UnsupportedMediaType")
    unwritten = await api.get(api.path("configmaps"), Accept="application/cbor")
    assert unwritten.code == 406


async def test_large_answers_are_compressed_for_those_who_ask(api: Api) -> None:
    for number in range(3):
        await api.create("configmaps", config_map(f"c{number}", data={"text": "word " * 12_000}))
    path = api.path("configmaps")
    small = await raw(api, f"{path}/c0", "application/json", accept_encoding="gzip")
    assert "content-encoding" not in small.headers
    plain = await raw(api, path, "application/json", accept_encoding="identity")
    for accept in ("application/json", GO):
        plain = await raw(api, path, accept, accept_encoding="identity")
        assert "content-encoding" not in plain.headers
        packed = await raw(api, path, accept, accept_encoding="deflate, gzip;q=0.5")
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == "Accept-Encoding"
        assert len(packed.body) < len(plain.body) / 20
        assert gzip.decompress(packed.body) == plain.body
    stream = await raw(api, f"{path}?watch=1&timeoutSeconds=1", "application/json", accept_encoding="gzip")
    assert "content-encoding" not in stream.headers
    assert len(stream.body) > 180_000


async def test_openapi_documents_may_be_kept(api: Api) -> None:
    index = await api.get("/openapi/v3")
    url = index.body["paths"]["apis/apps/v1"]["serverRelativeURL"]
    kept = await raw(api, url, "application/json", accept_encoding="identity")
    assert kept.headers["cache-control"] == "public, immutable"
    assert kept.headers["expires"].endswith("GMT")
    tag = kept.headers["etag"]
    assert url.endswith("?hash=" + tag.strip('"'))
    assert "/apis/apps/v1/deployments" in json.loads(kept.body)["paths"]
    packed = await raw(api, url, "*/*", accept_encoding="gzip")
    assert gzip.decompress(packed.body) == kept.body
    assert (await raw(api, url, "*/*", if_none_match=tag)).code == 304
    stale = await raw(api, "/openapi/v3/apis/apps/v1?hash=ABC", "*/*")
    assert (stale.code, stale.headers["location"]) == (301, url)
    fresh = await raw(api, "/openapi/v3/apis/apps/v1", "*/*", accept_encoding="identity")
    assert fresh.headers["cache-control"] == "no-cache, private"
    old = await raw(api, "/openapi/v2", "*/*", accept_encoding="identity")
    assert json.loads(old.body)["swagger"] == "2.0"
    assert (await raw(api, "/openapi/v2", "*/*", if_none_match=old.headers["etag"])).code == 304
    asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    assert (await raw(api, "/openapi/v2", asked)).headers["content-type"] == asked.replace("@", ".")
    assert (await raw(api, "/openapi/v3/apis/nowhere/v1", "*/*")).code == 404


async def test_tokens_can_be_checked_by_the_published_key(api: Api) -> None:
    await api.create("serviceaccounts", {"metadata": {"name": "robot"}})
    async with asyncio.timeout(10):
        asked = await api.send("POST", api.path("serviceaccounts", "robot", "token"), {"spec": {}})
    head, claims, signature = asked.body["status"]["token"].split(".")
    about = (await api.get("/.well-known/openid-configuration")).body
    assert about["issuer"] == json.loads(decoded(claims))["iss"]
    (key,) = (await api.get(about["jwks_uri"].removeprefix(api.server))).body["keys"]
    assert json.loads(decoded(head))["kid"] == key["kid"]
    assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")
    x, y = (int.from_bytes(decoded(key[name])) for name in ("x", "y"))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    numbers = decoded(signature)
    der = encode_dss_signature(int.from_bytes(numbers[:32]), int.from_bytes(numbers[32:]))
    public.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def test_the_root_names_its_paths(api: Api) -> None:
    paths = (await api.get("/")).body["paths"]
    assert {"/api", "/api/v1", "/apis/apps/v1", "/healthz", "/openapi/v3", "/version", "/openid/v1/jwks"} <= set(paths)
    assert paths == sorted(paths)


@pytest.mark.parametrize("path", ["/api", "/apis", "/apis/apps", f"{CORE}", "/apis/apps/v1"])
async def test_discovery_in_protobuf(api: Api, path: str) -> None:
    found = await raw(api, path)
    plain = (await api.get(path)).body
    assert found.object == protobuf.decode(protobuf.encode({"apiVersion": "v1", **plain}))
