"""What may change in a pod once it is there: very little of its spec, and its status by rules."""

from __future__ import annotations

from collections.abc import Mapping

from api import names
from api.field import FieldError, duplicate, forbidden, invalid
from apiserver.registry import rules
from apiserver.registry.kind import Object
from apiserver.registry.pod_rules import MIRROR
from apiserver.registry.podspec import restarts

_UPDATABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_SYSTEM_CONDITIONS = frozenset({"PodScheduled", "Ready", "Initialized"})


def validate_spec_change(new: Object, old: Object) -> list[FieldError]:
    """An update of the pod itself, both with their defaults."""
    errors = _mirror(new, old)
    spec, before = new["spec"], old["spec"]
    for field in ("containers", "initContainers"):
        if len(spec.get(field) or ()) != len(before.get(field) or ()):
            return [*errors, forbidden(f"spec.{field}", "pod updates may not add or remove containers")]
    found, stop = _deadline(spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds"))
    errors += found
    if stop:
        return errors
    errors += _tolerations(spec.get("tolerations") or [], before.get("tolerations") or [])
    errors += _gates(spec.get("schedulingGates") or [], before.get("schedulingGates") or [])
    if rules.same(spec, before):
        return errors
    wanted = _without_updatable(spec, before)
    if before.get("schedulingGates"):
        errors += _gated_changes(wanted, before)
    if not rules.same(wanted, before):
        text = f"pod updates may not change fields other than {','.join(_UPDATABLE)}"
        lines = "\n".join(rules.differences(wanted, before, "spec"))
        errors.append(forbidden("spec", f"{text}\n{lines}"))
    return errors


def _mirror(new: Object, old: Object) -> list[FieldError]:
    now = (new["metadata"].get("annotations") or {}).get(MIRROR)
    before = (old["metadata"].get("annotations") or {}).get(MIRROR)
    if now == before:
        return []
    verb = "add" if before is None else "remove or update"
    return [forbidden(f"metadata.annotations[{MIRROR}]", f"may not {verb} mirror pod annotation")]


def _deadline(now: int | None, before: int | None) -> tuple[list[FieldError], bool]:
    """(errors, whether to look no further)."""
    at = "spec.activeDeadlineSeconds"
    if now is None:
        if before is None:
            return [], False
        return [invalid(at, None, "must not update from a positive integer to nil value")], False
    if not 0 <= now <= rules.MAX_INT32:
        return [invalid(at, now, f"must be between 0 and {rules.MAX_INT32}, inclusive")], True
    if before is not None and before < now:
        return [invalid(at, now, "must be less than or equal to previous value")], True
    return [], False


def _tolerations(now: list[Object], before: list[Object]) -> list[FieldError]:
    have = [{**toleration, "tolerationSeconds": None} for toleration in now]
    for toleration in before:
        kept = {**toleration, "tolerationSeconds": None}
        if not any(rules.same(kept, each) for each in have):
            text = "existing toleration can not be modified except its tolerationSeconds"
            return [forbidden("spec.tolerations", text)]
    return []


def _gates(now: list[Object], before: list[Object]) -> list[FieldError]:
    known = {gate.get("name") for gate in before}
    return [
        forbidden(
            f"spec.schedulingGates[{index}].name",
            f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'",
        )
        for index, gate in enumerate(now)
        if gate.get("name") not in known
    ]


def _without_updatable(spec: Object, before: Object) -> Object:
    """`spec` with all that may change put back to what it was."""
    wanted = dict(spec)
    for field in ("containers", "initContainers"):
        if spec.get(field):
            wanted[field] = [
                {**container, "image": old.get("image")}
                for container, old in zip(spec[field], before[field], strict=True)
            ]
    for field in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        wanted[field] = before.get(field)
    if (before.get("terminationGracePeriodSeconds") or 0) < 0 and wanted.get("terminationGracePeriodSeconds") == 1:
        wanted["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    return wanted


def _gated_changes(wanted: Object, before: Object) -> list[FieldError]:
    """A pod that waits at its gates may still be told more narrowly where to run."""
    errors: list[FieldError] = []
    now, then = wanted.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if any(now.get(key) != value for key, value in then.items()):
        text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        errors.append(invalid("spec.nodeSelector", now, text))
    wanted["nodeSelector"] = before.get("nodeSelector")
    affinity, old = wanted.get("affinity") or {}, before.get("affinity") or {}
    errors += _affinity_changes(affinity.get("nodeAffinity") or {}, old.get("nodeAffinity") or {})
    kept = {**affinity, "nodeAffinity": old.get("nodeAffinity")}
    wanted["affinity"] = {kind: value for kind, value in kept.items() if value is not None}
    return errors


def _affinity_changes(now: Object, before: Object) -> list[FieldError]:
    """Terms that were there already may get more conditions, each of which narrows the choice."""
    then = (before.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    terms = (now.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    at = f"spec.affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms"
    if not then:
        return []
    if len(terms) != len(then):
        text = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        return [invalid(at, terms, text)]
    return [
        invalid(f"{at}[{index}]", term, "only additions are allowed (no mutations or deletions)")
        for index, (term, old) in enumerate(zip(terms, then, strict=True))
        if not _only_adds(term, old)
    ]


def _only_adds(term: Object, before: Object) -> bool:
    fields = [(term.get(name) or [], before.get(name) or []) for name in ("matchExpressions", "matchFields")]
    if not any(old for _, old in fields):
        return not any(new for new, _ in fields)  # a term without conditions matches nothing, and stays so
    return all(rules.same(new[: len(old)], old) for new, old in fields)


def keep_for_status(new: Object, old: Object) -> None:
    """What a status update leaves as it is: the owners, the QoS class, generations that were observed."""
    owners = old["metadata"].get("ownerReferences")
    if owners is not None:
        new["metadata"]["ownerReferences"] = owners
    else:
        new["metadata"].pop("ownerReferences", None)
    status, before = new.setdefault("status", {}), old.get("status") or {}
    if not status.get("qosClass") and before.get("qosClass"):
        status["qosClass"] = before["qosClass"]
    if not status.get("observedGeneration") and before.get("observedGeneration"):
        status["observedGeneration"] = before["observedGeneration"]
    seen = {condition.get("type"): condition.get("observedGeneration") for condition in before.get("conditions") or ()}
    for condition in status.get("conditions") or ():
        generation = seen.get(condition.get("type"))
        if generation and not condition.get("observedGeneration"):
            condition["observedGeneration"] = generation


def validate_status_change(new: Object, old: Object) -> list[FieldError]:
    status, before = new.get("status") or {}, old.get("status") or {}
    errors = _mirror(new, old)
    for index, condition in enumerate(status.get("conditions") or ()):
        kind = condition.get("type")
        if kind not in _SYSTEM_CONDITIONS:
            errors += rules.each(names.qualified_name, kind, f"metadata.conditions[{index}].Type")
    nominated = status.get("nominatedNodeName")
    if nominated and nominated != before.get("nominatedNodeName"):
        errors += rules.each(names.dns1123_subdomain, nominated, "status.nominatedNodeName")
    if before.get("qosClass"):
        errors += rules.immutable(status.get("qosClass"), before["qosClass"], "status.qosClass")
    errors += _no_way_back(status, before, old["spec"])
    return errors + _addresses(status, "podIPs") + _host_addresses(status)


def _no_way_back(status: Object, before: Object, spec: Object) -> list[FieldError]:
    """A container that has ended for good stays ended."""
    if restarts.all_may_run_again(spec):
        return []
    errors: list[FieldError] = []
    for field in ("containers", "initContainers", "ephemeralContainers"):
        policy = "Never" if field == "ephemeralContainers" else spec.get("restartPolicy")
        specs = {each.get("name"): each for each in spec.get(field) or ()}
        errors += _transitions(status, before, f"{field.removesuffix('s')}Statuses", policy, specs)
    return errors


def _transitions(
    status: Object, before: Object, field: str, policy: str | None, specs: Mapping[str | None, Object]
) -> list[FieldError]:
    now = {each.get("name"): each.get("state") or {} for each in status.get(field) or ()}
    errors: list[FieldError] = []
    for index, old in enumerate(before.get(field) or ()):
        ended, name = (old.get("state") or {}).get("terminated"), old.get("name")
        if not ended or restarts.may_run_again(specs.get(name) or {}, policy, ended.get("exitCode") or 0):
            continue
        if name in now and not now[name].get("terminated"):
            text = "may not be transitioned to non-terminated state"
            errors.append(forbidden(f"status.{field}[{index}].state", text))
    return errors


def _addresses(status: Object, field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    addresses = [each.get("ip") or "" for each in status.get(field) or ()]
    for index, address in enumerate(addresses):
        errors += rules.ip_address(address, f"status.{field}[{index}]")
        if address in addresses[:index]:
            errors.append(duplicate(f"status.{field}[{index}]", {"ip": address}))
    if len(addresses) > 2 or (len(addresses) == 2 and (":" in addresses[0]) == (":" in addresses[1])):
        text = "may specify no more than one IP for each IP family"
        errors.append(invalid(f"status.{field}", status[field], text))
    return errors


def _host_addresses(status: Object) -> list[FieldError]:
    addresses = status.get("hostIPs") or ()
    if addresses and (addresses[0].get("ip") or "") != (status.get("hostIP") or ""):
        first = invalid("status.hostIPs[0].ip", addresses[0].get("ip") or "", "must be equal to `hostIP`")
        return [first, *_addresses(status, "hostIPs")]
    return _addresses(status, "hostIPs")
