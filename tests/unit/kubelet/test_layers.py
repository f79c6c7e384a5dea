"""An image's files, read where the engine keeps them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kubelet.runtime.layers import Unsure, layers, read


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    for name in ("upper", "lower"):
        (tmp_path / name / "etc").mkdir(parents=True)
    (tmp_path / "lower/etc/passwd").write_text("lower")
    return [str(tmp_path / "upper"), str(tmp_path / "lower")]


def test_the_uppermost_file_counts(folders: list[str]) -> None:
    assert read(folders, "/etc/passwd", 10) == b"lower"
    Path(folders[0], "etc/passwd").write_text("upper")
    assert read(folders, "/etc/passwd", 3) == b"upp"
    assert read(folders, "/etc/group", 10) == read(folders, "/none/at/all", 10) == b""


def test_a_file_that_an_upper_layer_took_away(folders: list[str]) -> None:
    os.mknod(Path(folders[0], "etc/passwd"), stat.S_IFCHR, os.makedev(0, 0))
    assert read(folders, "/etc/passwd", 10) == b""


def test_a_folder_that_an_upper_layer_made_anew(folders: list[str]) -> None:
    os.setxattr(Path(folders[0], "etc"), "trusted.overlay.opaque", b"y")
    assert read(folders, "/etc/passwd", 10) == b""


def test_links_are_never_followed(folders: list[str]) -> None:
    own = Path(folders[0], "etc")
    (own / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(Unsure):
        read(folders, "/etc/passwd", 10)
    (own / "passwd").unlink()
    own.rmdir()
    own.symlink_to("/etc")
    with pytest.raises(Unsure):
        read(folders, "/etc/passwd", 10)


def test_layers_that_are_not_to_be_seen_from_here(folders: list[str]) -> None:
    with pytest.raises(Unsure):
        read([*folders, "/no/such/layer"], "/etc/group", 10)


def test_where_the_layers_are() -> None:
    data = {"UpperDir": "/a", "LowerDir": "/b:/c"}
    assert layers({"GraphDriver": {"Name": "overlay2", "Data": data}}) == ["/a", "/b", "/c"]
    assert layers({"GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": "/a"}}}) == ["/a"]
    for other in ({}, {"GraphDriver": {"Name": "btrfs", "Data": {}}}, {"GraphDriver": None}):
        with pytest.raises(Unsure):
            layers(other)
