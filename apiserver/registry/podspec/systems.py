"""What a pod may not say once it has said which operating system it is for."""

from __future__ import annotations

from collections.abc import Iterator

from api.field import FieldError, forbidden, not_supported, required
from apiserver.registry.kind import Object

_SYSTEMS = ("linux", "windows")
_NOT_LINUX = "windows options cannot be set for a linux pod"
_NOT_WINDOWS = "cannot be set for a windows pod"
_POD_FIELDS = ("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace")
_POD_CONTEXT = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
)
_CONTAINER_CONTEXT = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)
_OFF = ("hostPID", "hostIPC")
"""Fields that say nothing when they are false."""


def validate(system: Object, spec: Object, at: str) -> list[FieldError]:
    name = system.get("name")
    if not name:
        return [required(f"{at}.os.name", "cannot be empty")]
    if name not in _SYSTEMS:
        return [not_supported(f"{at}.os", name, _SYSTEMS)]
    return list(_linux(spec, at) if name == "linux" else _windows(spec, at))


def _linux(spec: Object, at: str) -> Iterator[FieldError]:
    for context, where in ((spec.get("securityContext") or {}, f"{at}.securityContext"), *_contexts(spec, at)):
        if context.get("windowsOptions") is not None:
            yield forbidden(f"{where}.windowsOptions", _NOT_LINUX)


def _windows(spec: Object, at: str) -> Iterator[FieldError]:
    for field in _POD_FIELDS:
        if spec.get(field) or (field not in _OFF and spec.get(field) is not None):
            yield forbidden(f"{at}.{field}", _NOT_WINDOWS)
    context = spec.get("securityContext") or {}
    for field in _POD_CONTEXT:
        if context.get(field) not in (None, []):
            yield forbidden(f"{at}.securityContext.{field}", _NOT_WINDOWS)
    for context, where in _contexts(spec, at):
        for field in _CONTAINER_CONTEXT:
            if context.get(field) is not None:
                yield forbidden(f"{where}.{field}", _NOT_WINDOWS)


def _contexts(spec: Object, at: str) -> Iterator[tuple[Object, str]]:
    """The security contexts of all containers, and where they are."""
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            if context := container.get("securityContext"):
                yield context, f"{at}.{field}[{index}].securityContext"
