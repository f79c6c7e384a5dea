"""Probes and lifecycle hooks: exactly one handler each, with numbers that make sense."""

from __future__ import annotations

from api.field import FieldError, forbidden, invalid, required
from apiserver.registry import rules
from apiserver.registry.kind import Object

_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_PROBE_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_INIT_ONLY = "may not be set for init containers without restartPolicy=Always"


def probes_and_hooks(container: Object, grace: int | None, at: str) -> list[FieldError]:
    """What a container that stays up may have: hooks and the three probes."""
    errors: list[FieldError] = []
    if lifecycle := container.get("lifecycle"):
        for hook in ("postStart", "preStop"):
            if lifecycle.get(hook) is not None:
                errors += _handler(lifecycle[hook], _HOOK_HANDLERS, grace, f"{at}.lifecycle.{hook}")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is not None:
            errors += _probe(probe, name, grace, f"{at}.{name}")
    return errors


def none_for_init(container: Object, at: str) -> list[FieldError]:
    """An init container that runs to its end has neither hooks nor probes."""
    fields = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
    return [forbidden(f"{at}.{name}", _INIT_ONLY) for name in fields if container.get(name) is not None]


def _probe(probe: Object, name: str, grace: int | None, at: str) -> list[FieldError]:
    errors = _handler(probe, _PROBE_HANDLERS, grace, at)
    errors += rules.not_negative(probe, _PROBE_NUMBERS, at)
    own = probe.get("terminationGracePeriodSeconds")
    if own is not None and own <= 0:
        errors.append(invalid(f"{at}.terminationGracePeriodSeconds", own, "must be greater than 0"))
    if name == "readinessProbe":
        if own is not None:
            errors.append(invalid(f"{at}.terminationGracePeriodSeconds", own, "must not be set for readinessProbes"))
    elif probe.get("successThreshold") != 1:
        errors.append(invalid(f"{at}.successThreshold", probe.get("successThreshold") or 0, "must be 1"))
    return errors


def _handler(handler: Object, kinds: tuple[str, ...], grace: int | None, at: str) -> list[FieldError]:
    given = [kind for kind in kinds if handler.get(kind) is not None]
    if not given:
        return [required(at, "must specify a handler type")]
    first, *others = given
    errors = _CHECKS[first](handler[first], grace, f"{at}.{first}")
    errors += [forbidden(f"{at}.{kind}", "may not specify more than 1 handler type") for kind in others]
    return errors


def _exec(action: Object, grace: int | None, at: str) -> list[FieldError]:
    return [] if action.get("command") else [required(f"{at}.command")]


def _http_get(action: Object, grace: int | None, at: str) -> list[FieldError]:
    errors = [] if action.get("path") else [required(f"{at}.path")]
    errors += rules.port_number_or_name(action.get("port"), f"{at}.port")
    errors += rules.one_of(action.get("scheme"), ("HTTP", "HTTPS"), f"{at}.scheme")
    for header in action.get("httpHeaders") or ():
        errors += rules.each(rules.http_header_name, header.get("name"), f"{at}.httpHeaders")
    return errors


def _tcp_socket(action: Object, grace: int | None, at: str) -> list[FieldError]:
    return rules.port_number_or_name(action.get("port"), f"{at}.port")


def _grpc(action: Object, grace: int | None, at: str) -> list[FieldError]:
    return rules.port_number(action.get("port"), f"{at}.port")


def _sleep(action: Object, grace: int | None, at: str) -> list[FieldError]:
    seconds = action.get("seconds") or 0
    if grace is None or 0 <= seconds <= grace:
        return []
    text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
    return [invalid(at, seconds, text)]


_CHECKS = {"exec": _exec, "httpGet": _http_get, "tcpSocket": _tcp_socket, "grpc": _grpc, "sleep": _sleep}
