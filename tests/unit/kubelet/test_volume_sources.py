"""What volumes are made from: tokens and their renewal, whose files they are, claims, memory, NFS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.errors import InternalError
from api.types import core_v1
from client.rest import Unreachable
from kubelet.pod.env import Objects
from kubelet.pod.fields import Facts
from kubelet.tokens import Tokens, renewal
from kubelet.volumes import atomic, empty_dir, nfs, persistent
from kubelet.volumes.atomic import File
from kubelet.volumes.claims import claim_name, mismatch, unusable
from kubelet.volumes.empty_dir import memory_size, page_size
from kubelet.volumes.folders import PodFolder
from kubelet.volumes.payload import Inputs, changes_files, files
from kubelet.volumes.problem import MountError

TOKEN = {"projected": {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}]}}

NAME = {"fieldRef": {"fieldPath": "metadata.name"}}


def pod_of(volume: dict[str, Any], *containers: dict[str, Any], **spec: Any) -> core_v1.Pod:
    made = [{"name": f"c{number}", "image": "app:1", **each} for number, each in enumerate(containers or ({},))]
    metadata = {"name": "web", "namespace": "shop", "uid": "u-1"}
    body = {"containers": made, "volumes": [{"name": "v", **volume}], **spec}
    return msgspec.convert({"metadata": metadata, "spec": body}, core_v1.Pod)


class Channel:
    """Issues tokens that live as long as asked, or refuses."""

    def __init__(self) -> None:
        self.now, self.count = 1000.0, 0
        self.error: Exception | None = None

    async def token(self, pod: core_v1.Pod, audience: str, seconds: int) -> tuple[str, float]:
        if self.error is not None:
            raise self.error
        self.count += 1
        return f"{audience or 'api'}-{self.count}", self.now + seconds


def tokens(channel: Channel) -> Tokens:
    return Tokens(channel, lambda: 0.5)  # type: ignore[arg-type]


def test_renewal() -> None:
    assert renewal(0, 600, 0) == 480
    assert renewal(0, 600, 1) == 470
    assert renewal(0, 7 * 24 * 3600, 0) == 24 * 3600


async def test_a_token_is_asked_for_once_and_renewed() -> None:
    channel, pod = Channel(), pod_of(TOKEN)
    held = tokens(channel)
    assert held.due() is None
    assert await held.all(pod, 1000) == {("", 600): "api-1"}
    assert held.due() == 1475
    assert await held.all(pod, 1474) == {("", 600): "api-1"}
    channel.now = 1475
    assert await held.all(pod, 1475) == {("", 600): "api-2"}
    assert held.due() == 1950


@pytest.mark.parametrize("error", [Unreachable("away"), InternalError("ill")])
async def test_a_token_that_cannot_be_renewed_serves_while_it_is_valid(error: Exception) -> None:
    channel, pod = Channel(), pod_of(TOKEN)
    held = tokens(channel)
    await held.all(pod, 1000)
    channel.error = error
    assert await held.all(pod, 1500) == {("", 600): "api-1"}
    assert held.due() == 1530
    assert await held.all(pod, 1601) == {}
    assert held.due() is None  # its file is tried again like any that can't be made
    assert pod.spec is not None
    (volume,) = pod.spec.volumes or [core_v1.Volume("none")]
    with pytest.raises(MountError, match=f"failed to fetch token: .*{error}"):
        files(volume, Inputs(pod, Objects(), Facts(), {}, held.refused))
    channel.error, channel.now = None, 1700
    assert await held.all(pod, 1700) == {("", 600): "api-2"}
    assert not held.refused


@pytest.mark.parametrize(
    ("containers", "security", "wanted"),
    [
        (({},), {}, (0o640, None)),
        (({},), {"fsGroup": 5}, (0o600, None)),
        (({},), {"runAsUser": 7}, (0o600, 7)),
        (({"securityContext": {"runAsUser": 8}}, {}), {"runAsUser": 7}, (0o640, None)),
        (({"securityContext": {"runAsUser": 8}},), {"runAsUser": 7}, (0o600, 8)),
    ],
)
def test_who_may_read_a_token(
    containers: tuple[dict[str, Any], ...], security: dict[str, Any], wanted: tuple[int, int | None]
) -> None:
    volume = {"projected": {**TOKEN["projected"], "defaultMode": 0o640}}
    pod = pod_of(volume, *containers, securityContext=security)
    assert pod.spec is not None
    assert pod.spec.volumes is not None
    made = files(pod.spec.volumes[0], Inputs(pod, Objects(), Facts(), {("", 600): "abc"}))
    assert (made["token"].mode, made["token"].user) == wanted


def test_modes_and_owners_of_files(tmp_path: Path) -> None:
    atomic.write(tmp_path, {"a": File(b"1", 0o600, 1000), "d/b": File(b"2", 0o400)}, 2000)
    seen = {name: (tmp_path / name).stat() for name in ("a", "d", "d/b")}
    assert {name: (oct(each.st_mode & 0o7777), each.st_uid, each.st_gid) for name, each in seen.items()} == {
        "a": ("0o640", 1000, 2000),
        "d": ("0o2755", 0, 2000),
        "d/b": ("0o440", 0, 2000),
    }
    assert not atomic.write(tmp_path, {"a": File(b"1", 0o600, 1000), "d/b": File(b"2", 0o400)}, 2000)
    assert atomic.write(tmp_path, {"a": File(b"1", 0o640), "d/b": File(b"2", 0o444)}, 2000)


def test_a_round_that_was_cut_short_leaves_nothing(tmp_path: Path) -> None:
    atomic.write(tmp_path, {"a": File(b"1")})
    (tmp_path / "..2026_01_01_00_00_00.half").mkdir()
    (tmp_path / "..2026_01_01_00_00_00.half/a").write_text("half")
    (tmp_path / "..data_tmp").symlink_to("..2026_01_01_00_00_00.half")
    atomic.write(tmp_path, {"a": File(b"2")})
    left = sorted(each.name for each in tmp_path.iterdir())
    assert left == [os.readlink(tmp_path / "..data"), "..data", "a"]


def test_what_is_missing_for_one_volume_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """A token is renewed although the ConfigMap of the volume before it has gone."""
    maps = [{"name": name, "configMap": {"name": name}} for name in ("a", "b")]
    pod = pod_of(TOKEN, volumes=[*maps, {"name": "d", "downwardAPI": {"items": [{"path": "n", **NAME}]}}])
    assert pod.spec is not None
    folder = PodFolder(tmp_path, "u-1")
    folder.set_up(pod.spec, Inputs(pod, Objects({"a": {"k": b"1"}, "b": {"k": b"1"}}), Facts()))
    places = {each.name: folder.place(each).path for each in pod.spec.volumes or ()}
    assert pod.metadata is not None
    renamed = msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, name="other"))
    with pytest.raises(MountError, match='volume "a" : configmap "a" not found'):
        folder.refresh(pod.spec, Inputs(renamed, Objects({"b": {"k": b"2"}}), Facts()))
    assert [(places[name] / key).read_text() for name, key in (("a", "k"), ("b", "k"), ("d", "n"))] == [
        "1",
        "2",
        "other",
    ]


def test_what_a_pod_shows_of_itself() -> None:
    downward = {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}}
    old = pod_of(downward)
    assert not changes_files(old, pod_of(downward))
    assert old.metadata is not None
    new = msgspec.structs.replace(old, metadata=msgspec.structs.replace(old.metadata, labels={"a": "b"}))
    assert changes_files(old, new)
    plain = pod_of({"emptyDir": {}})
    assert not changes_files(plain, msgspec.structs.replace(plain, metadata=new.metadata))


def limits(**amounts: str) -> dict[str, Any]:
    return {"resources": {"limits": amounts, "requests": amounts}}


def memory(size: str | None, *containers: dict[str, Any], node: int = 0) -> int:
    spec = pod_of({"emptyDir": {}}, *containers).spec
    assert spec is not None
    return memory_size(core_v1.EmptyDirVolumeSource(medium="Memory", sizeLimit=size), spec, node)


def test_the_size_of_memory_volumes() -> None:
    assert memory(None) == 0
    assert memory("1Mi", node=1 << 30) == 1 << 20
    assert memory(None, limits(memory="2Mi"), limits(memory="3Mi"), node=1 << 30) == 5 << 20
    assert memory("1Gi", limits(memory="2Mi"), {}, node=1 << 29) == 1 << 29


def test_the_pages_of_huge_page_volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asks = pod_of({"emptyDir": {}}, limits(**{"hugepages-2Mi": "4Mi"})).spec
    both = pod_of({"emptyDir": {}}, limits(**{"hugepages-2Mi": "4Mi", "hugepages-1Gi": "1Gi"})).spec
    none = pod_of({"emptyDir": {}}).spec
    assert asks is not None and both is not None and none is not None  # noqa: PT018
    assert page_size("HugePages", asks) == 2 << 20
    assert page_size("HugePages-1Gi", none) == 1 << 30
    for spec in (both, none):
        with pytest.raises(MountError, match="page size"):
            page_size("HugePages", spec)
    monkeypatch.setattr(empty_dir, "HUGE_PAGES", tmp_path)
    with pytest.raises(MountError, match="the node has no huge pages of 2048 kB"):
        empty_dir.set_up(core_v1.EmptyDirVolumeSource(medium="HugePages-2Mi"), tmp_path / "v", none, 0)


@pytest.mark.parametrize(
    ("source", "options", "wanted"),
    [
        (("/x", "srv"), (), "mount -t nfs -- srv:/x /t"),
        (("/x", "fd00::1", True), ("hard", "nfsvers=4.1"), "mount -t nfs -o ro,hard,nfsvers=4.1 -- [fd00::1]:/x /t"),
    ],
)
def test_nfs_commands(source: tuple[Any, ...], options: tuple[str, ...], wanted: str) -> None:
    assert " ".join(nfs.argv(core_v1.NFSVolumeSource(*source), Path("/t"), options)) == wanted


def test_an_nfs_server_is_no_flag() -> None:
    with pytest.raises(MountError, match="no server can be called '-o'"):
        nfs.argv(core_v1.NFSVolumeSource("/x", "-o"), Path("/t"))


def bound(phase: str = "Bound", **metadata: Any) -> core_v1.PersistentVolumeClaim:
    return msgspec.convert(
        {
            "metadata": {"name": "data", "namespace": "shop", "uid": "c-1", **metadata},
            "spec": {"volumeName": "pv"},
            "status": {"phase": phase},
        },
        core_v1.PersistentVolumeClaim,
        strict=False,
    )


def volume_of(uid: str = "c-1", **spec: Any) -> core_v1.PersistentVolume:
    body = {"claimRef": {"uid": uid}, **spec}
    return msgspec.convert({"metadata": {"name": "pv"}, "spec": body}, core_v1.PersistentVolume)


def test_claims() -> None:
    pod = pod_of({"ephemeral": {}})
    assert pod.spec is not None
    assert claim_name(pod, (pod.spec.volumes or [])[0]) == "web-v"
    assert unusable(bound(), None) == ""
    assert unusable(bound("Pending"), None) == "PVC is not bound"
    assert unusable(bound(deletionTimestamp="2026-01-01T00:00:00Z"), None) == "PVC is being deleted"
    assert "pod is not owner" in unusable(bound(), pod)
    own = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "u-1", "controller": True}
    assert unusable(bound(ownerReferences=[own]), pod) == ""
    assert mismatch(bound(), volume_of()) == ""
    assert mismatch(bound(), volume_of("c-2")) == "PV pv is not bound to this PVC"


def test_the_places_of_persistent_volumes(tmp_path: Path) -> None:
    assert persistent.place(volume_of(hostPath={"path": "/h"}), tmp_path) == Path("/h")
    exported = volume_of(nfs={"server": "s", "path": "/x", "readOnly": True})
    assert persistent.place(exported, tmp_path) == tmp_path / "kubernetes.io~nfs/pv"
    assert persistent.is_read_only(exported)
    with pytest.raises(MountError, match="no volume plugin matched"):
        persistent.place(volume_of(), tmp_path)
    local = volume_of(local={"path": str(tmp_path / "none")})
    with pytest.raises(MountError, match="does not exist"):
        persistent.set_up(local, persistent.place(local, tmp_path), None)
