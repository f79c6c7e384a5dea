"""What is mounted for a pod, with real mounts below a temporary folder: parts of volumes, and taking it all away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.types import core_v1
from kubelet.mounts import container_mounts
from kubelet.pod.problem import ConfigError
from kubelet.volumes import mount, ownership, sub_path, tree
from kubelet.volumes.folders import PodFolder
from kubelet.volumes.sub_path import SubPathError
from tests.harness.host import run
from tests.unit.kubelet.test_volumes import shown


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Path]:
    """A folder that is cleared of mounts in the end."""
    yield tmp_path
    mount.unmount_below(tmp_path)


def pod_mounts(ground: Path, *mounts: dict[str, Any], env: dict[str, str] | None = None) -> list[str]:
    asked = [{"name": "v", "mountPath": f"/m{number}", **each} for number, each in enumerate(mounts)]
    spec = {
        "containers": [{"name": "main", "image": "app:1", "volumeMounts": asked}],
        "volumes": [{"name": "v", "hostPath": {"path": str(ground / "v")}}],
    }
    decoded = msgspec.convert(spec, core_v1.PodSpec)
    found = container_mounts(decoded, decoded.containers[0], PodFolder(ground, "u-1"), 0, env or {})
    return [shown(each) for each in found[: len(asked)]]


def test_a_sub_path_is_made_with_the_volume_s_mode_and_mounted(ground: Path) -> None:
    (ground / "v").mkdir()
    (ground / "v").chmod(0o770)
    place = ground / "pods/u-1/volume-subpaths/v/main"
    part = {"subPathExpr": "$(A)/y", "readOnly": True}
    assert pod_mounts(ground, part, env={"A": "x"}) == [f"{place}/0:/m0:ro"]
    made = ground / "v/x/y"
    assert made.stat().st_mode & 0o777 == 0o770
    (made / "f").write_text("here")
    assert (place / "0/f").read_text() == "here"
    # The next attempt of the container takes the same place, with whatever lies there now.
    made.joinpath("f").unlink()
    made.rmdir()
    made.write_text("a file now")
    pod_mounts(ground, part, env={"A": "x"})
    assert (place / "0").read_text() == "a file now"
    with pytest.raises(ConfigError, match='missing value for "B"'):
        pod_mounts(ground, {"subPathExpr": "$(B)"})


def test_links_in_a_sub_path_stay_in_the_volume(tmp_path: Path) -> None:
    volume = tmp_path / "v"
    (volume / "real/deep").mkdir(parents=True)
    (volume / "inside").symlink_to("real")
    (volume / "out").symlink_to("/etc")
    (volume / "file").symlink_to("/etc/passwd")
    opened = sub_path.open_part(volume, "inside/deep")
    assert os.readlink(f"/proc/self/fd/{opened}") == str(volume / "real/deep")
    os.close(opened)
    for part in ("out", "out/new", "file", "../x", "/etc", "real/../../x"):
        with pytest.raises(SubPathError):
            sub_path.open_part(volume, part)
    assert not Path("/etc/new").exists()


def test_a_link_that_is_put_in_meanwhile_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = tmp_path / "v"
    (volume / "a/b").mkdir(parents=True)
    resolve = Path.resolve

    def resolve_then_swap(path: Path, strict: bool = False) -> Path:
        found = resolve(path, strict)
        if path.name == "b":
            (volume / "a").rename(volume / "was")
            (volume / "a").symlink_to("/")
        return found

    monkeypatch.setattr(Path, "resolve", resolve_then_swap)
    with pytest.raises(SubPathError):
        sub_path.open_part(volume, "a/b")


def test_read_only_with_all_below(ground: Path) -> None:
    (ground / "v/inner").mkdir(parents=True)
    mount.mount_tmpfs(ground / "v/inner")
    (ground / "v/inner/f").write_text("x")
    found = pod_mounts(ground, {"readOnly": True, "recursiveReadOnly": "Enabled"})
    view = ground / "pods/u-1/volume-views/v/main/0"
    assert found == [f"{view}:/m0:ro"]
    assert (view / "inner/f").read_text() == "x"
    with pytest.raises(OSError, match="Read-only file system"):
        (view / "inner/f").write_text("y")
    (ground / "v/inner/f").write_text("z")
    PodFolder(ground, "u-1").remove()
    assert (ground / "v/inner/f").read_text() == "z"
    assert mount.mounts_below(ground) == [ground / "v/inner"]


def test_what_is_mounted_in_a_pod_s_folder_keeps_its_content(ground: Path) -> None:
    """A bind mount of the same file system: only the mount's own number tells it from a folder."""
    data, own = ground / "data", ground / "pods/u-1"
    (data / "deep").mkdir(parents=True)
    (data / "deep/precious").write_text("keep")
    inside = own / "volumes/x/y"
    inside.mkdir(parents=True)
    source = os.open(data, os.O_PATH)
    mount.bind(source, inside)
    os.close(source)
    with pytest.raises(OSError, match="mounted here") as caught:
        tree.remove(own)
    assert caught.value.filename == str(inside)
    assert (data / "deep/precious").read_text() == "keep"
    PodFolder(ground, "u-1").remove()
    assert not own.exists()
    assert (data / "deep/precious").read_text() == "keep"


