"""What is wrong with a pod's spec as a whole, and with a template that carries one."""

from __future__ import annotations

import re

from api import names
from api.field import FieldError, duplicate, forbidden, invalid, required, too_long
from apiserver.registry import metadata, resources, rules
from apiserver.registry.kind import Object
from apiserver.registry.podspec import containers, scheduling, security, systems, volumes, whole

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")
_UNDERSCORED = re.compile(r"[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*\Z")
_MAX_NAMESERVERS, _MAX_SEARCHES, _MAX_SEARCH_LENGTH = 3, 32, 2048
_MAX_HOSTNAME = 64


def template(value: Object, at: str) -> list[FieldError]:
    """A PodTemplateSpec."""
    meta, spec = value.get("metadata") or {}, value.get("spec") or {}
    errors = rules.labels(meta.get("labels"), f"{at}.labels")
    errors += metadata.validate_annotations(meta.get("annotations"), f"{at}.annotations")
    errors += pod_annotations(meta, spec, f"{at}.annotations")
    errors += pod_spec(spec, f"{at}.spec")
    if spec.get("ephemeralContainers"):
        errors.append(forbidden(f"{at}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"))
    return errors


def pod_annotations(meta: Object, spec: Object, at: str) -> list[FieldError]:
    """The few annotations of a pod that mean something."""
    annotations = meta.get("annotations")
    if not annotations:
        return []
    errors: list[FieldError] = []
    mirror = annotations.get("kubernetes.io/config.mirror")
    if mirror is not None and not spec.get("nodeName"):
        text = "must set spec.nodeName if mirror pod annotation is set"
        errors.append(invalid(f"{at}[kubernetes.io/config.mirror]", mirror, text))
    cost = annotations.get("controller.kubernetes.io/pod-deletion-cost")
    if cost and not (re.fullmatch(r"-?[0-9]{1,10}", cost) and abs(int(cost)) <= rules.MAX_INT32):
        text = "must be a 32bit integer"
        errors.append(invalid(f"{at}[controller.kubernetes.io/pod-deletion-cost]", cost, text))
    return errors


def pod_spec(spec: Object, at: str, *, is_pod: bool = False, name: str = "") -> list[FieldError]:
    """A PodSpec, defaults filled in. `is_pod`: not merely a template's; `name` is the pod's then."""
    get = spec.get
    errors: list[FieldError] = []
    grace = get("terminationGracePeriodSeconds")
    known, found = volumes.volumes(get("volumes") or [], f"{at}.volumes", name)
    errors += found
    if claims := get("resourceClaims"):
        errors += _resource_claims(claims, f"{at}.resourceClaims")
    around = containers.Surroundings(
        known,
        grace,
        get("restartPolicy") or "",
        get("hostUsers") is not False,
        frozenset(claim.get("name") or "" for claim in claims or ()),
    )
    ordinary, before, later = get("containers") or [], get("initContainers") or [], get("ephemeralContainers") or []
    errors += containers.regular(ordinary, around, f"{at}.containers")
    if before:
        errors += containers.init(before, ordinary, around, f"{at}.initContainers")
    if later:
        errors += containers.ephemeral(later, ordinary + before, around, f"{at}.ephemeralContainers")
    if stated := get("resources"):
        errors += whole.validate(stated, spec, f"{at}.resources")
    if get("hostNetwork"):
        errors += _host_network(ordinary, f"{at}.containers", is_pod)
    if get("restartPolicy") not in _RESTART_POLICIES:
        errors += rules.one_of(get("restartPolicy"), _RESTART_POLICIES, f"{at}.restartPolicy")
    if get("dnsPolicy") not in _DNS_POLICIES:
        errors += rules.one_of(get("dnsPolicy"), _DNS_POLICIES, f"{at}.dnsPolicy")
    if context := get("securityContext"):
        errors += security.pod(context, spec, f"{at}.securityContext")
    errors += _placement(spec, at)
    if get("dnsConfig") is not None or get("dnsPolicy") == "None":
        errors += _dns(get("dnsConfig"), get("dnsPolicy") or "", f"{at}.dnsConfig")
    return errors + _names(spec, at) + _rest(spec, at)


