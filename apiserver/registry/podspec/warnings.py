"""What is taken but seldom meant: sentences for the `Warning` header, which kubectl prints."""

from __future__ import annotations

from collections.abc import Iterator

from api import quantity
from apiserver.registry.kind import Object

_OLD_LABELS = {
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
}
_BYTES = ("memory", "ephemeral-storage")


def of_spec(spec: Object, at: str) -> list[str]:
    return [*_of_pod(spec, at), *_of_containers(spec, at)]


def _of_pod(spec: Object, at: str) -> Iterator[str]:
    for label in spec.get("nodeSelector") or ():
        if label in _OLD_LABELS:
            since, instead = _OLD_LABELS[label]
            yield f'{at}.nodeSelector[{label}]: deprecated since {since}; use "{instead}" instead'
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        if constraint.get("labelSelector") is None:
            yield f"{at}.topologySpreadConstraints[{index}]: a null labelSelector results in matching no pod"
    seen: set[str] = set()
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        name = secret.get("name") or ""
        if not name:
            yield f'{at}.imagePullSecrets[{index}]: invalid empty name ""'
        elif name in seen:
            yield f'{at}.imagePullSecrets[{index}].name: duplicate name "{name}"'
        seen.add(name)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        text = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{at}.terminationGracePeriodSeconds: {text}"


def _of_containers(spec: Object, at: str) -> Iterator[str]:
    ports: dict[tuple[int, str], str] = {}
    names: dict[str, str] = {}
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            here = f"{at}.{field}[{index}]"
            yield from _variables(container, here)
            yield from _amounts(container, here)
            if field == "containers":
                yield from _ports(container, here, ports, names)


def _variables(container: Object, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, variable in enumerate(container.get("env") or ()):
        name = variable.get("name") or ""
        if name in seen:
            yield f'{at}.env[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _amounts(container: Object, at: str) -> Iterator[str]:
    resources = container.get("resources") or {}
    for field in ("limits", "requests"):
        for name in _BYTES:
            amount = (resources.get(field) or {}).get(name)
            if amount is not None and quantity.parse(amount).denominator != 1:
                text = f'fractional byte value "{quantity.canonical(amount)}" is invalid, must be an integer'
                yield f"{at}.resources.{field}[{name}]: {text}"


def _ports(container: Object, at: str, ports: dict[tuple[int, str], str], names: dict[str, str]) -> Iterator[str]:
    own: set[tuple[int, str]] = set()
    for index, port in enumerate(container.get("ports") or ()):
        here, key = f"{at}.ports[{index}]", (port.get("containerPort") or 0, port.get("protocol") or "")
        if key in ports and key in own:
            yield f"{here}: duplicate port definition with {ports[key]}"
        ports.setdefault(key, here)
        own.add(key)
        name = port.get("name")
        if name and name in names:
            first = names[name]
            text = f"services and probes that select ports by name will use {first}"
            yield f'{here}: duplicate port name "{name}" with {first}, {text}'
        elif name:
            names[name] = here
