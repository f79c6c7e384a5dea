"""Which taints a pod bears."""

from __future__ import annotations

from collections.abc import Iterable

from api.types import core_v1


def tolerates(toleration: core_v1.Toleration, taint: core_v1.Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and (toleration.value or "") == (taint.value or "")


def bears(tolerations: Iterable[core_v1.Toleration] | None, taint: core_v1.Taint) -> bool:
    return any(tolerates(each, taint) for each in tolerations or ())