def _resource_claims(claims: list[Object], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        name = claim.get("name") or ""
        if not name:
            errors.append(required(f"{at}[{index}].name"))
        elif name in seen:
            errors.append(duplicate(f"{at}[{index}].name", name))
        else:
            errors += rules.each(names.dns1123_label, name, f"{at}[{index}].name")
        seen.add(name)
        given = [field for field in ("resourceClaimName", "resourceClaimTemplateName") if claim.get(field) is not None]
        if len(given) > 1:
            text = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            errors.append(invalid(f"{at}[{index}]", claim, text))
        elif not given:
            text = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            errors.append(invalid(f"{at}[{index}]", claim, text))
        for field in given:
            errors += rules.each(names.dns1123_subdomain, claim[field], f"{at}[{index}].{field}")
    return errors


def _host_network(ordinary: list[Object], at: str, is_pod: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, container in enumerate(ordinary):
        for number, port in enumerate(container.get("ports") or ()):
            host, inside = port.get("hostPort") or 0, port.get("containerPort") or 0
            if (is_pod or host) and host != inside:
                text = "must match `containerPort` when `hostNetwork` is true"
                errors.append(invalid(f"{at}[{index}].ports[{number}].hostPort", host, text))
    return errors


def _placement(spec: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if selector := spec.get("nodeSelector"):
        errors += rules.labels(selector, f"{at}.nodeSelector")
    if affinity := spec.get("affinity"):
        errors += scheduling.affinity(affinity, f"{at}.affinity")
    if constraints := spec.get("topologySpreadConstraints"):
        errors += scheduling.spread(constraints, f"{at}.topologySpreadConstraints")
    if tolerations := spec.get("tolerations"):
        errors += scheduling.tolerations(tolerations, f"{at}.tolerations")
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        errors += rules.each(
            names.qualified_name, gate.get("conditionType"), f"{at}.readinessGates[{index}].conditionType"
        )
    seen: set[str] = set()
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        name = gate.get("name") or ""
        errors += rules.each(names.qualified_name, name, f"{at}.schedulingGates[{index}]")
        if name in seen:
            errors.append(duplicate(f"{at}.schedulingGates[{index}]", name))
        seen.add(name)
    return errors


def _dns(config: Object | None, policy: str, at: str) -> list[FieldError]:
    if policy == "None":
        if config is None:
            return [required(at, "must provide `dnsConfig` when `dnsPolicy` is None")]
        if not config.get("nameservers"):
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [required(f"{at}.nameservers", text)]
    errors: list[FieldError] = []
    servers, searches = (config or {}).get("nameservers") or [], (config or {}).get("searches") or []
    if len(servers) > _MAX_NAMESERVERS:
        errors.append(invalid(f"{at}.nameservers", servers, f"must not have more than {_MAX_NAMESERVERS} nameservers"))
    for index, server in enumerate(servers):
        errors += rules.ip_address(server, f"{at}.nameservers[{index}]")
    if len(searches) > _MAX_SEARCHES:
        errors.append(invalid(f"{at}.searches", searches, f"must not have more than {_MAX_SEARCHES} search paths"))
    if len(" ".join(searches)) > _MAX_SEARCH_LENGTH:
        text = f"must not have more than {_MAX_SEARCH_LENGTH} characters (including spaces) in the search list"
        errors.append(invalid(f"{at}.searches", searches, text))
    for index, search in enumerate(searches):
        name = search.removesuffix(".")
        if search != "." and not _UNDERSCORED.match(name):
            errors += rules.each(names.dns1123_subdomain, name, f"{at}.searches[{index}]")
    for index, option in enumerate((config or {}).get("options") or ()):
        if not option.get("name"):
            errors.append(required(f"{at}.options[{index}]", "must not be empty"))
    return errors


_NAMES = {
    "serviceAccountName": names.dns1123_subdomain,
    "nodeName": names.dns1123_subdomain,
    "hostname": names.dns1123_label,
    "subdomain": names.dns1123_label,
    "priorityClassName": names.dns1123_subdomain,
    "runtimeClassName": names.dns1123_subdomain,
}


def _names(spec: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for field, check in _NAMES.items():
        if value := spec.get(field):
            errors += [invalid(f"{at}.{field}", value, why) for why in check(value)]
    return errors


def _rest(spec: Object, at: str) -> list[FieldError]:
    get = spec.get
    errors: list[FieldError] = []
    deadline = get("activeDeadlineSeconds")
    if deadline is not None:
        errors += rules.in_range(deadline, 1, rules.MAX_INT32, f"{at}.activeDeadlineSeconds")
    for index, alias in enumerate(get("hostAliases") or ()):
        errors += rules.ip_address(alias.get("ip"), f"{at}.hostAliases[{index}].ip")
        for number, host in enumerate(alias.get("hostnames") or ()):
            errors += rules.each(names.dns1123_subdomain, host, f"{at}.hostAliases[{index}].hostnames[{number}]")
    if (preemption := get("preemptionPolicy")) is not None:
        errors += rules.one_of(preemption, _PREEMPTION_POLICIES, f"{at}.preemptionPolicy")
    if overhead := get("overhead"):
        errors += resources.requirements({"limits": overhead}, f"{at}.overhead", ())
    if get("hostUsers") is False:
        text = "when `pod.Spec.HostUsers` is false"
        shown = {"hostNetwork": "hostNetwork", "hostPID": "HostPID", "hostIPC": "HostIPC"}
        errors += [forbidden(f"{at}.{as_named}", text) for field, as_named in shown.items() if get(field)]
    if (override := get("hostnameOverride")) is not None:
        errors += _hostname_override(override, spec, at)
    if (system := get("os")) is not None:
        errors += systems.validate(system, spec, at)
    return errors


def _hostname_override(name: str, spec: Object, at: str) -> list[FieldError]:
    """The kernel keeps a name of at most 64 characters."""
    errors = rules.each(names.dns1123_subdomain, name, f"{at}.hostnameOverride")
    if len(name) > _MAX_HOSTNAME:
        errors.append(too_long(f"{at}.hostnameOverride", name, _MAX_HOSTNAME))
    text = "may not be true when `hostnameOverride` is set"
    return errors + [
        forbidden(f"{at}.{field}", text) for field in ("setHostnameAsFQDN", "hostNetwork") if spec.get(field)
    ]
