"""ComponentStatus: how the control plane is, as it was once asked. Nothing tells any more, so there are none."""

from __future__ import annotations

from apiserver.registry.columns import NAME
from apiserver.registry.kind import Column, Kind


def _nothing(*_: object) -> str:
    return ""


KIND = Kind(
    group="",
    version="v1",
    kind="ComponentStatus",
    plural="componentstatuses",
    definition="io.k8s.api.core.v1.ComponentStatus",
    namespaced=False,
    singular="componentstatus",
    short_names=("cs",),
    verbs=("get", "list"),
    table="plain",
    deprecation="v1 ComponentStatus is deprecated in v1.19+",
    columns=(
        NAME,
        Column("Status", _nothing, description="Whether it is healthy."),
        Column("Message", _nothing, description="What it says."),
        Column("Error", _nothing, description="What is wrong with it."),
    ),
)
