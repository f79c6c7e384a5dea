"""What becomes of claims and volumes, case by case; and that a binding is one to one whatever there is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.quantity import parse
from api.types import storage_v1
from api.volumes import Claim, Volume, asked_size, best, lacks, size
from controllers.persistentvolume import claims, protection, volumes
from controllers.persistentvolume.claims import BOUND, BOUND_BY_US, SELECTED_NODE, Bind, Lose, Pend
from tests.unit.controllers.make import pod

LAZY = storage_v1.StorageClass(provisioner="example.com/disks", volumeBindingMode="WaitForFirstConsumer")
NOBODY = storage_v1.StorageClass(provisioner="kubernetes.io/no-provisioner")


def claim(name: str = "data", asked: str = "1Gi", marks: tuple[str, ...] = (), **spec: Any) -> Claim:
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "annotations": dict.fromkeys(marks, "yes")}
    body = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": asked}}, **spec}
    return msgspec.convert({"metadata": metadata, "spec": body}, Claim)


def volume(name: str = "pv", holds: str = "1Gi", marks: tuple[str, ...] = (), **spec: Any) -> Volume:
    metadata = {"name": name, "labels": {"name": name}, "annotations": dict.fromkeys(marks, "yes")}
    body = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": holds}, **spec}
    return msgspec.convert({"metadata": metadata, "spec": body, "status": {"phase": "Available"}}, Volume)


def ref(name: str = "data", uid: str | None = None) -> dict[str, Any]:
    found = {"namespace": "shop", "name": name}
    return found if uid == "" else {**found, "uid": uid or f"uid-{name}"}


@pytest.mark.parametrize(
    ("asks", "has", "why"),
    [
        ({}, {}, ""),
        ({"asked": "2Gi"}, {}, "requested PV is too small"),
        ({"storageClassName": "fast"}, {}, "storageClassName does not match"),
        ({"volumeMode": "Block"}, {}, "incompatible volumeMode"),
        ({"accessModes": ["ReadWriteMany"]}, {}, "incompatible accessMode"),
        ({}, {"accessModes": ["ReadWriteOnce", "ReadWriteMany"]}, ""),
    ],
)
def test_what_a_volume_lacks(asks: dict[str, Any], has: dict[str, Any], why: str) -> None:
    assert lacks(volume(**has), claim(**asks)) == why


def test_the_best_volume() -> None:
    there = [
        volume("big", "5Gi"),
        volume("taken", claimRef=ref("other")),
        volume("small", "1Gi"),
        volume("tiny", "1Mi"),
    ]
    found = best(claim(), there)
    assert found is not None and found is there[2]  # noqa: PT018
    assert best(claim(), [*there, volume("mine", "9Gi", claimRef=ref(uid=""))]) is not there[2]
    assert best(claim(selector={"matchLabels": {"name": "big"}}), there) is there[0]
    assert best(claim(asked="9Gi"), there) is None
    assert best(claim(), there, lambda each: each is not there[2]) is there[0]


CASES: list[tuple[str, Claim, Volume | None, list[Volume], storage_v1.StorageClass | None, str]] = [
    ("free, one suits", claim(), None, [volume()], None, "Bind pv"),
    ("free, none, no class", claim(), None, [], None, "FailedBinding"),
    ("free, class unknown", claim(storageClassName="x"), None, [], None, "ProvisioningFailed"),
    ("free, nobody makes any", claim(storageClassName="x"), None, [], NOBODY, "FailedBinding"),
    (
        "waits for its pod",
        claim(storageClassName="x"),
        None,
        [volume(storageClassName="x")],
        LAZY,
        "WaitForFirstConsumer",
    ),
    (
        "waited, set aside by the scheduler",
        claim(storageClassName="x"),
        None,
        [volume(storageClassName="x", claimRef=ref())],
        LAZY,
        "Bind pv",
    ),
    ("node chosen", claim(marks=(SELECTED_NODE,), storageClassName="x"), None, [], LAZY, "ExternalProvisioning"),
    ("names a volume to come", claim(volumeName="pv"), None, [], None, "FailedBinding"),
    ("names a free volume", claim(volumeName="pv"), volume(), [], None, "Bind pv"),
    ("names a small volume", claim(asked="9Gi", volumeName="pv"), volume(), [], None, "VolumeMismatch"),
    ("names another's volume", claim(volumeName="pv"), volume(claimRef=ref("other")), [], None, "FailedBinding"),
    ("bound", claim(marks=(BOUND,), volumeName="pv"), volume(claimRef=ref()), [], None, "Bind pv"),
    ("bound, half undone", claim(marks=(BOUND,), volumeName="pv"), volume(), [], None, "Bind pv"),
    ("bound, volume gone", claim(marks=(BOUND,), volumeName="pv"), None, [], None, "ClaimLost"),
    ("bound, name gone", claim(marks=(BOUND,)), None, [], None, "ClaimLost"),
    (
        "bound to another's",
        claim(marks=(BOUND,), volumeName="pv"),
        volume(claimRef=ref("o")),
        [],
        None,
        "ClaimMisbound",
    ),
]


@pytest.mark.parametrize(("what", "asks", "named", "there", "storage_class", "verdict"), CASES)
def test_claims(
    what: str,
    asks: Claim,
    named: Volume | None,
    there: list[Volume],
    storage_class: storage_v1.StorageClass | None,
    verdict: str,
) -> None:
    found = claims.decide(asks, named, there, storage_class)
    match found:
        case Bind(chosen):
            said = f"Bind {chosen.metadata.name if chosen.metadata else ''}"
        case Pend(reason) | Lose(reason):
            said = reason
    assert said == verdict, what


def test_who_makes_a_volume_is_named() -> None:
    found = claims.decide(claim(marks=(SELECTED_NODE,), storageClassName="x"), None, [], LAZY)
    assert isinstance(found, Pend)
    assert found.provisioner == "example.com/disks"


@pytest.mark.parametrize(
    ("held", "owner", "phase"),
    [
        (volume(), None, "Available"),
        (volume(claimRef=ref(uid="")), None, "Available"),
        (volume(claimRef=ref()), None, "Released"),
        (volume(claimRef=ref()), claim(), None),
        (volume(claimRef=ref()), claim(volumeName="pv"), "Bound"),
        (volume(claimRef=ref(uid="uid-older")), claim(volumeName="pv"), "Released"),
        (volume(claimRef=ref(), persistentVolumeReclaimPolicy="Delete"), None, "Failed"),
        (volume(claimRef=ref(), persistentVolumeReclaimPolicy="Recycle"), None, "Failed"),
        (
            volume(marks=(volumes.PROVISIONED_BY,), claimRef=ref(), persistentVolumeReclaimPolicy="Delete"),
            None,
            "Released",
        ),
        (volume(marks=(BOUND_BY_US,), claimRef=ref()), claim(volumeName="another"), "Available"),
    ],
)
def test_volumes(held: Volume, owner: Claim | None, phase: str | None) -> None:
    found = volumes.decide(held, owner)
    assert (found and found.phase) == phase
    assert (found is not None and found.give_back) == (
        owner is not None and owner.spec is not None and owner.spec.volumeName == "another"
    )


def test_protection() -> None:
    user = pod("web")
    assert user.spec is not None
    used = msgspec.convert(
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}], "containers": []}, type(user.spec)
    )
    waiting = msgspec.structs.replace(user, spec=used)
    placed = msgspec.structs.replace(user, spec=msgspec.structs.replace(used, nodeName="n1"))
    assert not protection.is_used(claim(), [waiting])
    assert protection.is_used(claim(), [placed])
    assert protection.wanted(claim(), protection.CLAIM, in_use=False) == [protection.CLAIM]
    going = msgspec.convert(
        {
            "metadata": {
                "name": "data",
                "finalizers": [protection.CLAIM, "x"],
                "deletionTimestamp": "2026-01-01T00:00:00Z",
            }
        },
        Claim,
        strict=False,
    )
    assert protection.wanted(going, protection.CLAIM, in_use=True) is None
    assert protection.wanted(going, protection.CLAIM, in_use=False) == ["x"]


sizes = st.sampled_from(["1Mi", "1Gi", "2Gi", "5Gi"])


@given(st.lists(sizes, max_size=6), st.lists(sizes, max_size=6))
def test_every_volume_is_given_once(asked: list[str], held: list[str]) -> None:
    """Binding one after the other, as the controller does: no volume twice, none too small, none idle that would do."""
    there = {f"pv{number}": volume(f"pv{number}", each) for number, each in enumerate(held)}
    for number, each in enumerate(asked):
        one = claim(f"c{number}", each)
        found = claims.decide(one, None, there.values(), None)
        free = [item for item in there.values() if item.spec is not None and item.spec.claimRef is None]
        enough = [item for item in free if parse(size(item)) >= parse(asked_size(one))]
        assert isinstance(found, Bind) == bool(enough)
        if isinstance(found, Bind):
            assert found.volume in enough
            assert parse(size(found.volume)) == min(parse(size(item)) for item in enough)
            assert found.volume.metadata is not None
            name = found.volume.metadata.name or ""
            there[name] = volume(name, size(found.volume), claimRef=ref(f"c{number}"))
