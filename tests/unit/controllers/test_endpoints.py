"""Backends of Services, as slices and in the older form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from api.types import core_v1, discovery_v1
from controllers import objects
from controllers.endpoints import legacy, mirror, slices
from controllers.endpoints.backends import backends, facts, families, is_selecting
from controllers.endpoints.plan import MOST_ENDPOINTS, Changes
from tests.unit.controllers.make import NOW, meta, pod

Slice = discovery_v1.EndpointSlice


def service(
    ports: list[tuple[str, int, Any]] | None = None, labels: dict[str, str] | None = None, **spec: Any
) -> core_v1.Service:
    listed = [
        core_v1.ServicePort(name=name or None, port=port, targetPort=target, protocol="TCP")
        for name, port, target in ([("http", 80, 8080)] if ports is None else ports)
    ]
    return core_v1.Service(
        metadata=meta("web", labels=labels),
        spec=core_v1.ServiceSpec(**{"selector": {"app": "web"}, "ports": listed or None, **spec}),
    )


def numbered(count: int, start: int = 1, **fields: Any) -> list[core_v1.Pod]:
    return [pod(f"p{n}", ip=f"10.244.{n >> 8}.{n & 255}", uid=f"u{n}", **fields) for n in range(start, start + count)]


def stored(made: Sequence[Slice]) -> list[Slice]:
    """The slices as they come back from the API server."""
    return [
        msgspec.structs.replace(item, metadata=msgspec.structs.replace(objects.meta(item), uid=f"slice-{number}"))
        for number, item in enumerate(made)
    ]


def applied(existing: Sequence[Slice], changes: Changes) -> list[Slice]:
    updated = {objects.uid(item): item for item in changes.update}
    gone = {objects.uid(item) for item in changes.delete}
    kept = [updated.get(objects.uid(item), item) for item in existing if objects.uid(item) not in gone]
    names = {objects.uid(item) for item in existing}
    new = []
    for number, item in enumerate(changes.create):
        uid = next(f"s{n}" for n in range(number, 10_000) if f"s{n}" not in names)
        names.add(uid)
        new.append(msgspec.structs.replace(item, metadata=msgspec.structs.replace(objects.meta(item), uid=uid)))
    return kept + new


def addresses(items: Sequence[Slice]) -> list[str]:
    return sorted(each.addresses[0] for item in items for each in item.endpoints or ())


def conditions(candidate: core_v1.Pod, of: core_v1.Service | None = None) -> tuple[bool, bool, bool]:
    (backend,) = backends(of or service(), [candidate], "IPv4")
    return backend.ready, backend.serving, backend.terminating


# -- backends


def test_conditions() -> None:
    assert conditions(pod(ip="10.0.0.1")) == (True, True, False)
    assert conditions(pod(ip="10.0.0.1", ready=False)) == (False, False, False)
    assert conditions(pod(ip="10.0.0.1", deleting=True)) == (False, True, True)
    assert conditions(pod(ip="10.0.0.1", deleting=True, ready=False)) == (False, False, True)
    unready_too = service(publishNotReadyAddresses=True)
    assert conditions(pod(ip="10.0.0.1", ready=False), unready_too) == (True, False, False)
    assert conditions(pod(ip="10.0.0.1", deleting=True), unready_too) == (True, True, True)


def test_who_is_no_backend() -> None:
    none = [pod(ip=""), pod(ip="10.0.0.1", phase="Succeeded"), pod(ip="10.0.0.2", phase="Failed"), pod(ip="fd00::1")]
    assert list(backends(service(), none, "IPv4")) == []


def test_ports() -> None:
    named = core_v1.Container(name="app", ports=[core_v1.ContainerPort(containerPort=9090, name="web")])
    sidecar = core_v1.Container(
        name="side", restartPolicy="Always", ports=[core_v1.ContainerPort(containerPort=15000, name="admin")]
    )
    candidate = pod(ip="10.0.0.1", containers=[named])
    assert candidate.spec is not None
    candidate.spec.initContainers = [sidecar]
    of = service([("a", 80, "web"), ("b", 81, None), ("c", 82, 8082), ("d", 83, "missing"), ("e", 84, "admin")])
    (backend,) = backends(of, [candidate], "IPv4")
    assert [(each.name, each.number) for each in backend.ports] == [("a", 9090), ("b", 81), ("c", 8082), ("e", 15000)]
    assert list(backends(service([("d", 83, "missing")]), [candidate], "IPv4")) == []


def test_hostnames_below_a_headless_service() -> None:
    candidate = pod(ip="10.0.0.1")
    assert candidate.spec is not None
    candidate.spec.hostname, candidate.spec.subdomain = "db-0", "web"
    (backend,) = backends(service(clusterIP="None"), [candidate], "IPv4")
    assert backend.hostname == "db-0"
    candidate.spec.subdomain = "other"
    (backend,) = backends(service(clusterIP="None"), [candidate], "IPv4")
    assert backend.hostname == ""


def test_which_services_are_ours() -> None:
    assert is_selecting(service())
    assert not is_selecting(service(selector=None))
    assert not is_selecting(service(selector={}))
    assert not is_selecting(service(type="ExternalName"))
    assert families(service(clusterIP="fd00::10")) == ("IPv6",)
    assert families(service(ipFamilies=["IPv6", "IPv4"])) == ("IPv6", "IPv4")


def test_only_what_matters_is_a_change() -> None:
    before = pod("a", ip="10.0.0.1", uid="u")
    restarted = pod("a", ip="10.0.0.1", uid="u", restarts=3)
    assert facts(before) == facts(restarted)
    for other in (
        pod("a", ip="10.0.0.2"),
        pod("a", ip="10.0.0.1", ready=False),
        pod("a", ip="10.0.0.1", deleting=True),
        pod("a", ip="10.0.0.1", phase="Failed"),
    ):
        assert facts(before) != facts(other)


# -- slices


def test_a_service_without_backends_has_one_empty_slice() -> None:
    changes = slices.decide(service(), [], [], NOW)
    (made,) = changes.create
    assert (made.endpoints, made.ports, made.addressType) == ([], None, "IPv4")
    assert not slices.decide(service_of(made), [], stored([made]), NOW)


def service_of(made: Slice) -> core_v1.Service:
    """The Service that a slice was made for."""
    found = service()
    (owner,) = objects.meta(made).ownerReferences or []
    assert found.metadata is not None
    found.metadata.uid = owner.uid
    return found


def test_a_slice_says_whose_it_is() -> None:
    of = service(labels={"tier": "front"}, clusterIP="None")
    (made,) = slices.decide(of, numbered(1), [], NOW).create
    assert objects.labels(made) == {
        "tier": "front",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "service.kubernetes.io/headless": "",
    }
    assert objects.name(made).startswith("web-")
    assert objects.controller_uid(made) == objects.uid(of)
    (endpoint,) = made.endpoints or []
    assert (endpoint.addresses, endpoint.nodeName) == (["10.244.0.1"], "n1")
    assert endpoint.targetRef == core_v1.ObjectReference(kind="Pod", namespace="default", name="p1", uid="u1")


def test_one_pod_changes_one_slice() -> None:
    of, candidates = service(), numbered(250)
    existing = stored(slices.decide(of, candidates, [], NOW).create)
    assert [len(item.endpoints or ()) for item in existing] == [100, 100, 50]
    assert not slices.decide(of, candidates, existing, NOW)
    changed = [*candidates[:120], *numbered(1, 121, ready=False), *candidates[121:]]
    changes = slices.decide(of, changed, existing, NOW)
    assert ([objects.uid(item) for item in changes.update], changes.create, changes.delete) == (["slice-1"], [], [])


def test_new_ones_go_where_something_is_written_anyway() -> None:
    of = service()
    existing = stored(slices.decide(of, numbered(150), [], NOW).create)
    changes = slices.decide(of, [*numbered(149, 2), *numbered(1, 500)], existing, NOW)
    assert [objects.uid(item) for item in changes.update] == ["slice-0"]
    assert not changes.create


def test_pods_with_other_numbers_for_a_name_get_slices_of_their_own() -> None:
    def on(number: int, name: str, ip: str) -> core_v1.Pod:
        port = core_v1.ContainerPort(containerPort=number, name="http")
        return pod(name, ip=ip, containers=[core_v1.Container(name="app", ports=[port])])

    candidates = [on(8080, "old", "10.0.0.1"), on(9090, "new", "10.0.0.2")]
    made = slices.decide(service([("", 80, "http")]), candidates, [], NOW).create
    assert sorted((item.ports or [])[0].port or 0 for item in made) == [8080, 9090]


def test_changed_labels_reach_the_slices() -> None:
    of = service()
    existing = stored(slices.decide(of, numbered(3), [], NOW).create)
    assert of.metadata is not None
    of.metadata.labels = {"tier": "back"}
    changes = slices.decide(of, numbered(3), existing, NOW)
    assert [objects.labels(item)["tier"] for item in changes.update] == ["back"]


def test_the_last_slice_is_emptied_and_used_again() -> None:
    of = service()
    existing = stored(slices.decide(of, numbered(3), [], NOW).create)
    changes = slices.decide(of, [], existing, NOW)
    assert [item.endpoints for item in changes.update] == [[]]
    emptied = applied(existing, changes)
    again = slices.decide(of, numbered(3), emptied, NOW)
    assert ([len(item.endpoints or ()) for item in again.update], again.create, again.delete) == ([3], [], [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(1, 400)), max_size=6))
def test_slices_say_just_what_the_pods_are(history: list[set[int]]) -> None:
    of = service()
    existing: list[Slice] = []
    for numbers in history:
        candidates = [each for number in sorted(numbers) for each in numbered(1, number)]
        changes = slices.decide(of, candidates, existing, NOW)
        existing = applied(existing, changes)
        assert addresses(existing) == sorted(f"10.244.{n >> 8}.{n & 255}" for n in numbers)
        assert all(len(item.endpoints or ()) <= MOST_ENDPOINTS for item in existing)
        assert all(item.endpoints for item in existing) or len(existing) == 1
        assert not slices.decide(of, candidates, existing, NOW)


# -- the older form


def test_subsets() -> None:
    candidates = [
        *numbered(2),
        *numbered(1, 3, ready=False),
        *numbered(1, 4, deleting=True),
        *numbered(1, 5, phase="Succeeded"),
    ]
    (subset,), truncated = legacy.subsets(service(), candidates)
    assert [each.ip for each in subset.addresses or ()] == ["10.244.0.1", "10.244.0.2"]
    assert [each.ip for each in subset.notReadyAddresses or ()] == ["10.244.0.3"]
    assert subset.ports == [core_v1.EndpointPort(name="http", port=8080, protocol="TCP")]
    assert not truncated


def test_too_many_keep_the_ready_ones() -> None:
    candidates = [*numbered(600, ready=False), *numbered(600, 2000)]
    (subset,), truncated = legacy.subsets(service(), candidates)
    assert (len(subset.addresses or ()), len(subset.notReadyAddresses or ())) == (600, 400)
    assert truncated


def test_it_is_written_when_something_changed() -> None:
    of = service(labels={"tier": "front"})
    made = legacy.decide(of, numbered(2), None, NOW)
    assert made is not None
    assert objects.labels(made) == {"tier": "front", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    assert legacy.decide(of, numbered(2), made, NOW) is None
    changed = legacy.decide(of, numbered(1), made, NOW)
    assert changed is not None
    assert objects.name(changed) == "web"
    emptied = legacy.decide(of, [], made, NOW)
    assert emptied is not None
    assert emptied.subsets is None


# -- mirrored by hand-written Endpoints


def endpoints(*addresses: str, **fields: Any) -> core_v1.Endpoints:
    subset = core_v1.EndpointSubset(
        addresses=[core_v1.EndpointAddress(ip=each) for each in addresses],
        notReadyAddresses=[core_v1.EndpointAddress(ip="192.0.2.99")],
        ports=[core_v1.EndpointPort(name="db", port=5432)],
    )
    return core_v1.Endpoints(metadata=meta("web", **fields), subsets=[subset])


def test_what_is_mirrored() -> None:
    plain = service(selector=None)
    assert mirror.is_mirrored(plain, endpoints("192.0.2.1"))
    assert not mirror.is_mirrored(None, endpoints("192.0.2.1"))
    assert not mirror.is_mirrored(plain, None)
    assert not mirror.is_mirrored(service(), endpoints("192.0.2.1"))
    assert not mirror.is_mirrored(plain, endpoints(labels={mirror.SKIP: "true"}))
    assert not mirror.is_mirrored(plain, endpoints(annotations={mirror.LEADER: "{}"}))


def test_mirrored_slices() -> None:
    source = endpoints("192.0.2.1", "2001:db8::1", labels={"tier": "db"})
    made = mirror.decide(source, [], NOW).create
    assert {(item.addressType, *addresses([item])) for item in made} == {
        ("IPv4", "192.0.2.1", "192.0.2.99"),
        ("IPv6", "2001:db8::1"),
    }
    four = next(item for item in made if item.addressType == "IPv4")
    assert objects.labels(four)["endpointslice.kubernetes.io/managed-by"] == "endpointslicemirroring-controller.k8s.io"
    assert objects.labels(four)["tier"] == "db"
    assert [each.conditions.ready for each in four.endpoints or () if each.conditions] == [True, False]
    assert four.ports == [discovery_v1.EndpointPort(name="db", port=5432, protocol="TCP")]
    existing = stored(made)
    assert not mirror.decide(source, existing, NOW)
    source.subsets = None
    assert len(mirror.decide(source, existing, NOW).delete) == 2
