"""Cgroups on trees of files: where they lie, what they use."""

from __future__ import annotations

import os
from pathlib import Path

from kubelet.cgroups import stats
from kubelet.cgroups.tree import Tree
from kubelet.stats.file_system import file_system, taken


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_a_tree_of_v1(tmp_path: Path) -> None:
    for controller in ("cpu", "memory"):
        (tmp_path / controller / "kubepods" / "pod1" / "child").mkdir(parents=True)
    (tmp_path / "cpu,cpuacct").symlink_to("cpu")
    tree = Tree.of("cgroupfs", tmp_path)
    assert tree.path("/kubepods/pod1") == "kubepods/pod1"
    assert tree.container("/kubepods/pod1", "abc") == "kubepods/pod1/abc"
    assert len(tree.folders("kubepods/pod1")) == 2
    assert tree.folders("") == []
    tree.remove("kubepods/pod1")
    assert tree.folders("kubepods/pod1") == []
    assert (tmp_path / "cpu" / "kubepods").is_dir()


def test_a_tree_of_v2_with_slices(tmp_path: Path) -> None:
    (tmp_path / "a.slice" / "a-b.slice" / "a-b-c.slice").mkdir(parents=True)
    (tmp_path / "cgroup.controllers").touch()
    tree = Tree.of("systemd", tmp_path)
    assert tree.folders(tree.path("a-b-c.slice")) == [tmp_path / "a.slice" / "a-b.slice" / "a-b-c.slice"]
    assert tree.container("a-b.slice", "abc") == "a.slice/a-b.slice/docker-abc.scope"


def test_the_usage_in_v1(tmp_path: Path) -> None:
    write(tmp_path / "cpuacct" / "p", cpuacct__usage="1500\n")
    write(tmp_path / "cpu" / "p", cpu__stat="nr_periods 10\nnr_throttled 3\nthrottled_time 77\n")
    memory = "rss 1\ntotal_rss 400\ntotal_cache 500\ntotal_inactive_file 300\ntotal_pgfault 9\ntotal_pgmajfault 2\n"
    write(
        tmp_path / "memory" / "p",
        memory__usage_in_bytes="1000",
        memory__stat=memory,
        memory__limit_in_bytes="9223372036854771712",
    )
    write(tmp_path / "pids" / "p", pids__current="5\n")
    usage = stats.read(Tree.of("cgroupfs", tmp_path), "p")
    assert usage == stats.Usage(stats.Cpu(1500, 10, 3, 77), stats.Memory(1000, 700, 400, 500, 0, 9, 2, None), 5)
    assert not stats.read(Tree.of("cgroupfs", tmp_path), "gone").known


def test_the_usage_in_v2(tmp_path: Path) -> None:
    write(
        tmp_path / "p",
        cpu__stat="usage_usec 15\nnr_periods 1\nnr_throttled 2\nthrottled_usec 3\n",
        memory__current="1000",
        memory__stat="anon 400\nfile 500\ninactive_file 1300\npgfault 9\npgmajfault 2\n",
        memory__max="2000",
        memory__swap__current="7",
        pids__current="5\n",
    )
    (tmp_path / "cgroup.controllers").touch()
    usage = stats.read(Tree.of("cgroupfs", tmp_path), "p")
    assert usage == stats.Usage(stats.Cpu(15_000, 1, 2, 3_000), stats.Memory(1000, 0, 400, 500, 7, 9, 2, 2000), 5)
    assert stats.read(Tree.of("cgroupfs", tmp_path), "gone") == stats.Usage()


def test_the_machines_memory_where_the_root_tells_none(tmp_path: Path) -> None:
    write(
        tmp_path,
        meminfo="MemTotal: 100 kB\nMemFree: 40 kB\nInactive(file): 10 kB\nAnonPages: 20 kB\nCached: 25 kB\n",
        vmstat="pgfault 8\npgmajfault 1\n",
    )
    assert stats.machine_memory(tmp_path) == stats.Memory(60 << 10, 50 << 10, 20 << 10, 25 << 10, 0, 8, 1)
    assert stats.machine_memory(tmp_path / "none") is None


def test_what_a_folder_takes(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_bytes(b"x" * 10_000)
    os.link(tmp_path / "sub" / "file", tmp_path / "again")
    (tmp_path / "link").symlink_to("/usr")
    found = taken(tmp_path)
    assert found.inodes == 4
    assert found.bytes >= 10_000
    assert taken(tmp_path / "none").bytes == 0
    whole = file_system(tmp_path)
    assert whole.capacity >= whole.available > 0
