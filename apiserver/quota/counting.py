"""A quota's sums: what is used, whether more fits, and the sentence that refuses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api import quantity
from apiserver.quota.usage import Amounts
from apiserver.registry.kind import Object


def hard(quota: Object) -> Mapping[str, str]:
    return (quota.get("spec") or {}).get("hard") or {}


def used(quota: Object) -> Mapping[str, str]:
    return (quota.get("status") or {}).get("used") or {}


def counted(quota: Object) -> bool:
    """Whether the status tells of all that the spec limits, as it limits it now."""
    status = quota.get("status") or {}
    return (status.get("hard") or {}) == hard(quota) and hard(quota).keys() <= used(quota).keys()


def with_used(quota: Object, amounts: Mapping[str, str]) -> Object:
    """The quota with another status, sharing the rest."""
    return {**quota, "status": {"hard": dict(hard(quota)), "used": dict(amounts)}}


def growth(now: Amounts, before: Amounts, names: Iterable[str]) -> Amounts:
    """What an object takes more than before, of the named; what it gives back is found when all is counted anew."""
    grown: Amounts = {}
    for name in names:
        if name in now:
            more = quantity.minus(now[name], before[name]) if name in before else now[name]
            if quantity.parse(more) > 0:
                grown[name] = more
    return grown


def charged(have: Mapping[str, str], more: Amounts) -> Amounts:
    return {**have, **{name: quantity.plus(have.get(name, "0"), amount) for name, amount in more.items()}}


def exceeded(quota: Object, more: Amounts) -> str:
    """Why `more` is too much, or nothing."""
    have, most = used(quota), hard(quota)
    after = charged(have, more)
    over = [name for name in sorted(more) if quantity.parse(after[name]) > quantity.parse(most[name])]
    if not over:
        return ""
    parts = [f"{called}: {_shown(amounts, over)}" for called, amounts in _named(more, have, most)]
    return f"exceeded quota: {quota['metadata']['name']}, {', '.join(parts)}"


def _named(*amounts: Mapping[str, str]) -> Iterable[tuple[str, Mapping[str, str]]]:
    return zip(("requested", "used", "limited"), amounts, strict=True)


def _shown(amounts: Mapping[str, str], names: Iterable[str]) -> str:
    return ",".join(f"{name}={amounts.get(name, '0')}" for name in names)


def total(amounts: Iterable[Amounts], names: Iterable[str]) -> Amounts:
    """The sum of what objects take, of the named; 0 where they take nothing."""
    found = dict.fromkeys(names, "0")
    for each in amounts:
        for name in found.keys() & each.keys():
            found[name] = quantity.plus(found[name], each[name])
    return found
