"""What is wrong with an Ingress's rules, backends and TLS entries."""

from __future__ import annotations

import ipaddress

from api import names
from api.field import FieldError, invalid, not_supported, required
from apiserver.registry import rules
from apiserver.registry.kind import Object

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_NO_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_NO_ENDINGS = ("/..", "/.")
_NO_ADDRESS = "must be a DNS name, not an IP address"


def spec(value: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    given, default = value.get("rules") or [], value.get("defaultBackend")
    if not given and default is None:
        errors.append(invalid("spec", given, "either `defaultBackend` or `rules` must be specified"))
    if default is not None:
        errors += _backend(default, "spec.defaultBackend")
    for index, rule in enumerate(given):
        errors += _rule(rule, f"spec.rules[{index}]")
    for index, entry in enumerate(value.get("tls") or ()):
        errors += _tls(entry, f"spec.tls[{index}]")
    class_name = value.get("ingressClassName")
    if class_name is not None:
        errors += rules.each(names.dns1123_subdomain, class_name, "spec.ingressClassName")
    return errors


def _host(host: str, at: str) -> list[FieldError]:
    check = names.wildcard_dns1123_subdomain if "*" in host else names.dns1123_subdomain
    return rules.each(check, host, at)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _tls(entry: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, host in enumerate(entry.get("hosts") or ()):
        errors += _host(host or "", f"{at}.hosts[{index}]")
    if secret := entry.get("secretName"):
        errors += rules.each(names.dns1123_subdomain, secret, f"{at}.secretName")
    return errors


def _rule(rule: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    host, http = rule.get("host"), rule.get("http")
    if host:
        if _is_address(host):
            errors.append(invalid(f"{at}.host", host, _NO_ADDRESS))
        errors += _host(host, f"{at}.host")
    if http is None:
        return errors
    paths = http.get("paths") or ()
    if not paths:
        errors.append(required(f"{at}.http.paths"))
    for index, path in enumerate(paths):
        errors += _path(path, f"{at}.http.paths[{index}]")
    return errors


def _path(path: Object, at: str) -> list[FieldError]:
    kind, text = path.get("pathType"), path.get("path") or ""
    if kind is None:
        return [required(f"{at}.pathType", "pathType must be specified")]
    errors: list[FieldError] = []
    if kind not in _PATH_TYPES:
        errors.append(not_supported(f"{at}.pathType", kind, _PATH_TYPES))
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        errors.append(invalid(f"{at}.path", text, "must be an absolute path"))
    if kind in ("Exact", "Prefix"):
        errors += [invalid(f"{at}.path", text, f"must not contain '{part}'") for part in _NO_SEQUENCES if part in text]
        errors += [invalid(f"{at}.path", text, f"cannot end with '{end}'") for end in _NO_ENDINGS if text.endswith(end)]
    return errors + _backend(path.get("backend") or {}, f"{at}.backend")


def _backend(backend: Object, at: str) -> list[FieldError]:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        return [invalid(at, "", "cannot set both resource and service backends")]
    if resource is not None:
        return reference(resource, f"{at}.resource")
    if service is None:
        return [invalid(at, "", "resource or service backend is required")]
    if service.get("name"):
        errors = rules.each(names.dns1035_label, service["name"], f"{at}.service.name")
    else:
        errors = [required(f"{at}.service.name")]
    port = service.get("port") or {}
    name, number = port.get("name"), port.get("number")
    if name and number:
        errors.append(invalid(at, "", "cannot set both port name & port number"))
    elif name:
        errors += rules.each(names.port_name, name, f"{at}.service.port.name")
    elif number:
        errors += rules.port_number(number, f"{at}.service.port.number")
    else:
        errors.append(required(at, "port name or number is required"))
    return errors


def reference(value: Object, at: str) -> list[FieldError]:
    """Another object by group, kind and name."""
    errors: list[FieldError] = []
    if value.get("apiGroup") is not None:
        errors += rules.each(names.dns1123_subdomain, value["apiGroup"], f"{at}.apiGroup")
    for field in ("kind", "name"):
        if value.get(field):
            errors += rules.each(names.path_segment, value[field], f"{at}.{field}")
        else:
            errors.append(required(f"{at}.{field}", f"{field} is required"))
    return errors


def status(value: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, ingress in enumerate((value.get("loadBalancer") or {}).get("ingress") or ()):
        at = f"status.loadBalancer.ingress[{index}]"
        if ingress.get("ip"):
            errors += rules.ip_address(ingress["ip"], f"{at}.ip")
        if host := ingress.get("hostname"):
            errors += rules.each(names.dns1123_subdomain, host, f"{at}.hostname")
            if _is_address(host):
                errors.append(invalid(f"{at}.hostname", host, _NO_ADDRESS))
    return errors
