"""Node: a machine that runs pods."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from api.field import FieldError, duplicate, forbidden, invalid
from apiserver.registry import resources, rules
from apiserver.registry.columns import AGE, NAME, NONE, UNKNOWN
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy
from apiserver.registry.podspec import scheduling

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE = "kubernetes.io/role"
_ONCE = 'except from "" to valid'


class NodeStrategy(Strategy):
    field_names = ("spec.unschedulable",)

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        if spec.get("podCIDR") and not spec.get("podCIDRs"):
            spec["podCIDRs"] = [spec["podCIDR"]]
        elif spec.get("podCIDRs") and not spec.get("podCIDR"):
            spec["podCIDR"] = spec["podCIDRs"][0]
        _default_status(obj)

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)

    def prepare_for_status_update(self, new: Object, old: Object, ctx: Context) -> None:
        _default_status(new)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        # Kubernetes reports taints under metadata, and clients have learnt to look there.
        errors = scheduling.taints(obj["spec"].get("taints") or [], "metadata.taints")
        return errors + _amounts(obj) + _pod_cidrs(obj["spec"].get("podCIDRs") or [])

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = _addresses(new)
        spec, before = new["spec"], old.get("spec") or {}
        if before.get("podCIDRs") and spec.get("podCIDRs") != before["podCIDRs"]:
            errors.append(forbidden("spec.podCIDRs", f"node updates may not change podCIDR {_ONCE}"))
        elif not before.get("podCIDRs"):
            errors += _pod_cidrs(spec.get("podCIDRs") or [])
        if before.get("providerID") and spec.get("providerID") != before["providerID"]:
            errors.append(forbidden("spec.providerID", f"node updates may not change providerID {_ONCE}"))
        errors += scheduling.taints(spec.get("taints") or [], "metadata.taints")
        if (spec.get("externalID") or "") != (before.get("externalID") or ""):
            errors.append(forbidden("spec.externalID", "may not be updated"))
        return errors

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return _amounts(new) + _addresses(new)

    def fields(self, obj: Object) -> Mapping[str, str]:
        return {"spec.unschedulable": "true" if (obj.get("spec") or {}).get("unschedulable") else "false"}


def _default_status(obj: Object) -> None:
    status = obj.get("status")
    if not status:
        return
    resources.default_list(status.get("capacity"))
    resources.default_list(status.get("allocatable"))
    if status.get("allocatable") is None and status.get("capacity"):
        status["allocatable"] = dict(status["capacity"])


def _amounts(obj: Object) -> list[FieldError]:
    status = obj.get("status") or {}
    errors: list[FieldError] = []
    for field in ("capacity", "allocatable"):
        for name, amount in (status.get(field) or {}).items():
            errors += resources.amount_errors(name, amount, f"status.{field}.{name}")
    return errors


def _addresses(obj: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, address in enumerate((obj.get("status") or {}).get("addresses") or ()):
        key = json.dumps(address, sort_keys=True)
        if key in seen:
            errors.append(duplicate(f"status.addresses[{index}]", address))
        seen.add(key)
    return errors


def _pod_cidrs(cidrs: list[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, value in enumerate(cidrs):
        errors += rules.cidr(value, f"spec.podCIDRs[{index}]")
    if len(cidrs) > 2 or (len(cidrs) == 2 and (":" in cidrs[0]) == (":" in cidrs[1])):
        errors.append(invalid("spec.podCIDRs", cidrs, "may specify no more than one CIDR for each IP family"))
    errors += [duplicate(f"spec.podCIDRs[{i}]", value) for i, value in enumerate(cidrs) if value in cidrs[:i]]
    return errors


def _status(obj: Object, now: datetime) -> str:
    conditions = {each.get("type"): each for each in (obj.get("status") or {}).get("conditions") or ()}
    ready = conditions.get("Ready")
    words = ["Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"]
    if (obj.get("spec") or {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(obj: Object, now: datetime) -> str:
    labels = obj["metadata"].get("labels") or {}
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)} - {""}
    if labels.get(_ROLE):
        roles.add(labels[_ROLE])
    return ",".join(sorted(roles)) or NONE


def _info(obj: Object, name: str) -> str:
    return ((obj.get("status") or {}).get("nodeInfo") or {}).get(name) or ""


def _version(obj: Object, now: datetime) -> str:
    return _info(obj, "kubeletVersion")


def _os_image(obj: Object, now: datetime) -> str:
    return _info(obj, "osImage") or UNKNOWN


def _kernel(obj: Object, now: datetime) -> str:
    return _info(obj, "kernelVersion") or UNKNOWN


def _runtime(obj: Object, now: datetime) -> str:
    return _info(obj, "containerRuntimeVersion") or UNKNOWN


def _address(obj: Object, kind: str) -> str:
    for address in (obj.get("status") or {}).get("addresses") or ():
        if address.get("type") == kind:
            return address.get("address") or NONE
    return NONE


def _internal_ip(obj: Object, now: datetime) -> str:
    return _address(obj, "InternalIP")


def _external_ip(obj: Object, now: datetime) -> str:
    return _address(obj, "ExternalIP")


KIND = Kind(
    group="",
    version="v1",
    kind="Node",
    plural="nodes",
    definition="io.k8s.api.core.v1.Node",
    singular="node",
    strategy=NodeStrategy(),
    namespaced=False,
    short_names=("no",),
    subresources=("proxy",),
    status=True,
    table="plain",
    columns=(
        NAME,
        Column("Status", _status, description="The status of the node"),
        Column("Roles", _roles, description="The roles of the node"),
        AGE,
        Column("Version", _version, description="The version of the kubelet on the node"),
        Column("Internal-IP", _internal_ip, description="The address for traffic inside the cluster", priority=1),
        Column("External-IP", _external_ip, description="The address for traffic from outside", priority=1),
        Column("OS-Image", _os_image, description="The operating system", priority=1),
        Column("Kernel-Version", _kernel, description="The kernel", priority=1),
        Column("Container-Runtime", _runtime, description="The container runtime and its version", priority=1),
    ),
)
