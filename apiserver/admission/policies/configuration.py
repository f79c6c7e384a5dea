"""The policies that are configured, with their bindings: read from their objects once for each change of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from apiserver.admission.policies.binding import Binding

if TYPE_CHECKING:
    from apiserver.registry.kind import Object
    from apiserver.storage.cache import Cache

Policy = TypeVar("Policy")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Bound(Generic[Policy]):
    """A policy with the bindings that name it."""

    policy: Policy
    bindings: tuple[Binding, ...]


class _Read(Generic[Made]):
    """What one kind's objects were made into, by name; an object that has not changed is not made anew."""

    def __init__(self, make: Callable[[Object], Made]) -> None:
        self._make = make
        self._known: dict[tuple[str, int], Made] = {}
        self.revision = -1
        self.made: dict[str, Made] = {}

    def refresh(self, cache: Cache) -> bool:
        """Whether anything has changed since the last time."""
        if cache.revision == self.revision:
            return False
        known, self._known, self.made = self._known, {}, {}
        for entry in cache.select("", None):
            key = (entry.name, entry.revision)
            made = known[key] if key in known else self._make(entry.decode())
            self._known[key] = self.made[entry.name] = made
        self.revision = cache.revision
        return True


class Configuration(Generic[Policy]):
    """The policies of one kind, compiled."""

    def __init__(self, make: Callable[[Object], Policy]) -> None:
        self._policies = _Read(make)
        self._bindings = _Read(Binding.of)
        self._bound: tuple[Bound[Policy], ...] = ()

    def bound(self, policies: Cache, bindings: Cache) -> tuple[Bound[Policy], ...]:
        """All policies that have bindings, in the order of their names."""
        changed = self._policies.refresh(policies)
        if self._bindings.refresh(bindings) or changed:
            found: dict[str, list[Binding]] = {}
            for binding in self._bindings.made.values():
                found.setdefault(binding.policy, []).append(binding)
            made = self._policies.made
            self._bound = tuple(Bound(made[name], tuple(found[name])) for name in made if name in found)
        return self._bound
