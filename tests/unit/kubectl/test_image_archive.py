"""Image archives: indexed, cut down to what a node lacks, and still archives."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl.images.archive import Archive, ArchiveError, Parcel, parcel, read


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def chain(*diffs: str) -> str:
    found = diffs[0]
    for each in diffs[1:]:
        found = f"sha256:{digest(f'{found} {each}'.encode())}"
    return found


def tar(files: Mapping[str, bytes | str]) -> io.BytesIO:
    """Text is where a symbolic link leads."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                out.addfile(entry)
            else:
                entry.size = len(content)
                out.addfile(entry, io.BytesIO(content))
    return buffer


def config(*layers: bytes) -> bytes:
    diffs = [f"sha256:{digest(each)}" for each in layers]
    return json.dumps({"architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diffs}}).encode()


def saved(*layers: bytes, name: str = "app:1") -> dict[str, bytes | str]:
    """As `docker save` of Docker 20 writes it: the manifest last."""
    files: dict[str, bytes | str] = {f"{number}/layer.tar": layer for number, layer in enumerate(layers)}
    body = config(*layers)
    files[f"{digest(body)}.json"] = body
    paths = [f"{number}/layer.tar" for number in range(len(layers))]
    entry = {"Config": f"{digest(body)}.json", "RepoTags": [name], "Layers": paths}
    return {**files, "manifest.json": json.dumps([entry]).encode(), "repositories": b"{}"}


def sent(file: io.BytesIO, cut: Parcel) -> dict[str, bytes]:
    """What the other side unpacks."""
    whole = file.getvalue()
    body = b"".join(whole[start : start + length] for start, length in cut.ranges) + cut.tail
    assert len(body) == cut.size
    with tarfile.open(fileobj=io.BytesIO(body)) as out:
        return {each.name: out.extractfile(each).read() for each in out if each.isreg()}  # type: ignore[union-attr]


def test_layers_that_are_there_are_left_out() -> None:
    base, top = b"b" * 5000, b"t" * 700
    file = tar(saved(base, top))
    archive = read(file)
    assert archive.images[0].names == ("app:1",)
    diffs = [f"sha256:{digest(each)}" for each in (base, top)]
    assert [each.chain for each in archive.layers] == [diffs[0], chain(*diffs)]
    everything = sent(file, parcel(archive, ()))
    assert everything["0/layer.tar"] == base
    cut = parcel(archive, {diffs[0]})
    assert (cut.skipped, cut.saved) == (1, 512 + 5120)
    assert set(everything) - set(sent(file, cut)) == {"0/layer.tar"}
    assert cut.size + cut.saved == parcel(archive, ()).size


def test_a_blob_that_another_chain_needs_is_sent() -> None:
    """Docker 20 saves equal layers of several images once; the others are links to it."""
    base, other, top = b"base", b"other", b"top"
    files = saved(base, top)
    second = config(other, top)
    files |= {"x/layer.tar": other, "y/layer.tar": "../1/layer.tar", "second.json": second}
    manifest = json.loads(bytes(files["manifest.json"]))  # type: ignore[arg-type]
    manifest.append({"Config": "second.json", "RepoTags": ["app:2"], "Layers": ["x/layer.tar", "y/layer.tar"]})
    file = tar({**files, "manifest.json": json.dumps(manifest).encode()})
    archive = read(file)
    first = {each.chain for each in archive.images[0].layers}
    assert "1/layer.tar" in sent(file, parcel(archive, first))
    both = {each.chain for each in archive.layers}
    left = parcel(archive, both)
    assert left.skipped == 4
    assert not [name for name in sent(file, left) if name.endswith("layer.tar")]


def oci(*layers: bytes, annotations: Mapping[str, str], platforms: tuple[str, ...] = ()) -> io.BytesIO:
    """An OCI layout, of one platform or of several that differ in name only."""
    files: dict[str, bytes | str] = {}

    def blob(data: bytes) -> dict[str, object]:
        files[f"blobs/sha256/{digest(data)}"] = data
        return {"digest": f"sha256:{digest(data)}", "size": len(data)}

    body = config(*layers)
    entry = blob(json.dumps({"config": blob(body), "layers": [blob(each) for each in layers]}).encode())
    if platforms:
        listed = [{**entry, "platform": {"os": "linux", "architecture": each}} for each in platforms]
        entry = blob(json.dumps({"manifests": listed}).encode())
    index = {"manifests": [{**entry, "annotations": annotations}]}
    return tar({**files, "oci-layout": b"{}", "index.json": json.dumps(index).encode()})


def test_an_oci_layout_gets_the_manifest_that_docker_wants() -> None:
    layer = b"z" * 2000
    file = oci(layer, annotations={"io.containerd.image.name": "docker.io/library/app:1"}, platforms=("arm64", "amd64"))
    archive = read(file, "amd64")
    assert archive.images[0].names == ("docker.io/library/app:1",)
    told = json.loads(sent(file, parcel(archive, ()))["manifest.json"])
    assert told[0]["Layers"] == [f"blobs/sha256/{digest(layer)}"]
    cut = parcel(archive, {f"sha256:{digest(layer)}"})
    assert f"blobs/sha256/{digest(layer)}" not in sent(file, cut)
    with pytest.raises(ArchiveError, match="no image for linux/s390x"):
        read(file, "s390x")


@given(st.lists(st.binary(min_size=1, max_size=2000), min_size=1, max_size=6, unique=True), st.integers(0, 6))
def test_what_is_sent_and_what_is_there_are_the_whole(layers: list[bytes], there: int) -> None:
    file = tar(saved(*layers))
    archive: Archive = read(file)
    present = {each.chain for each in archive.layers[:there]}
    cut = parcel(archive, present)
    got = sent(file, cut)
    blobs = {each.blob for each in archive.layers if each.chain not in present}
    assert {name for name in got if name.endswith("layer.tar")} == blobs
    assert {"manifest.json", archive.images[0].id.removeprefix("sha256:") + ".json"} <= set(got)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"hello\n", "not a tar archive"),
        (b"", "not a tar archive"),
        (tar({"etc/passwd": b"x"}).getvalue(), "neither a manifest.json nor an index.json"),
        (tar({"manifest.json": b"nonsense"}).getvalue(), "manifest.json is not JSON"),
        (tar({"manifest.json": b'[{"Config": "c.json", "Layers": []}]'}).getvalue(), "c.json is missing"),
        (tar({**saved(b"x"), "0/layer.tar": "nowhere"}).getvalue(), "0/layer.tar is missing"),
        (tar(saved(b"x" * 9000)).getvalue()[:4000], "cut off|damaged|not a tar"),
        (tar({"index.json": b'{"manifests": []}'}).getvalue(), "names no image"),
    ],
)
def test_what_is_no_image_archive(content: bytes, why: str) -> None:
    with pytest.raises(ArchiveError, match=why):
        read(io.BytesIO(content))
