"""Which credentials fit an image: Kubernetes' rules for pull secrets.

An entry names a registry, with or without a path, and with wildcards in the host's labels. All that match are tried,
the most specific first. Nothing here is ever logged or shown: credentials print as their registry alone.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from kubelet.images.names import DEFAULT_REGISTRY, ImageName

JSON_TYPE, JSON_KEY = "kubernetes.io/dockerconfigjson", ".dockerconfigjson"
LEGACY_TYPE, LEGACY_KEY = "kubernetes.io/dockercfg", ".dockercfg"
_DOCKER_HUB = "index.docker.io"


class KeyringError(ValueError):
    """A secret that is no Docker configuration. Says nothing of its content."""


@dataclass(frozen=True, slots=True)
class Credential:
    registry: str
    """As the entry has it."""
    username: str = field(repr=False)
    password: str = field(repr=False)
    secret: str = field(default="", compare=False)
    """The Secret that it is from, `namespace/name/uid`; empty for the node's own."""

    def auth(self) -> dict[str, str]:
        """As Docker's API takes it."""
        return {"username": self.username, "password": self.password, "serveraddress": self.registry}


def read_secret(kind: str, data: Mapping[str, bytes]) -> list[Credential]:
    """The credentials of a pull secret; none for a secret of another type. Raises KeyringError."""
    if kind == JSON_TYPE and JSON_KEY in data:
        return read_config(data[JSON_KEY])
    if kind == LEGACY_TYPE and LEGACY_KEY in data:
        return _entries(_object(data[LEGACY_KEY]))
    return []


def read_config(text: bytes) -> list[Credential]:
    """The credentials of Docker's `config.json`. Raises KeyringError."""
    auths = _object(text).get("auths", {})
    if not isinstance(auths, dict):
        raise KeyringError("auths is no object")
    return _entries(auths)


def find(credentials: Iterable[Credential], image: ImageName) -> list[Credential]:
    """Those to try for an image, in order."""
    target = image.full_repository
    keyed = [(_key(each.registry), each) for each in credentials]
    fitting = [(key, each) for key, each in keyed if _fits(key, target)]
    if not fitting and target.startswith(f"{DEFAULT_REGISTRY}/"):
        fitting = [(key, each) for key, each in keyed if key == _DOCKER_HUB]
    # The sort is stable: among equals the order of the secrets decides.
    fitting.sort(key=lambda pair: pair[0], reverse=True)
    return list(dict.fromkeys(each for _, each in fitting))


def _object(text: bytes) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        raise KeyringError("not JSON") from None  # the cause would quote the secret
    if not isinstance(body, dict):
        raise KeyringError("no JSON object")
    return body


def _entries(auths: Mapping[str, Any]) -> list[Credential]:
    found = []
    for registry, entry in auths.items():
        if not isinstance(entry, dict):
            raise KeyringError("an entry is no object")
        username, password = str(entry.get("username") or ""), str(entry.get("password") or "")
        if entry.get("auth"):
            username, password = _decoded(str(entry["auth"]))
        found.append(Credential(registry, username, password))
    return found


def _decoded(auth: str) -> tuple[str, str]:
    try:
        plain = base64.b64decode(auth.strip() + "=" * (-len(auth.strip()) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise KeyringError("an auth is not base64") from None
    username, colon, password = plain.partition(":")
    if not colon:
        raise KeyringError("an auth is not of the form user:password")
    return username, password


def _key(registry: str) -> str:
    """Host and path, without scheme, without the API's version that Docker's own entry carries."""
    bare = registry.partition("://")[2] or registry
    host, _, path = bare.partition("/")
    path = f"/{path}"
    for version in ("/v1/", "/v2/"):
        if path.startswith(version):
            path = path[len(version) - 1 :]
    return host if path == "/" else host + path


def _fits(key: str, target: str) -> bool:
    """The ports are equal, each label of the host matches its pattern, and the path begins with the entry's."""
    host, _, path = key.partition("/")
    wanted, _, wanted_path = target.partition("/")
    name, _, port = host.partition(":")
    wanted_name, _, wanted_port = wanted.partition(":")
    labels, wanted_labels = name.split("."), wanted_name.split(".")
    if port != wanted_port or len(labels) != len(wanted_labels):
        return False
    matching = all(fnmatchcase(label, pattern) for label, pattern in zip(wanted_labels, labels, strict=True))
    return matching and wanted_path.startswith(path)
