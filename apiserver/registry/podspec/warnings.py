"""What is taken but seldom meant in pods: sentences for the `Warning` header, which kubectl prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api import names
from apiserver.registry import addresses, claims
from apiserver.registry.kind import Object
from apiserver.registry.podspec import overlaps
from apiserver.registry.resources import fractions

_OLD_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_OLD_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
OLD_SOURCES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_SOURCE_NAMES = {"storageos": "storageOS"}
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_NO_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_NO_APPARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead'
_BYTES = ("memory", "ephemeral-storage")
_NO_SELECTOR = "a null labelSelector results in matching no pod"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def of_pod(pod: Object, at: str = "") -> list[str]:
    """Of a pod, or of a template, which then is `at` somewhere."""
    prefix, spec = f"{at}." if at else "", pod["spec"]
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    here, noted = f"{prefix}spec", f"{prefix}metadata.annotations"
    containers = list(_each(spec, here))
    found = list(_placement(spec, here))
    if annotations:
        found += [f"{noted}[{name}]: {why}" for name, why in _OLD_ANNOTATIONS.items() if name in annotations]
    found += _volumes(spec.get("volumes") or [], f"{here}.volumes")
    found += _doubles(spec, here)
    found += fractions(spec.get("overhead"), f"{here}.overhead", _BYTES)
    if annotations:
        found += _unheeded(spec, annotations, noted, template=bool(at))
    for place, container in containers:
        found += _amounts(container, place)
        found += _variables(container, place)
    found += _ports(containers)
    found += _last(spec, here)
    return found


def old_labels(terms: list[Object], at: str) -> Iterator[str]:
    """Of terms that select nodes by labels that nodes had once."""
    for index, term in enumerate(terms):
        yield from _term(term, f"{at}[{index}]")


def old_source(holder: Object, at: str) -> Iterator[str]:
    for name, why in OLD_SOURCES.items():
        if holder.get(name) is not None:
            yield f"{at}.{_SOURCE_NAMES.get(name, name)}: {why}"


def _placement(spec: Object, at: str) -> Iterator[str]:
    for label in spec.get("nodeSelector") or ():
        if label in _OLD_LABELS:
            yield f"{at}.nodeSelector[{label}]: {_OLD_LABELS[label]}"
    nodes = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    here = f"{at}.affinity.nodeAffinity"
    terms = (nodes.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    yield from old_labels(terms, f"{here}.{_REQUIRED}.nodeSelectorTerms")
    for index, term in enumerate(nodes.get(_PREFERRED) or ()):
        yield from _term(term.get("preference") or {}, f"{here}.{_PREFERRED}[{index}].preference", values=True)
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        here, key = f"{at}.topologySpreadConstraints[{index}]", constraint.get("topologyKey") or ""
        if key in _OLD_LABELS:
            yield f"{here}.topologyKey: {key} is {_OLD_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{here}.labelSelector: {_NO_SELECTOR}"


def _term(term: Object, at: str, *, values: bool = False) -> Iterator[str]:
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        here, key = f"{at}.matchExpressions[{index}]", expression.get("key") or ""
        if key in _OLD_LABELS:
            yield f"{here}.key: {key} is {_OLD_LABELS[key]}"
        for number, value in enumerate(expression.get("values") or ()) if values else ():
            for why in names.label_value(value):
                yield f"{here}.values[{number}]: {value} is invalid, {why}"


def _volumes(volumes: list[Object], at: str) -> Iterator[str]:
    for index, volume in enumerate(volumes):
        yield from old_source(volume, f"{at}[{index}]")
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template is not None:
            here = f"{at}[{index}].ephemeral.volumeClaimTemplate.spec"
            yield from claims.warnings(template.get("spec") or {}, here)
    for volume in volumes:
        yield from overlaps.of_volume(volume)


def _doubles(spec: Object, at: str) -> Iterator[str]:
    aliases, secrets = spec.get("hostAliases") or (), spec.get("imagePullSecrets") or ()
    for index, address in _again([alias.get("ip") or "" for alias in aliases]):
        yield f'{at}.hostAliases[{index}].ip: duplicate ip "{address}"'
    for index, name in _again([secret.get("name") or "" for secret in secrets]):
        yield f'{at}.imagePullSecrets[{index}].name: duplicate name "{name}"'
    for index, secret in enumerate(secrets):
        if not secret.get("name"):
            yield f'{at}.imagePullSecrets[{index}].name: invalid empty name ""'


def _again(values: list[str]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield index, value
        seen.add(value)


def _unheeded(spec: Object, annotations: Object, at: str, *, template: bool) -> Iterator[str]:
    """Annotations that were fields' forerunners, where the field is not set."""
    whole = spec.get("securityContext") or {}
    if _SECCOMP_POD in annotations and whole.get("seccompProfile") is None:
        yield f"{at}[{_SECCOMP_POD}]: {_NO_SECCOMP}"
    for _, container in _each(spec, ""):
        own, name = container.get("securityContext") or {}, container.get("name") or ""
        if _SECCOMP + name in annotations and own.get("seccompProfile") is None:
            yield f"{at}[{_SECCOMP}{name}]: {_NO_SECCOMP}"
        profile = whole.get("appArmorProfile") or own.get("appArmorProfile")
        if template and _APPARMOR + name in annotations and profile is None:
            yield f"{at}[{_APPARMOR}{name}]: {_NO_APPARMOR}"


