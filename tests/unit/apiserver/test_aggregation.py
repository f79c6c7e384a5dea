"""APIServices: who answers for a group, which ones this server keeps, and how it tells on whose behalf it asks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from apiserver.aggregation import local
from apiserver.aggregation.availability import resource_list
from apiserver.aggregation.directory import Directory, Remote
from apiserver.aggregation.identity import ProxyIdentity, headers_for, merged
from apiserver.auth.user import User
from apiserver.endpoints.catalog import Catalog, Resource
from apiserver.endpoints.state import State
from apiserver.registry import KINDS
from apiserver.registry.apiservice import KIND
from apiserver.remote.passing import is_identity
from cluster.pki import Authority, Pair, Subject


def api_service(available: str = "True", **spec: Any) -> dict[str, Any]:
    service = {"namespace": "kube-system", "name": "metrics", "port": 443}
    return {
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "service": service, **spec},
        "status": {"conditions": [{"type": "Available", "status": available}]},
    }


def test_who_answers() -> None:
    remote = Remote.of(api_service())
    assert remote is not None
    assert (remote.host, remote.path) == ("metrics.kube-system.svc", "/apis/metrics.k8s.io/v1beta1")
    assert remote.available
    unavailable = Remote.of(api_service("False"))
    assert unavailable is not None
    assert not unavailable.available
    assert Remote.of(api_service(service=None)) is None


def test_the_directory_follows_the_cache() -> None:
    resource = Resource(KIND)
    directory = Directory(resource)
    assert directory.find("metrics.k8s.io", "v1beta1") is None
    before = directory.generation
    stored = resource.encoding.store(api_service())
    resource.cache.put("v1beta1.metrics.k8s.io", stored, 7)
    assert directory.find("metrics.k8s.io", "v1beta1") is not None
    assert directory.generation > before
    resource.cache.put("v1.apps", resource.encoding.store(local.service("apps", "v1", custom=False)), 8)
    after = directory.generation
    assert directory.find("apps", "v1") is None
    assert directory.generation == after
    resource.cache.remove("v1beta1.metrics.k8s.io", 9)
    assert not list(directory)


def test_every_served_version_has_an_apiservice_but_their_own() -> None:
    state = cast(State, SimpleNamespace(catalog=Catalog(KINDS)))
    wanted = local.wanted(state)
    assert {"v1.", "v1.apps", "v1.authentication.k8s.io", "v2.autoscaling"} <= wanted.keys()
    assert "v1.apiregistration.k8s.io" not in wanted
    assert wanted["v1."]["spec"]["groupPriorityMinimum"] == 18000
    assert wanted["v1.apps"]["metadata"]["labels"] == {local.LABEL: "onstart"}


def test_what_is_served_no_more_goes_and_what_users_made_stays() -> None:
    custom = local.service("example.com", "v1", custom=True)
    made = {"metadata": {"name": "v1.mine.com"}, "spec": {"group": "mine.com", "version": "v1"}}
    taken = {**api_service(), "metadata": {"name": "v1.taken.com", "labels": {local.LABEL: "true"}}}
    assert list(local.gone([custom, made, taken], {})) == ["v1.example.com"]
    assert not list(local.gone([custom], {"v1.example.com": custom}))


def test_headers_tell_who_asks() -> None:
    extra = {"authentication.kubernetes.io/pod-name": ("p",), "50%": ("x", "y")}
    assert headers_for(User("me", ("a", "b"), "17", extra)) == [
        ("X-Remote-User", "me"),
        ("X-Remote-Uid", "17"),
        ("X-Remote-Group", "a"),
        ("X-Remote-Group", "b"),
        ("X-Remote-Extra-authentication.kubernetes.io%2Fpod-name", "p"),
        ("X-Remote-Extra-50%25", "x"),
        ("X-Remote-Extra-50%25", "y"),
    ]


@pytest.mark.parametrize("name", ["authorization", "x-remote-user", "x-remote-extra-a", "impersonate-group"])
def test_what_a_client_says_of_itself_is_not_passed_on(name: str) -> None:
    assert is_identity(name)
    assert not is_identity("accept")


def test_other_servers_learn_how_to_know_us(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "front-proxy-ca")
    pair = Pair(tmp_path / "client.crt", tmp_path / "client.key")
    authority.issue(pair, Subject("front-proxy-client"))
    identity = ProxyIdentity(pair.certificate, pair.key, authority.pair.certificate, authority.pair.certificate)
    data = identity.config_map()["data"]
    assert data["requestheader-allowed-names"] == '["front-proxy-client"]'
    assert data["requestheader-client-ca-file"] == data["client-ca-file"] == authority.pair.certificate.read_text()
    assert data["requestheader-extra-headers-prefix"] == '["X-Remote-Extra-"]'
    assert ProxyIdentity().config_map()["data"] == {}


def test_api_servers_with_different_authorities_are_all_believed() -> None:
    def certificate(text: str) -> str:
        return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"

    there = {"client-ca-file": certificate("a"), "requestheader-allowed-names": '["one"]', "other": "kept"}
    ours = {"client-ca-file": certificate("b"), "requestheader-allowed-names": '["two"]'}
    both = merged(there, ours)
    assert both["client-ca-file"] == certificate("a") + certificate("b")
    assert (both["requestheader-allowed-names"], both["other"]) == ('["one", "two"]', "kept")
    assert merged(both, ours) == both
    assert merged({}, ours) == ours


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[]", b'{"resources": {}}', b'{"resources": [1]}', b'{"resources": [{"name": 1}]}']
)
def test_a_resource_list_that_is_none(body: bytes) -> None:
    assert resource_list(body) is None


def test_a_resource_list_keeps_what_is_known_of_it() -> None:
    entry = {"name": "nodes", "namespaced": False, "kind": "NodeMetrics", "verbs": ["get"]}
    body = orjson.dumps({"kind": "APIResourceList", "odd": 1, "resources": [{**entry, "odd": 2}, {"kind": "Nameless"}]})
    assert resource_list(body) == {"kind": "APIResourceList", "resources": [entry]}
