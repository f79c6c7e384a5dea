"""The lines that the node must not cross, as Kubernetes' flags write them: `memory.available<100Mi`,
`nodefs.inodesFree<5%`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from api.quantity import canonical, format_bytes, parse
from daemon.duration import Duration

MEMORY = "memory.available"
ALLOCATABLE_MEMORY = "allocatableMemory.available"
NODE_FS, NODE_INODES = "nodefs.available", "nodefs.inodesFree"
IMAGE_FS, IMAGE_INODES = "imagefs.available", "imagefs.inodesFree"
CONTAINER_FS, CONTAINER_INODES = "containerfs.available", "containerfs.inodesFree"
PIDS = "pid.available"

RESOURCE = {
    MEMORY: "memory",
    ALLOCATABLE_MEMORY: "memory",
    NODE_FS: "ephemeral-storage",
    IMAGE_FS: "ephemeral-storage",
    CONTAINER_FS: "ephemeral-storage",
    NODE_INODES: "inodes",
    IMAGE_INODES: "inodes",
    CONTAINER_INODES: "inodes",
    PIDS: "pids",
}
"""What runs short when a signal's threshold is crossed. Its keys are the signals there are."""

CONDITION = {
    signal: {"memory": "MemoryPressure", "pids": "PIDPressure"}.get(resource, "DiskPressure")
    for signal, resource in RESOURCE.items()
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity, or a part of the capacity."""

    text: str

    def of(self, capacity: int) -> Fraction:
        if self.text.endswith("%"):
            return Fraction(int(capacity * Fraction(self.text[:-1]) / 100))
        return parse(self.text)

    def spoken(self, signal: str, capacity: int) -> str:
        """As messages have it."""
        if not self.text.endswith("%"):
            return canonical(self.text)
        return spoken(signal, int(self.of(capacity)))


def spoken(signal: str, number: int) -> str:
    """An amount of a signal's resource: bytes in binary units, counts in decimal ones."""
    return canonical(number) if RESOURCE[signal] in ("inodes", "pids") else format_bytes(number)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Crossed while less than `value` is left. A soft one (with a grace in seconds) must stay crossed for that
    long; a crossed one stays so until `reclaim` more is free."""

    signal: str
    value: Amount
    grace: float = 0.0
    reclaim: Amount | None = None

    @property
    def hard(self) -> bool:
        return self.grace == 0

    @property
    def resource(self) -> str:
        return RESOURCE[self.signal]

    def crossed(self, available: int, capacity: int, *, reclaiming: bool = False) -> bool:
        line = self.value.of(capacity)
        if reclaiming and self.reclaim is not None:
            line += self.reclaim.of(capacity)
        return available < line


def read(
    hard: Iterable[str],
    soft: Iterable[str] = (),
    graces: Iterable[str] = (),
    reclaims: Iterable[str] = (),
    *,
    enforce_pods: bool = True,
) -> tuple[Threshold, ...]:
    """From the options. Raises ValueError with a sentence.

    Args:
        enforce_pods: whether all pods together are held to the node's allocatable memory, which then has the hard
            threshold of memory, too.
    """
    waits = {signal: _grace(text) for signal, text in _pairs(graces, "=").items()}
    wins = {signal: _amount(signal, text) for signal, text in _pairs(reclaims, "=").items()}
    found = [Threshold(signal, value) for signal, value in _values(hard).items()]
    for signal, value in _values(soft).items():
        if signal not in waits:
            raise ValueError(f"grace period must be specified for the soft eviction threshold {signal}")
        found.append(Threshold(signal, value, waits[signal]))
    found = [replace(each, reclaim=wins.get(each.signal)) for each in found]
    if enforce_pods:
        found += [replace(each, signal=ALLOCATABLE_MEMORY) for each in found if each.signal == MEMORY and each.hard]
    return tuple(found)


def _values(statements: Iterable[str]) -> Mapping[str, Amount]:
    pairs = _pairs(statements, "<")
    return {signal: _amount(signal, text) for signal, text in pairs.items() if text not in ("0%", "100%")}


def _pairs(statements: Iterable[str], sign: str) -> Mapping[str, str]:
    found = {}
    for each in statements:
        signal, _, value = each.partition(sign)
        if signal not in RESOURCE:
            raise ValueError(f"unsupported eviction signal {signal}")
        if not value:
            raise ValueError(f"invalid eviction threshold {each!r}: write it as {signal}{sign}VALUE")
        found[signal] = value
    return found


def _amount(signal: str, text: str) -> Amount:
    amount = Amount(text)
    try:
        if text.endswith("%") and not 0 <= Fraction(text[:-1]) <= 100:
            raise ValueError(f"eviction percentage threshold {signal} must be >= 0% and <= 100%: {text}")
        if not text.endswith("%") and parse(text) <= 0:
            raise ValueError(f"eviction threshold {signal} must be positive: {text}")
    except ZeroDivisionError:
        raise ValueError(f"eviction percentage threshold {signal} is no number: {text}") from None
    return amount


def _grace(text: str) -> float:
    grace = float(Duration.parse(text))
    if grace < 0:
        raise ValueError(f"invalid eviction grace period specified: {text}, must be a positive value")
    return grace