def test_a_busy_volume_is_removed_once_it_is_free(ground: Path) -> None:
    folder = PodFolder(ground, "u-1")
    volume = folder.path / "volumes/kubernetes.io~empty-dir/v"
    volume.mkdir(parents=True)
    mount.mount_tmpfs(volume)
    with (volume / "f").open("w"), pytest.raises(OSError, match="busy"):
        folder.remove()
    assert (volume / "f").exists()
    folder.remove()
    assert not folder.exists()
    folder.remove()


def test_unmounting_does_not_reach_the_source(ground: Path) -> None:
    """The bind mount of a shared mount is its peer: unmounting below it unties the two first."""
    source, target = ground / "source", ground / "pods/u-1/v"
    source.mkdir()
    target.mkdir(parents=True)
    mount.mount_tmpfs(source)
    run("mount", "--make-shared", str(source))
    (source / "inner").mkdir()
    opened = os.open(source, os.O_PATH)
    mount.bind(opened, target)
    os.close(opened)
    mount.mount_tmpfs(source / "inner")
    assert os.path.ismount(target / "inner")
    PodFolder(ground, "u-1").remove()
    assert os.path.ismount(source / "inner")


def test_deep_folders_and_odd_names_are_removed(tmp_path: Path) -> None:
    top = here = tmp_path / "top"
    here.mkdir()
    for _ in range(1500):
        here = here / "d"
        os.mkdir(here) if len(str(here)) < 4000 else None
    (top / "link").symlink_to("/etc")
    (top / "ü \n").write_text("x")
    tree.remove(top)
    assert not top.exists()
    assert Path("/etc").is_dir()
    tree.remove(top)


def test_ownership(tmp_path: Path) -> None:
    volume = tmp_path / "v"
    (volume / "d").mkdir(parents=True)
    (volume / "d/f").write_text("x")
    (volume / "d/f").chmod(0o600)
    (volume / "link").symlink_to("/etc/passwd")
    before = os.stat("/etc/passwd").st_gid
    assert ownership.give(volume, 2000)
    assert [(each.stat().st_gid, oct(each.stat().st_mode & 0o7777)) for each in (volume, volume / "d/f")] == [
        (2000, "0o2775"),
        (2000, "0o660"),
    ]
    assert os.stat("/etc/passwd").st_gid == before
    assert not ownership.give(volume, 2000, "OnRootMismatch")
    assert ownership.give(volume, 2000, "Always")
    assert ownership.give(volume, 2001, "OnRootMismatch")
