"""Which requests a rule, a selector and a match policy choose."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.errors import NotFound
from apiserver.admission.attributes import Attributes, Operation
from apiserver.admission.matching import Matching, Rule, exempt, namespace_of
from apiserver.auth.user import User
from apiserver.endpoints.catalog import Catalog, Resource
from apiserver.endpoints.state import State
from apiserver.registry import KINDS
from apiserver.registry.kind import Object

CATALOG = Catalog(KINDS)
EVERYTHING = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}


def resource(plural: str, group: str = "", version: str = "v1") -> Resource:
    found = CATALOG.find(group, version, plural)
    assert found is not None
    return found


def attributes(
    plural: str = "pods",
    group: str = "",
    version: str = "v1",
    operation: Operation = "create",
    subresource: str = "",
    namespace: str = "default",
    name: str = "one",
) -> Attributes:
    return Attributes(operation, resource(plural, group, version), namespace, name, User("me"), subresource)


def matches(rule: dict[str, Any], about: Attributes) -> bool:
    return Rule.of({**EVERYTHING, **rule}).matches(about, about.resource)


def state(**namespaces: dict[str, str]) -> State:
    """A state whose namespaces have these labels."""
    entries = {name: SimpleNamespace(labels=labels) for name, labels in namespaces.items()}

    async def fresh() -> None:
        return None

    found = SimpleNamespace(cache=SimpleNamespace(entries=entries))
    feed = SimpleNamespace(fresh=fresh)
    return cast(State, SimpleNamespace(catalog=CATALOG, resource=lambda plural: found, feed=feed))


@pytest.mark.parametrize(
    ("rule", "plural", "subresource", "wanted"),
    [
        (["pods"], "pods", "", True),
        (["pods"], "pods", "status", False),
        (["pods/status"], "pods", "status", True),
        (["pods/status"], "pods", "", False),
        (["pods/*"], "pods", "exec", True),
        (["*"], "secrets", "", True),
        (["*"], "pods", "exec", False),
        (["*/exec"], "pods", "exec", True),
        (["*/*"], "pods", "exec", True),
        (["services"], "pods", "", False),
    ],
)
def test_resources_and_subresources(rule: list[str], plural: str, subresource: str, wanted: bool) -> None:
    assert matches({"resources": rule}, attributes(plural, subresource=subresource)) is wanted


def test_operations_groups_and_versions() -> None:
    deployments = attributes("deployments", "apps")
    assert matches({"operations": ["UPDATE", "CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"]}, deployments)
    assert not matches({"operations": ["DELETE"]}, deployments)
    assert not matches({"apiGroups": [""]}, deployments)
    assert not matches({"apiVersions": ["v1beta1"]}, deployments)
    assert matches({"operations": ["CONNECT"]}, attributes(operation="connect", subresource="exec"))


def test_scopes_count_a_namespace_as_of_the_cluster() -> None:
    for plural, namespaced in (("pods", True), ("nodes", False), ("namespaces", False)):
        assert matches({"scope": "Namespaced"}, attributes(plural)) is namespaced
        assert matches({"scope": "Cluster"}, attributes(plural)) is not namespaced
        assert matches({"scope": "*"}, attributes(plural))


def test_names_of_objects() -> None:
    assert matches({"resourceNames": ["one"]}, attributes())
    assert not matches({"resourceNames": ["two"]}, attributes())


async def test_another_version_of_the_same_resource() -> None:
    rule = {**EVERYTHING, "apiGroups": ["autoscaling"], "apiVersions": ["v2"], "resources": ["*"]}
    about = attributes("horizontalpodautoscalers", "autoscaling", "v1")
    found = await Matching.of({"rules": [rule]}).match(state(), about, {}, None)
    assert found is resource("horizontalpodautoscalers", "autoscaling", "v2")
    assert await Matching.of({"rules": [rule], "matchPolicy": "Exact"}).match(state(), about, {}, None) is None
    events = {**EVERYTHING, "apiGroups": ["events.k8s.io"], "resources": ["events"]}
    assert await Matching.of({"rules": [events]}).match(state(), attributes("events"), {}, None) is not None


async def test_namespaces_are_chosen_by_labels() -> None:
    matching = Matching.of({"rules": [EVERYTHING], "namespaceSelector": {"matchLabels": {"env": "prod"}}})
    known = state(default={"env": "prod"}, other={})
    assert await matching.match(known, attributes(), {}, None) is not None
    assert await matching.match(known, attributes(namespace="other"), {}, None) is None
    assert await matching.match(known, attributes("nodes", namespace=""), {}, None) is not None
    with pytest.raises(NotFound):
        await matching.match(known, attributes(namespace="missing"), {}, None)


async def test_a_namespace_matches_its_own_labels_as_they_will_be() -> None:
    matching = Matching.of({"rules": [EVERYTHING], "namespaceSelector": {"matchLabels": {"env": "prod"}}})
    about = attributes("namespaces", namespace="", name="new")
    assert namespace_of(about) == "new"
    assert await matching.match(state(), about, {"metadata": {"labels": {"env": "prod"}}}, None) is not None
    assert await matching.match(state(), about, {"metadata": {}}, None) is None
    deleted = attributes("namespaces", operation="delete", namespace="", name="old")
    assert await matching.match(state(old={"env": "prod"}), deleted, None, {}) is not None


async def test_objects_are_chosen_by_labels_new_or_old() -> None:
    matching = Matching.of({"rules": [EVERYTHING], "objectSelector": {"matchLabels": {"a": "b"}}})
    chosen: Object = {"metadata": {"labels": {"a": "b"}}}
    plain: Object = {"metadata": {}}
    for obj, old, wanted in ((chosen, None, True), (plain, chosen, True), (plain, plain, False), (None, chosen, True)):
        assert (await matching.match(state(), attributes(), obj, old) is not None) is wanted


async def test_exclusions_and_bindings_without_rules() -> None:
    spec = {"resourceRules": [EVERYTHING], "excludeResourceRules": [{**EVERYTHING, "resources": ["secrets"]}]}
    assert await Matching.of(spec).match(state(), attributes("secrets"), {}, None) is None
    assert await Matching.of(spec).match(state(), attributes("pods"), {}, None) is not None
    assert await Matching.of({}).match(state(), attributes(), {}, None) is None
    assert await Matching.of({}, any_resource=True).match(state(), attributes(), {}, None) is not None


def test_what_admission_is_configured_with_is_exempt() -> None:
    assert exempt(resource("mutatingwebhookconfigurations", "admissionregistration.k8s.io"))
    assert not exempt(resource("pods"))
