"""Volumes: what is in them, and that their files change all at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.types import core_v1
from kubelet.mounts import container_mounts, read_message
from kubelet.pod.create import Mount
from kubelet.pod.env import Objects
from kubelet.pod.fields import Facts
from kubelet.pod.problem import ConfigError
from kubelet.volumes import atomic, host_path
from kubelet.volumes.atomic import File, PathError
from kubelet.volumes.folders import PodFolder
from kubelet.volumes.payload import Inputs, files
from kubelet.volumes.problem import MountError


def pod_of(*volumes: dict[str, Any], mounts: list[dict[str, Any]] | None = None) -> core_v1.Pod:
    container = {"name": "main", "image": "app:1", "volumeMounts": mounts or []}
    metadata = {"name": "web", "namespace": "shop", "uid": "u-1", "labels": {"app": "web"}}
    return msgspec.convert(
        {"metadata": metadata, "spec": {"containers": [container], "volumes": list(volumes)}}, core_v1.Pod
    )


def payload(volume: dict[str, Any], tokens: dict[tuple[str, int], str] | None = None) -> dict[str, File]:
    pod = pod_of({"name": "v", **volume})
    objects = Objects({"c": {"a": b"1", "b": b"2"}}, {"s": {"pw": b"hush"}})
    assert pod.spec is not None
    assert pod.spec.volumes is not None
    return files(pod.spec.volumes[0], Inputs(pod, objects, Facts(), tokens or {}))


def test_payloads() -> None:
    assert payload({"configMap": {"name": "c"}}) == {"a": File(b"1"), "b": File(b"2")}
    chosen = {"name": "c", "defaultMode": 0o600, "items": [{"key": "b", "path": "d/e", "mode": 0o400}]}
    assert payload({"configMap": chosen}) == {"d/e": File(b"2", 0o400)}
    assert payload({"secret": {"secretName": "s", "defaultMode": 0o440}}) == {"pw": File(b"hush", 0o440)}
    assert payload({"secret": {"secretName": "none", "optional": True}}) == {}
    sources = [
        {"configMap": {"name": "c", "items": [{"key": "a", "path": "x"}]}},
        {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}},
    ]
    made = payload({"projected": {"sources": sources}}, {("", 600): "abc"})
    assert {path: file.content for path, file in made.items()} == {"x": b"1", "l": b'app="web"', "token": b"abc"}


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"configMap": {"name": "c", "items": [{"key": "z", "path": "z"}]}}, "references non-existent configmap key"),
        ({"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}, "token has not been issued"),
        ({"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "nope"}}]}}, "unsupported fieldPath"),
        (
            {"projected": {"sources": [{"clusterTrustBundle": {"path": "t"}}]}},
            "from clusterTrustBundle are not supported",
        ),
    ],
)
def test_payloads_that_cannot_be_made(volume: dict[str, Any], message: str) -> None:
    with pytest.raises(MountError, match=message):
        payload(volume)


def read(volume: Path) -> dict[str, bytes]:
    top = [each for each in volume.iterdir() if not each.name.startswith("..")]
    found: dict[str, bytes] = {}
    for each in top:
        paths = each.rglob("*") if each.is_dir() else [each]
        found |= {str(path.relative_to(volume)): path.read_bytes() for path in paths if path.is_file()}
    return found


names = st.sampled_from(["a", "b", "c", "d/e", "d/f", "g/h/i"])
contents = st.dictionaries(names, st.binary(max_size=4), max_size=5)


@settings(deadline=None)  # a busy disk is no failure
@given(st.lists(contents, min_size=1, max_size=4))
def test_a_volume_holds_just_the_last_files(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[dict[str, bytes]]
) -> None:
    volume = tmp_path_factory.mktemp("volume")
    for wanted in rounds:
        atomic.write(volume, {path: File(content) for path, content in wanted.items()})
        assert read(volume) == wanted
        assert not atomic.write(volume, {path: File(content) for path, content in wanted.items()})
        assert len([each for each in volume.iterdir() if each.is_dir() and not each.is_symlink()]) == 1


def test_a_reader_of_an_old_file_keeps_it(tmp_path: Path) -> None:
    atomic.write(tmp_path, {"a": File(b"old")})
    with (tmp_path / "a").open("rb") as held:
        atomic.write(tmp_path, {"a": File(b"new", 0o600)})
        assert held.read() == b"old"
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert os.readlink(tmp_path / "a") == "..data/a"


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "..data", ""])
def test_paths_that_lead_out_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(PathError):
        atomic.write(tmp_path, {path: File(b"")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "make", "complaint"),
    [
        ("Directory", "", "is not a directory"),
        ("File", "", "is not a file"),
        ("Directory", "file", "is not a directory"),
        ("File", "folder", "is not a file"),
        ("Socket", "file", "is not a socket"),
        ("CharDevice", "file", "is not a character device"),
        ("BlockDevice", "file", "is not a block device"),
        ("Nonsense", "file", "unknown hostPath type"),
    ],
)
def test_host_paths_of_the_wrong_type(tmp_path: Path, kind: str, make: str, complaint: str) -> None:
    path = tmp_path / "it"
    if make == "file":
        path.touch()
    elif make == "folder":
        path.mkdir()
    with pytest.raises(MountError, match=complaint):
        host_path.prepare(core_v1.HostPathVolumeSource(str(path), type=kind))


def test_host_paths_that_are_made(tmp_path: Path) -> None:
    folder, file = tmp_path / "a" / "b", tmp_path / "f"
    host_path.prepare(core_v1.HostPathVolumeSource(str(folder), type="DirectoryOrCreate"))
    host_path.prepare(core_v1.HostPathVolumeSource(str(file), type="FileOrCreate"))
    assert folder.is_dir()
    assert file.is_file()
    with pytest.raises(MountError, match="No such file or directory"):
        host_path.prepare(core_v1.HostPathVolumeSource(str(tmp_path / "none" / "f"), type="FileOrCreate"))
    plain = tmp_path / "plain"
    assert host_path.prepare(core_v1.HostPathVolumeSource(str(plain))) == plain
    assert plain.is_dir()


def shown(mount: Mount) -> str:
    options = ["ro" if mount.read_only else "rw", *([mount.propagation] if mount.propagation else [])]
    return f"{mount.source}:{mount.target}:{','.join(options)}"


def mounts_of(tmp_path: Path, mount: dict[str, Any]) -> list[str]:
    pod = pod_of({"name": "v", "hostPath": {"path": str(tmp_path / "v")}}, mounts=[mount])
    assert pod.spec is not None
    folder = PodFolder(tmp_path, "u-1")
    return [shown(each) for each in container_mounts(pod.spec, pod.spec.containers[0], folder, 0, {"A": "x"})]


def test_mounts(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    found = mounts_of(tmp_path, {"name": "v", "mountPath": "m", "readOnly": True})
    own = tmp_path / "pods" / "u-1"
    assert found == [
        f"{tmp_path}/v:/m:ro",
        f"{own}/etc-hosts:/etc/hosts:rw",
        f"{own}/resolv.conf:/etc/resolv.conf:rw",
        f"{own}/containers/main/0:/dev/termination-log:rw",
    ]
    found = mounts_of(tmp_path, {"name": "v", "mountPath": "/etc/hosts", "mountPropagation": "HostToContainer"})
    assert found[0] == f"{tmp_path}/v:/etc/hosts:rw,rslave"
    assert len(found) == 3


def test_sub_paths_that_lead_out_are_refused(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "link").symlink_to("/etc")
    for sub_path in ("../x", "/x", "link/passwd"):
        with pytest.raises(ConfigError):
            mounts_of(tmp_path, {"name": "v", "mountPath": "/m", "subPath": sub_path})
    with pytest.raises(ConfigError, match='cannot find volume "w"'):
        mounts_of(tmp_path, {"name": "w", "mountPath": "/m"})


def test_messages_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "message"
    assert read_message(path) == ""
    path.write_text("x" * 5000)
    assert len(read_message(path)) == 4096
