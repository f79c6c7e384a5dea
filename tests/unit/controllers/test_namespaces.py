"""Namespaces that go, and what every namespace has."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from api.types import core_v1
from client.resources import Resource
from controllers.discovery import Discovered, Served
from controllers.namespace import Content, conditions, is_leaving
from controllers.serviceaccount import is_needed
from tests.unit.controllers.make import NOW, meta


def namespace(*, deleting: bool = False, finalizers: list[str] | None = None) -> core_v1.Namespace:
    metadata = meta("team", namespace=None, deletionTimestamp=NOW if deleting else None)
    return core_v1.Namespace(metadata=metadata, spec=core_v1.NamespaceSpec(finalizers=finalizers))


def test_which_namespaces_are_emptied() -> None:
    assert is_leaving(namespace(deleting=True, finalizers=["kubernetes"]))
    assert not is_leaving(namespace(finalizers=["kubernetes"]))
    assert not is_leaving(namespace(deleting=True, finalizers=["example.com/other"]))


def test_conditions_say_what_is_left_and_why() -> None:
    content = Content(
        left=Counter({"pods.": 2, "deployments.apps": 1}),
        finalizers=Counter({"example.com/hold": 2}),
        discovery_failures=("/apis/metrics.k8s.io/v1beta1: unavailable",),
        failures=["unexpected error while deleting secrets: no"],
    )
    found = {each.type: (each.status, each.reason, each.message) for each in conditions(None, content, NOW)}
    assert found["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances",
    )
    assert found["NamespaceFinalizersRemaining"] == (
        "True",
        "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: example.com/hold in 2 resource instances",
    )
    assert found["NamespaceDeletionDiscoveryFailure"][:2] == ("True", "DiscoveryFailed")
    assert found["NamespaceDeletionContentFailure"][:2] == ("True", "ContentDeletionFailed")
    assert found["NamespaceDeletionGroupVersionParsingFailure"][:2] == ("False", "ParsedGroupVersions")


def test_conditions_keep_their_times() -> None:
    first = conditions(None, Content(left=Counter({"pods.": 2})), NOW)
    later = conditions(first, Content(), NOW + timedelta(minutes=1))
    changed = {each.type for before, each in zip(first, later, strict=True) if before != each}
    assert changed == {"NamespaceContentRemaining"}
    assert conditions(later, Content(), NOW + timedelta(minutes=2)) == later


def test_when_the_default_account_is_made() -> None:
    assert is_needed(namespace(), present=False)
    assert not is_needed(namespace(), present=True)
    assert not is_needed(namespace(deleting=True), present=False)
    assert not is_needed(None, present=False)


def test_any_served_version_of_an_owner_will_do() -> None:
    new, old = Resource("apps", "v1", "Deployment", "deployments"), Resource("", "v1", "Pod", "pods")
    known = Discovered(tuple(Served(each, frozenset()) for each in (new, old)))
    assert known.find("apps/v1", "Deployment") == new
    assert known.find("apps/v1beta1", "Deployment") == new
    assert known.find("v1", "Pod") == old
    assert known.find("extensions/v1", "Deployment") is None
    assert known.find("v1", "Deployment") is None
