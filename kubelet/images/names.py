"""Image names as Docker reads them: `[registry/]repository[:tag][@digest]`, with `docker.io/library` understood."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_REGISTRY = "docker.io"
DEFAULT_TAG = "latest"

_REGISTRY = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])"
    r"(?::[0-9]+)?"
)
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_ID = re.compile(r"[0-9a-f]{64}")


class ImageNameError(ValueError):
    """The text is no image name."""


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image name taken apart. `repository` is as the user wrote it."""

    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        """What to ask Docker for. Of a tag and a digest the digest alone decides, and Docker wants only one."""
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"

    @property
    def full_repository(self) -> str:
        """With the registry and the folder that a short name leaves out: `docker.io/library/busybox`."""
        registry, path = _split(self.repository)
        if registry in (DEFAULT_REGISTRY, "index.docker.io") and "/" not in path:
            path = f"library/{path}"
        return f"{DEFAULT_REGISTRY if registry == 'index.docker.io' else registry}/{path}"


def parse(text: str) -> ImageName:
    """Raises ImageNameError, with Docker's words."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise ImageNameError("invalid reference format")
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, tag = rest, ""
    elif not _TAG.fullmatch(tag):
        raise ImageNameError("invalid reference format")
    if _ID.fullmatch(head):
        raise ImageNameError(f"invalid repository name ({head}), cannot specify 64-byte hexadecimal strings")
    registry, path = _split(head)
    if path.lower() != path:
        raise ImageNameError("invalid reference format: repository name must be lowercase")
    if not _REGISTRY.fullmatch(registry) or not _PATH.fullmatch(path):
        raise ImageNameError("invalid reference format")
    if len(head) > 255:
        raise ImageNameError("repository name must not be more than 255 characters")
    return ImageName(head, "" if digest else tag or DEFAULT_TAG, digest)


def _split(repository: str) -> tuple[str, str]:
    """The registry and the path in it. What stands before the first slash is a registry if it looks like a host."""
    first, slash, path = repository.partition("/")
    if slash and (any(char in first for char in ".:") or first == "localhost" or first.lower() != first):
        return first, path
    return DEFAULT_REGISTRY, repository
