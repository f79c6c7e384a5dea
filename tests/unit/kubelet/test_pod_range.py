"""The range of the node's pods outlives the kubelet."""

from __future__ import annotations

from pathlib import Path

from kubelet.network import pod_range


def test_it_is_remembered_until_it_is_forgotten(tmp_path: Path) -> None:
    assert pod_range.recall(tmp_path) == ""
    pod_range.remember(tmp_path, "10.244.3.0/24")
    assert pod_range.recall(tmp_path) == "10.244.3.0/24"
    pod_range.forget(tmp_path)
    pod_range.forget(tmp_path)
    assert pod_range.recall(tmp_path) == ""


def test_a_full_disk_is_only_told(tmp_path: Path) -> None:
    pod_range.remember(tmp_path / "gone", "10.244.3.0/24")
    assert pod_range.recall(tmp_path / "gone") == ""