def _each(spec: Object, at: str) -> Iterator[tuple[str, Object]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield f"{at}.{field}[{index}]", container


def _amounts(container: Object, at: str) -> Iterator[str]:
    resources = container.get("resources")
    if not resources:
        return
    for name in _BYTES:
        for field in ("limits", "requests"):
            yield from fractions(resources.get(field), f"{at}.resources.{field}", (name,))


def _variables(container: Object, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, variable in enumerate(container.get("env") or ()):
        name, value = variable.get("name") or "", variable.get("value") or ""
        itself = f"$({name})"
        hides = variable.get("valueFrom") is not None or value == itself or itself not in value
        if name in seen and hides:
            yield f'{at}.env[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _ports(containers: list[tuple[str, Object]]) -> Iterator[str]:
    ports = [
        (f"{here}.ports[{index}]", port)
        for here, container in containers
        for index, port in enumerate(container.get("ports") or ())
    ]
    seen: dict[tuple[Any, Any], list[tuple[str, Object]]] = {}
    for here, port in ports:
        if port.get("hostIP") and not port.get("hostPort"):
            yield f"{here}: hostIP set without hostPort: {_written(port)}"
        others = seen.setdefault((port.get("containerPort"), port.get("protocol")), [])
        for there, other in others:
            if how := _clash(port, other):
                yield f"{here}: {how} port definition with {there}"
        others.append((here, port))
    called: dict[str, str] = {}
    for here, port in ports:
        name = port.get("name")
        if name and name in called:
            text = f"services and probes that select ports by name will use {called[name]}"
            yield f'{here}: duplicate port name "{name}" with {called[name]}, {text}'
        elif name:
            called[name] = here


def _clash(port: Object, other: Object) -> str:
    number, there = port.get("hostPort") or 0, other.get("hostPort") or 0
    address, elsewhere = port.get("hostIP") or "", other.get("hostIP") or ""
    if (number, address) == (there, elsewhere):
        return "duplicate"
    if not number or not there:
        return "overlapping"
    return "dangerously ambiguous" if number == there and bool(address) != bool(elsewhere) else ""


def _written(port: Object) -> str:
    """As Go prints the structure."""
    shown = (port.get("name") or "", port.get("hostPort") or 0, port.get("containerPort") or 0)
    name, host_port, number = shown
    rest = f"Protocol:{port.get('protocol') or ''} HostIP:{port.get('hostIP') or ''}"
    return f"{{Name:{name} HostPort:{host_port} ContainerPort:{number} {rest}}}"


def _last(spec: Object, at: str) -> Iterator[str]:
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        text = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{at}.terminationGracePeriodSeconds: {text}"
    affinity = spec.get("affinity") or {}
    for field in ("podAffinity", "podAntiAffinity"):
        pods, here = affinity.get(field) or {}, f"{at}.affinity.{field}"
        for index, term in enumerate(pods.get(_REQUIRED) or ()):
            if term.get("labelSelector") is None:
                yield f"{here}.{_REQUIRED}[{index}].labelSelector: {_NO_SELECTOR}"
        for index, weighted in enumerate(pods.get(_PREFERRED) or ()):
            if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
                yield f"{here}.{_PREFERRED}[{index}].podAffinityTerm.labelSelector: {_NO_SELECTOR}"
    for index, server in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        yield from addresses.ip_warnings(server, f"{at}.dnsConfig.nameservers[{index}]")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        yield from addresses.ip_warnings(alias.get("ip") or "", f"{at}.hostAliases[{index}].ip")
