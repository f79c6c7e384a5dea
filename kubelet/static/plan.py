"""What is to be done about static pods and their mirrors: pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Literal

from kubelet.static.annotations import Key


@dataclass(frozen=True)
class Plan:
    """Pods to end, by uid, and pods to start, by key."""

    end: frozenset[str] = frozenset()
    start: frozenset[Key] = frozenset()


def pods(wanted: Mapping[Key, str], there: Mapping[str, Key], ending: Set[str]) -> Plan:
    """`wanted` are the uids that the manifests ask for; `there` is what this node has of static pods, by uid; `ending`
    of these are on their way out.

    A changed manifest's pod starts when nothing of the old one is left, for both may want the same port or file.
    """
    end = {uid for uid, key in there.items() if wanted.get(key) != uid}
    taken = set(there.values())
    return Plan(frozenset(end - ending), frozenset(key for key in wanted if key not in taken))


@dataclass(frozen=True)
class Mirror:
    """A mirror pod as the API server has it: which static pod it shows, and whether somebody is deleting it."""

    shows: str
    deleting: bool = False


def mirror(wanted: str, mirror: Mirror | None, ending: Set[str]) -> Literal["create", "delete", ""]:
    """`wanted` is the uid of the static pod that should have a mirror of this name, or nothing. A mirror stays as long
    as something of its pod does."""
    if mirror is None:
        return "create" if wanted else ""
    if mirror.deleting:
        return "delete"
    return "" if mirror.shows == wanted or mirror.shows in ending else "delete"
