"""A pod's containers: the ordinary ones, those that run before, and those that are put in later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from api import names
from api.field import FieldError, duplicate, forbidden, invalid, not_found, required
from apiserver.registry import resources, rules
from apiserver.registry.kind import Object
from apiserver.registry.podspec import environment, handlers, restarts, security, volumes

_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESIZE_POLICIES = ("NotRequired", "RestartContainer")
_NOT_EPHEMERAL = (
    "ports",
    "resources",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
)
_EPHEMERAL = "cannot be set for an Ephemeral Container"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rest of the pod's spec means to a container."""

    volumes: Mapping[str, Object]
    grace: int | None = None
    restart_policy: str = "Always"
    host_users: bool = True
    claims: frozenset[str] = field(default_factory=frozenset)


def regular(containers: list[Object], around: Surroundings, at: str) -> list[FieldError]:
    if not containers:
        return [required(at)]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, container in enumerate(containers):
        here = f"{at}[{index}]"
        errors += _common(container, around, here)
        name = container.get("name") or ""
        if name in seen:
            errors.append(duplicate(f"{here}.name", name))
        seen.add(name)
        errors += handlers.probes_and_hooks(container, around.grace, here)
        errors += restarts.validate(container, here)
    return errors + _host_ports(containers, at)


def init(containers: list[Object], ordinary: list[Object], around: Surroundings, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen = {container.get("name") for container in ordinary}
    for index, container in enumerate(containers):
        here = f"{at}[{index}]"
        errors += _common(container, around, here)
        errors += restarts.validate(container, here)
        name = container.get("name")
        if name and name in seen:
            errors.append(duplicate(f"{here}.name", name))
        seen.add(name)
        # They run one by one, so that two of them may have the same port.
        errors += _host_ports([container], at)
        if container.get("restartPolicy") == "Always":
            errors += handlers.probes_and_hooks(container, around.grace, here)
            continue
        errors += handlers.none_for_init(container, here)
        if resize := container.get("resizePolicy"):
            errors.append(invalid(f"{here}.resizePolicy", resize, "must not be set for init containers"))
    return errors


def ephemeral(containers: list[Object], others: list[Object], around: Surroundings, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    targets = {container.get("name") for container in others}
    seen = set(targets)
    for index, container in enumerate(containers):
        here = f"{at}[{index}]"
        errors += _common(container, around, here) + image_padding(container, here)
        name, target = container.get("name"), container.get("targetContainerName")
        if name in seen:
            errors.append(duplicate(f"{here}.name", name))
        seen.add(name)
        if target and target not in targets:
            errors.append(not_found(f"{here}.targetContainerName", target))
        errors += [forbidden(f"{here}.{name}", _EPHEMERAL) for name in _NOT_EPHEMERAL if container.get(name)]
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            for part in ("subPath", "subPathExpr"):
                if mount.get(part):
                    errors.append(forbidden(f"{here}.volumeMounts[{number}].{part}", _EPHEMERAL))
    return errors


def image_padding(container: Object, at: str) -> list[FieldError]:
    """Only in a pod: a template may hold a blank that something fills in later."""
    image = container.get("image") or ""
    if image == image.strip():
        return []
    return [invalid(f"{at}.image", image, "must not have leading or trailing whitespace")]


def _common(container: Object, around: Surroundings, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    get = container.get
    name = get("name")
    if not name:
        errors.append(required(f"{at}.name"))
    elif wrong := names.dns1123_label(name):
        errors += [invalid(f"{at}.name", name, why) for why in wrong]
    if not get("image"):
        errors.append(required(f"{at}.image"))
    if get("terminationMessagePolicy") not in _MESSAGE_POLICIES:
        errors += rules.one_of(get("terminationMessagePolicy"), _MESSAGE_POLICIES, f"{at}.terminationMessagePolicy")
    if ports := get("ports"):
        errors += _ports(ports, f"{at}.ports")
    if variables := get("env"):
        errors += environment.variables(variables, f"{at}.env", around.volumes)
    if sources := get("envFrom"):
        errors += environment.sources(sources, f"{at}.envFrom")
    if get("volumeMounts") or get("volumeDevices"):
        errors += volumes.mounts(container, around.volumes, at)
    if get("imagePullPolicy") not in volumes.PULL_POLICIES:
        errors += rules.one_of(get("imagePullPolicy"), volumes.PULL_POLICIES, f"{at}.imagePullPolicy")
    if stated := get("resources"):
        errors += resources.requirements(stated, f"{at}.resources", around.claims)
    if resize := get("resizePolicy"):
        errors += _resize(resize, around.restart_policy, f"{at}.resizePolicy")
    if context := get("securityContext"):
        errors += security.container(context, f"{at}.securityContext", host_users=around.host_users)
    return errors


def _ports(ports: list[Object], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        name = port.get("name")
        if name:
            wrong = names.port_name(name)
            errors += [invalid(f"{at}[{index}].name", name, why) for why in wrong]
            if not wrong and name in seen:
                errors.append(duplicate(f"{at}[{index}].name", name))
            seen.add(name)
        number = port.get("containerPort")
        if not number:
            errors.append(required(f"{at}[{index}].containerPort"))
        elif not 0 < number < 65536:
            errors += rules.port_number(number, f"{at}[{index}].containerPort")
        host = port.get("hostPort")
        if host and not 0 < host < 65536:
            errors += rules.port_number(host, f"{at}[{index}].hostPort")
        if port.get("protocol") not in rules.PROTOCOLS:
            errors += rules.one_of(port.get("protocol"), rules.PROTOCOLS, f"{at}[{index}].protocol")
    return errors


def _host_ports(containers: list[Object], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort")
            if not host:
                continue
            key = f"{port.get('protocol')}/{port.get('hostIP') or ''}/{host}"
            if key in seen:
                errors.append(duplicate(f"{at}[{index}].ports[{number}].hostPort", key))
            seen.add(key)
    return errors


def _resize(policies: list[Object], pod_policy: str, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        name, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if name in seen:
            errors.append(duplicate(f"{at}[{index}]", name))
        seen.add(name)
        errors += rules.one_of(name, ("cpu", "memory"), at)
        errors += rules.one_of(restart, _RESIZE_POLICIES, at)
        if pod_policy == "Never" and restart != "NotRequired":
            errors.append(invalid(at, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'"))
    return errors
