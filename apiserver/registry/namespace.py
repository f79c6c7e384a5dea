"""Namespace: the scope of names. It goes when all that is in it has gone, which its own list of finalizers sees to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from api import names
from api.field import FieldError, invalid
from apiserver.registry.columns import UNKNOWN
from apiserver.registry.kind import VERBS, Column, Context, Kind, Object, StatusStrategy
from apiserver.registry.metadata import validate_finalizer

_FINALIZER = "kubernetes"
_NAME_LABEL = "kubernetes.io/metadata.name"


class NamespaceStrategy(StatusStrategy):
    field_names = ("status.phase",)

    def validate_name(self, name: str) -> list[str]:
        return names.dns1123_label(name)

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        meta = obj["metadata"]
        if name := meta.get("name"):
            labels = meta.get("labels")
            if not labels:
                meta["labels"] = {_NAME_LABEL: name}
            elif labels.get(_NAME_LABEL) != name:
                labels[_NAME_LABEL] = name

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {"phase": "Active"}
        given = obj["spec"].get("finalizers") or []
        if _FINALIZER not in given:
            obj["spec"]["finalizers"] = [*given, _FINALIZER]

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_for_update(new, old, ctx)
        # Only the finalize subresource changes these.
        new["spec"] = old.get("spec") or {}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors: list[FieldError] = []
        for name in obj["spec"].get("finalizers") or ():
            errors += validate_finalizer(name, "spec.finalizers")
        return errors

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return []

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        phase = (new.get("status") or {}).get("phase") or ""
        deleted = bool(new["metadata"].get("deletionTimestamp"))
        expected = "Terminating" if deleted else "Active"
        if phase == expected:
            return []
        state = "not empty" if deleted else "empty"
        return [invalid("status.Phase", phase, f"may only be '{expected}' if `deletionTimestamp` is {state}")]

    def prepare_for_delete(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}

    def held(self, obj: Object) -> bool:
        return bool((obj.get("spec") or {}).get("finalizers"))

    def fields(self, obj: Object) -> Mapping[str, str]:
        return {"status.phase": (obj.get("status") or {}).get("phase") or ""}


def _phase(obj: Object, now: datetime) -> str:
    return (obj.get("status") or {}).get("phase") or UNKNOWN


KIND = Kind(
    group="",
    version="v1",
    kind="Namespace",
    plural="namespaces",
    definition="io.k8s.api.core.v1.Namespace",
    singular="namespace",
    strategy=NamespaceStrategy(),
    namespaced=False,
    verbs=tuple(verb for verb in VERBS if verb != "deletecollection"),
    short_names=("ns",),
    status=True,
    subresources=("finalize",),
    columns=(Column("Status", _phase, description="The status of the namespace"),),
)
