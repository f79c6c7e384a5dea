"""Semantic versions: `semver('1.2.3-beta.1')`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from apiserver.cel.functions import function, opaque
from apiserver.cel.values import CelError

_NAME = "kubernetes.Semver"
_NUMBER = r"(0|[1-9]\d{0,19})"
_WORDS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_WORDS}))?(?:\+{_WORDS})?\Z", re.ASCII)
_LOOSE = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)\Z", re.ASCII)

Precedence = tuple[tuple[int, int, str], ...]


@opaque(_NAME)
@dataclass(frozen=True, slots=True)
class Semver:
    """`precedence` orders what comes before a release, after the three numbers."""

    major: int
    minor: int
    patch: int
    precedence: Precedence

    @property
    def order(self) -> tuple[int, int, int, bool, Precedence]:
        return self.major, self.minor, self.patch, not self.precedence, self.precedence


def _precedence(text: str | None) -> Precedence:
    parts = text.split(".") if text else ()
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


@function(_NAME, "semver(string)", "semver(string, bool)")
def parse(text: str, normalize: bool = False) -> Semver:
    match = _VERSION.match(_normal(text) if normalize else text)
    if match is None or any(part.isdecimal() and part != str(int(part)) for part in (match[4] or "").split(".")):
        raise CelError(f"semver parse error: {text} is no semantic version")
    return Semver(int(match[1]), int(match[2]), int(match[3]), _precedence(match[4]))


def _normal(text: str) -> str:
    """Without a leading `v` and leading zeros, with all three numbers."""
    match = _LOOSE.match(text)
    if match is None:
        return text
    numbers = ".".join(str(int(number or 0)) for number in match.groups()[:3])
    return numbers + match[4]


@function("bool", "isSemver(string)", "isSemver(string, bool)")
def is_semver(text: str, normalize: bool = False) -> bool:
    try:
        parse(text, normalize)
    except CelError:
        return False
    return True


@function("int", f"{_NAME}.major()")
def major(version: Semver) -> int:
    return version.major


@function("int", f"{_NAME}.minor()")
def minor(version: Semver) -> int:
    return version.minor


@function("int", f"{_NAME}.patch()")
def patch(version: Semver) -> int:
    return version.patch


@function("bool", f"{_NAME}.isLessThan({_NAME})")
def is_less(version: Semver, other: Semver) -> bool:
    return version.order < other.order


@function("bool", f"{_NAME}.isGreaterThan({_NAME})")
def is_greater(version: Semver, other: Semver) -> bool:
    return version.order > other.order


@function("int", f"{_NAME}.compareTo({_NAME})")
def compare(version: Semver, other: Semver) -> int:
    return (version.order > other.order) - (version.order < other.order)
