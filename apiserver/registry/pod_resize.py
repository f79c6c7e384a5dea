"""The way in which a pod gets more or less CPU and memory while it runs; nothing else of it changes."""

from __future__ import annotations

from api.field import FieldError, forbidden, invalid
from apiserver.registry import pod_rules, rules
from apiserver.registry.kind import Context, Object, Strategy
from apiserver.registry.resources import qos_class

_LISTS = ("containers", "initContainers")
_FIELDS = ("resources", "resizePolicy")
_MUTABLE = ("cpu", "memory")


class ResizeStrategy(Strategy):
    has_generation = True

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        pod_rules.keep_all_but_spec(new, old)
        given, new["spec"] = new["spec"], dict(old["spec"])
        for field in _LISTS:
            wanted = {each.get("name"): each for each in given.get(field) or ()}
            if before := old["spec"].get(field):
                new["spec"][field] = [_resized(each, wanted.get(each.get("name"))) for each in before]

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = pod_rules.whole(new)
        spec, before = new["spec"], old["spec"]
        if pod_rules.mirrors(old):
            errors.append(forbidden("", "static pods cannot be resized"))
        if (before.get("os") or {}).get("name") == "windows":
            errors.append(forbidden("", "windows pods cannot be resized"))
        if before.get("resources"):
            errors.append(forbidden("", "pods with pod-level resources cannot be resized"))
        quality = (old.get("status") or {}).get("qosClass") or qos_class(before)
        if quality != qos_class(spec):
            errors.append(invalid("spec", quality, "Pod QOS Class may not change as a result of resizing"))
        if not _supported(old):
            errors.append(forbidden("spec", "Pod running on node without support for resize"))
        for field in _LISTS:
            for index, container in enumerate(spec.get(field) or ()):
                at = f"spec.{field}[{index}].resources"
                errors += _resources(container, before[field][index], at, sidecars_only=field == "initContainers")
        return errors


def _resized(container: Object, wanted: Object | None) -> Object:
    if wanted is None:
        return container
    kept = {name: value for name, value in container.items() if name not in _FIELDS}
    return kept | {name: wanted[name] for name in _FIELDS if name in wanted}


def _supported(pod: Object) -> bool:
    """A node that can do it says what its running containers have; of a pod that does not run yet all is well."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        if (status.get("state") or {}).get("running") is not None:
            return status.get("resources") is not None
    return True


def _resources(container: Object, before: Object, at: str, *, sidecars_only: bool) -> list[FieldError]:
    now, then = container.get("resources") or {}, before.get("resources") or {}
    if rules.same(now, then):
        return []
    if sidecars_only and container.get("restartPolicy") != "Always":
        return [forbidden(at, "resources for non-sidecar init containers are immutable")]
    errors = [
        forbidden(f"{at}.{part}", f"resource {part} cannot be removed")
        for part in ("requests", "limits")
        if (then.get(part) or {}).keys() - (now.get(part) or {}).keys()
    ]
    fixed, was = _without_mutable(now), _without_mutable(then)
    if not rules.same(fixed, was):
        lines = "\n".join(rules.differences(fixed, was, at))
        errors.append(forbidden("spec", f"only cpu and memory resources are mutable\n{lines}"))
    return errors


def _without_mutable(resources: Object) -> Object:
    fixed = dict(resources)
    for part in ("requests", "limits"):
        fixed[part] = {name: value for name, value in (fixed.get(part) or {}).items() if name not in _MUTABLE}
    return fixed
