"""An image archive, as `docker save` and OCI tools write it, and the parts of it that a node lacks.

An archive is never unpacked. One pass over its headers tells where each member lies; what is sent is the file's own
bytes with the blobs of some layers left out. Docker skips the layers whose chain it has, so it never misses them.
"""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

from api.layers import chain_ids

END = bytes(1024)
"""What ends a tar archive."""
_BLOCK = 512
_SMALL = 8 << 20


class ArchiveError(Exception):
    """The file is no image archive."""


@dataclass(frozen=True, slots=True)
class Member:
    """Where an entry lies: its header(s) from `start`, its content from `data`, the next entry from `end`."""

    name: str
    start: int
    data: int
    size: int
    end: int
    target: str = ""
    """For a link, the member it leads to."""


@dataclass(frozen=True, slots=True)
class Layer:
    chain: str
    """What the layer is, together with all below it."""
    blob: str
    """The member that holds it."""


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    names: tuple[str, ...]
    id: str
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Archive:
    members: Mapping[str, Member]
    images: tuple[ArchivedImage, ...]
    extra: bytes = field(default=b"", repr=False)
    """Entries that the file lacks and Docker needs, as tar."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(dict.fromkeys(layer for image in self.images for layer in image.layers))


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one node gets: ranges of the file, then some bytes."""

    ranges: tuple[tuple[int, int], ...]
    """Each from where and how many bytes."""
    tail: bytes
    skipped: int
    """How many layers the node has already."""
    saved: int
    """How many bytes that spares."""

    @property
    def size(self) -> int:
        return sum(length for _, length in self.ranges) + len(self.tail)


def read(file: BinaryIO, architecture: str = "amd64") -> Archive:
    """Index an archive. Of a multi-platform OCI archive, the image for `architecture` is meant. Raises ArchiveError."""
    members = _members(file)
    if "manifest.json" in members:
        manifest, extra = _json(file, members, "manifest.json"), b""
    elif "index.json" in members:
        manifest = _docker_manifest(file, members, architecture)
        extra = _entry("manifest.json", json.dumps(manifest).encode())
    else:
        raise ArchiveError("it holds neither a manifest.json nor an index.json")
    try:
        return Archive(members, tuple(_image(file, members, each) for each in manifest), extra)
    except (KeyError, TypeError, ValueError) as error:
        raise ArchiveError(f"its manifest is not understood: {error!r}") from error


def parcel(archive: Archive, present: Collection[str]) -> Parcel:
    """The archive without the layers whose chains are `present`."""
    layers = archive.layers
    needed = {layer.blob for layer in layers if layer.chain not in present}
    left_out = {layer.blob for layer in layers} - needed
    dropped = [each for each in archive.members.values() if _resolved(archive.members, each) in left_out]
    names = {each.name for each in dropped}
    ranges = _joined((each.start, each.end) for each in archive.members.values() if each.name not in names)
    return Parcel(
        ranges=tuple((start, end - start) for start, end in ranges),
        tail=archive.extra + END,
        skipped=sum(layer.chain in present for layer in layers),
        saved=sum(each.end - each.start for each in dropped),
    )


def _members(file: BinaryIO) -> dict[str, Member]:
    found: dict[str, Member] = {}
    try:
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for each in tar:
                size = each.size if each.isreg() else 0
                end = each.offset_data + -(-size // _BLOCK) * _BLOCK
                name = posixpath.normpath(each.name)
                target = ""
                if each.issym():
                    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), each.linkname))
                elif each.islnk():
                    target = posixpath.normpath(each.linkname)
                found[name] = Member(name, each.offset, each.offset_data, size, end, target)
    except tarfile.ReadError as error:
        raise ArchiveError(f"it is not a tar archive: {error}") from error
    except tarfile.TarError as error:
        raise ArchiveError(f"it is damaged: {error}") from error
    length = file.seek(0, 2)
    if any(each.end > length for each in found.values()):
        raise ArchiveError("it is cut off")
    return found


def _resolved(members: Mapping[str, Member], member: Member) -> str:
    """The name of what a member is, links followed."""
    seen: set[str] = set()
    while member.target and member.target in members and member.name not in seen:
        seen.add(member.name)
        member = members[member.target]
    return member.name


def _json(file: BinaryIO, members: Mapping[str, Member], name: str) -> Any:
    member = members.get(name)
    if member is None:
        raise ArchiveError(f"{name} is missing")
    member = members[_resolved(members, member)]
    if member.size > _SMALL:
        raise ArchiveError(f"{name} is too large")
    file.seek(member.data)
    try:
        return json.loads(file.read(member.size))
    except ValueError as error:
        raise ArchiveError(f"{name} is not JSON") from error


def _image(file: BinaryIO, members: Mapping[str, Member], entry: Mapping[str, Any]) -> ArchivedImage:
    config = posixpath.normpath(entry["Config"])
    diffs = _json(file, members, config)["rootfs"]["diff_ids"]
    blobs = [posixpath.normpath(each) for each in entry["Layers"]]
    if len(diffs) != len(blobs):
        raise ArchiveError(f"{config} tells of {len(diffs)} layers, the manifest of {len(blobs)}")
    missing = [each for each in blobs if each not in members or members[_resolved(members, members[each])].target]
    if missing:
        raise ArchiveError(f"{missing[0]} is missing")
    held = [_resolved(members, members[each]) for each in blobs]
    layers = tuple(Layer(chain, blob) for chain, blob in zip(chain_ids(diffs), held, strict=True))
    digest = posixpath.basename(config).removesuffix(".json")
    return ArchivedImage(tuple(entry.get("RepoTags") or ()), f"sha256:{digest}", layers)


def _docker_manifest(file: BinaryIO, members: Mapping[str, Member], architecture: str) -> list[dict[str, Any]]:
    """What `manifest.json` would say of an OCI archive."""
    found = []
    for entry in _json(file, members, "index.json").get("manifests") or ():
        notes = entry.get("annotations") or {}
        name = notes.get("io.containerd.image.name") or notes.get("org.opencontainers.image.ref.name") or ""
        body = _platform(file, members, entry, architecture)
        found.append(
            {
                "Config": _blob(body["config"]["digest"]),
                "RepoTags": [name] if ":" in name else [],
                "Layers": [_blob(each["digest"]) for each in body["layers"]],
            }
        )
    if not found:
        raise ArchiveError("its index names no image")
    return found


def _platform(
    file: BinaryIO, members: Mapping[str, Member], entry: Mapping[str, Any], architecture: str
) -> Mapping[str, Any]:
    """The image manifest that an index's entry leads to."""
    body = _json(file, members, _blob(entry["digest"]))
    if "manifests" in body:
        fitting = [
            each
            for each in body["manifests"]
            if (each.get("platform") or {}).get("os", "linux") == "linux"
            and (each.get("platform") or {}).get("architecture", architecture) == architecture
        ]
        if not fitting:
            raise ArchiveError(f"it holds no image for linux/{architecture}")
        return _platform(file, members, fitting[0], architecture)
    if "config" not in body or "layers" not in body:
        raise ArchiveError("its index leads to no image manifest")
    return dict(body)


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"


def _entry(name: str, content: bytes) -> bytes:
    """One file as tar, without the archive's end."""
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        header = tarfile.TarInfo(name)
        header.size = len(content)
        tar.addfile(header, BytesIO(content))
    return buffer.getvalue()[: _BLOCK + -(-len(content) // _BLOCK) * _BLOCK]


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbours as one."""
    found: list[tuple[int, int]] = []
    for start, end in ranges:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
