"""What protobuf field numbers mean, read from the data that `api.schema.wire` makes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import orjson

from api.codec import MalformedBody
from api.schema.node import DATA

MAGIC = b"k8s\x00"
META = "k8s.io.apimachinery.pkg.apis.meta.v1"
EXTENSIONS = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1"

_PACKAGES = {
    "apiextensions.k8s.io": "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions",
    "apiregistration.k8s.io": "k8s.io.kube_aggregator.pkg.apis.apiregistration",
    "meta.k8s.io": "k8s.io.apimachinery.pkg.apis.meta",
}


class Row(NamedTuple):
    """A field: its JSON name, its type, its flags (see `schema/wire.py`)."""

    name: str
    type: str
    flags: str

    @property
    def repeated(self) -> bool:
        return "r" in self.flags

    @property
    def inlined(self) -> bool:
        return "i" in self.flags

    @property
    def keeps_zero(self) -> bool:
        return "k" in self.flags

    @property
    def values(self) -> str:
        """What a map from strings holds; empty for any other field."""
        return self.type[4:] if self.type.startswith("map:") else ""


@cache
def _files() -> Mapping[str, Path]:
    return {path.stem: path for path in (DATA / "protobuf").glob("*.json")}


@cache
def _known(package: str) -> Mapping[str, Mapping[str, list[str]]]:
    found: Mapping[str, Mapping[str, list[str]]] = orjson.loads(_files()[package].read_bytes())
    return found


def _messages(package: str) -> Mapping[str, Mapping[str, list[str]]]:
    """The messages of a package, none if nobody knows it: clients name packages, so only known ones are remembered."""
    return _known(package) if package in _files() else {}


@cache
def rows_of(message: str) -> Mapping[int, Row]:
    """A message's fields by number. Raises MalformedBody for an unknown message."""
    package, _, name = message.rpartition(".")
    rows = _messages(package).get(name)
    if rows is None:
        raise MalformedBody(f"no protobuf message {message} is known")
    return {int(number): Row(*row) for number, row in rows.items()}


def package_of(api_version: str) -> str:
    """The protobuf package of a group and version."""
    group, _, version = api_version.rpartition("/")
    return f"{_PACKAGES.get(group) or 'k8s.io.api.' + (group.partition('.')[0] or 'core')}.{version}"


@lru_cache(maxsize=1024)
def find_message(api_version: str, kind: str) -> str:
    """The full name of a kind's message. Raises MalformedBody. DeleteOptions and the like are served in every group."""
    for package in (package_of(api_version), META):
        if kind in _messages(package):
            return f"{package}.{kind}"
    raise MalformedBody(f'no kind "{kind}" is registered for version "{api_version}"')


def has_message(api_version: str, kind: str) -> bool:
    """Whether objects of a kind can be written in protobuf."""
    return kind in _messages(package_of(api_version))
