"""What `pytheas image` does around the archive: where it comes from, how it is sent, what the list shows."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from api.errors import InternalError
from kubectl.commands.image.ls import table
from kubectl.errors import CliError
from kubectl.images.archive import read
from kubectl.images.nodes import NodeImages
from kubectl.images.send import Delivery, Way, megabytes
from kubectl.images.source import opened
from tests.unit.kubectl.test_image_archive import saved, tar

LAYERS = (b"base" * 1000, b"top" * 100)


def ignore(size: int) -> None:
    """Nobody looks."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app.tar"
    path.write_bytes(tar(saved(*LAYERS)).getvalue())
    return path


def test_an_archive_comes_from_a_file_compressed_or_not_or_from_a_pipe(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "app.tar.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    fetched: list[int] = []
    for source in (str(file), str(packed), "-"):
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(packed.read_bytes())))
        monkeypatch.setattr(sys, "stdin", stdin)
        with opened(source, fetched.append) as archive:
            assert read(archive).images[0].names == ("app:1",)
    assert fetched[-1] == file.stat().st_size


def test_what_can_not_be_read_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "app.tgz"
    broken.write_bytes(gzip.compress(b"x" * 100_000)[:-20])
    for source, why in ((str(broken), "cannot be read"), ("no/such.tar", "no such file"), ("./none", "no such file")):
        with pytest.raises(CliError, match=why), opened(source, ignore):
            pass


class Node:
    """A node that has some layers, or loses them before they are needed."""

    def __init__(self, present: set[str], free: int | None = None, *, forgets: bool = False) -> None:
        self.present, self.free, self.forgets = present, free, forgets
        self.got: list[bytes] = []

    def layers(self, chains: list[str]) -> tuple[set[str], int | None]:
        return self.present & set(chains), self.free

    def load(self, body: Iterable[bytes], length: int) -> list[str]:
        self.got.append(b"".join(body))
        assert len(self.got[-1]) == length
        if self.forgets:
            self.forgets = False
            raise InternalError("open /docker/tmp/0/layer.tar: no such file or directory")
        return ["app:1"]


def deliver(file: Path, node: Node) -> tuple[Delivery, Any]:
    with file.open("rb") as opened_file:
        delivery = Delivery(opened_file, read(opened_file), {"one": Way()})
        return delivery, delivery.to("one", cast(NodeImages, node))


def test_a_node_gets_what_it_lacks(file: Path) -> None:
    chains = [each.chain for each in read(io.BytesIO(file.read_bytes())).layers]
    whole, half, none = Node(set()), Node({chains[0]}), Node(set(chains))
    for node in (whole, half, none):
        delivery, (loaded, sent) = deliver(file, node)
        assert loaded == ["app:1"]
        assert sent.skipped == len(node.present)
        assert delivery.ways["one"].sent == delivery.ways["one"].total == len(node.got[0]) == sent.size
        assert delivery.ways["one"].text == "unpacking"
    assert LAYERS[0] in whole.got[0]
    assert LAYERS[0] not in half.got[0]
    assert LAYERS[1] in half.got[0]
    assert LAYERS[1] not in none.got[0]


def test_a_layer_that_went_meanwhile_is_sent_after_all(file: Path) -> None:
    node = Node({each.chain for each in read(io.BytesIO(file.read_bytes())).layers}, forgets=True)
    _, (_, sent) = deliver(file, node)
    assert [LAYERS[0] in got for got in node.got] == [False, True]
    assert sent.skipped == 0


def test_a_node_without_room_is_sent_nothing(file: Path) -> None:
    node = Node(set(), free=9_000)
    with pytest.raises(CliError, match=r"not enough room on the disk of Docker: \d+ kB are needed, 9 kB are left"):
        deliver(file, node)
    assert node.got == []


def test_the_list_has_a_line_for_each_name_and_id() -> None:
    def image(name: str, letter: str, size: int = 2_500_000) -> dict[str, Any]:
        return {"names": [name] if name else [], "digests": [], "id": f"sha256:{letter * 64}", "size": size}

    found = {
        "two": [image("app:1", "a"), image("app:2", "c")],
        "one": [image("app:1", "a"), image("app:2", "b"), image("", "d")],
    }
    assert table(found) == [
        ["<none>", "d" * 12, "2.5 MB", "one"],
        ["app:1", "a" * 12, "2.5 MB", "one,two"],
        ["app:2", "b" * 12, "2.5 MB", "one"],
        ["app:2", "c" * 12, "2.5 MB", "two"],
    ]
    assert [row[0] for row in table(found, ["app:2"])] == ["app:2", "app:2"]
    assert [row[0] for row in table(found, ["app"])] == ["app:1", "app:2", "app:2"]
    many = {f"node{number}": [image("app:1", "a")] for number in range(6)}
    assert table(many)[0][3] == "node0,node1,node2,node3 +2"


@pytest.mark.parametrize(
    ("size", "spoken"), [(12, "12 B"), (310_400, "310 kB"), (8_390_144, "8.4 MB"), (1_073_756_160, "1.07 GB")]
)
def test_sizes(size: int, spoken: str) -> None:
    assert megabytes(size) == spoken
