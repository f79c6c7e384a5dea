"""Security contexts, of a container and of the pod."""

from __future__ import annotations

import re

from api.field import FieldError, duplicate, invalid, not_supported, required
from apiserver.registry import rules
from apiserver.registry.kind import Object

_SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL_FORMAT = rf"({_SYSCTL_SEGMENT}[\./])*{_SYSCTL_SEGMENT}"
_SYSCTL = re.compile(rf"{_SYSCTL_FORMAT}\Z")
_SYSCTL_LENGTH = 253
_IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_NO_ESCALATION = "cannot set `allowPrivilegeEscalation` to false and"


def container(context: Object, at: str, *, host_users: bool) -> list[FieldError]:
    errors = _ids(context, ("runAsUser", "runAsGroup"), at)
    proc = context.get("procMount")
    if proc is not None:
        if proc not in ("Default", "Unmasked"):
            errors.append(not_supported(f"{at}.procMount", proc, ("Default", "Unmasked")))
        if host_users and proc == "Unmasked":
            errors.append(invalid(f"{at}.procMount", proc, "`hostUsers` must be false to use `Unmasked`"))
    errors += profiles(context, at)
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            errors.append(invalid(at, context, f"{_NO_ESCALATION} `privileged` to true"))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            errors.append(invalid(at, context, f"{_NO_ESCALATION} `capabilities.Add` CAP_SYS_ADMIN"))
    return errors


def pod(context: Object, spec: Object, at: str) -> list[FieldError]:
    errors = _ids(context, ("fsGroup", "runAsUser", "runAsGroup"), at)
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        errors += rules.in_range(group, 0, rules.MAX_INT32, f"{at}.supplementalGroups[{index}]")
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(invalid(f"{at}.shareProcessNamespace", True, text))
    if sysctls := context.get("sysctls"):
        errors += _sysctls(sysctls, spec, f"{at}.sysctls")
    for field, supported in _CHOICES.items():
        value = context.get(field)
        if value is not None and value not in supported:
            errors.append(not_supported(f"{at}.{field}", value, supported))
    return errors + profiles(context, at)


_CHOICES = {
    "fsGroupChangePolicy": ("Always", "OnRootMismatch"),
    "supplementalGroupsPolicy": ("Merge", "Strict"),
    "seLinuxChangePolicy": ("MountOption", "Recursive"),
}


def _ids(context: Object, fields: tuple[str, ...], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for field in fields:
        value = context.get(field)
        if value is not None:
            errors += rules.in_range(value, 0, rules.MAX_INT32, f"{at}.{field}")
    return errors


def profiles(context: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for field, called in (("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")):
        profile = context.get(field)
        if profile is not None:
            errors += _profile(profile, field, called, f"{at}.{field}")
    return errors


def _profile(profile: Object, field: str, called: str, at: str) -> list[FieldError]:
    kind, path = profile.get("type"), profile.get("localhostProfile")
    errors: list[FieldError] = []
    if not kind:
        errors.append(required(f"{at}.type", f"type is required when {field} is set"))
    elif kind not in _PROFILES:
        errors.append(not_supported(f"{at}.type", kind, _PROFILES))
    if kind == "Localhost":
        if path is None or (called == "AppArmor" and not path.strip()):
            errors.append(required(f"{at}.localhostProfile", f"must be set when {called} type is Localhost"))
        elif called == "AppArmor" and path != path.strip():
            errors.append(invalid(f"{at}.localhostProfile", path, "must not be padded with whitespace"))
        elif called == "seccomp" and path.startswith("/"):
            errors.append(invalid(f"{at}.localhostProfile", path, "must be a relative path"))
        elif called == "seccomp" and ".." in path.split("/"):
            errors.append(invalid(f"{at}.localhostProfile", path, "must not contain '..'"))
    elif path is not None:
        shown = profile if called == "seccomp" else path
        errors.append(invalid(f"{at}.localhostProfile", shown, f"can only be set when {called} type is Localhost"))
    return errors


def _sysctls(sysctls: list[Object], spec: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        here, name = f"{at}[{index}].name", sysctl.get("name") or ""
        if not name:
            errors.append(required(here))
        elif len(name) > _SYSCTL_LENGTH or not _SYSCTL.match(name):
            text = f"must have at most {_SYSCTL_LENGTH} characters and match regex ^{_SYSCTL_FORMAT}$"
            errors.append(invalid(here, name, text))
        elif name in seen:
            errors.append(duplicate(here, name))
        seen.add(name)
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") and dotted.startswith("net."):
            errors.append(invalid(here, name, "may not be specified when 'hostNetwork' is true"))
        if spec.get("hostIPC") and dotted.startswith(_IPC_SYSCTLS):
            errors.append(invalid(here, name, "may not be specified when 'hostIPC' is true"))
    return errors
