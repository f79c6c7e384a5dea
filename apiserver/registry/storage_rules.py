"""What the kinds of storage.k8s.io share: drivers' names, parameters, token requests."""

from __future__ import annotations

from collections.abc import Mapping

from api import names
from api.field import FieldError, duplicate, forbidden, invalid, required, too_long
from apiserver.registry import rules
from apiserver.registry.kind import Object

GROUP = "storage.k8s.io"
_MOST, _LARGEST = 512, 256 * 1024
_SHORTEST, _LONGEST = 600, 1 << 32
_DRIVER_LENGTH = 63


def driver_name(name: str, at: str) -> list[FieldError]:
    if not name:
        return [required(at)]
    errors = [too_long(at, "", _DRIVER_LENGTH)] if len(name) > _DRIVER_LENGTH else []
    return errors + [invalid(at, name, why) for why in names.dns1123_subdomain(name.lower())]


def provisioner(name: str, at: str) -> list[FieldError]:
    if not name:
        return [required(at)]
    return [invalid(at, name.lower(), why) for why in names.qualified_name(name.lower())]


def parameters(given: Mapping[str, str] | None, at: str, *, needed: bool = False) -> list[FieldError]:
    given = given or {}
    if len(given) > _MOST:
        return [too_long(at, "Provisioner Parameters exceeded max allowed", _MOST)]
    errors = [invalid(at, key, "field can not be empty.") for key in given if not key]
    if sum(len(key) + len(value or "") for key, value in given.items()) > _LARGEST:
        errors.append(too_long(at, "", _LARGEST))
    if needed and not given:
        errors.append(required(at, "must contain at least one key/value pair"))
    return errors


def sealed(new: Object, old: Object, fields: tuple[str, ...]) -> list[FieldError]:
    """What a class decides once and for all."""
    changed = (name for name in fields if not rules.same(new.get(name), old.get(name)))
    return [forbidden(name, f"updates to {name} are forbidden.") for name in changed]


def token_requests(requests: list[Object], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, request in enumerate(requests):
        audience, seconds = request.get("audience") or "", request.get("expirationSeconds")
        if audience in seen:
            errors.append(duplicate(f"{at}[{index}].audience", audience))
            continue
        seen.add(audience)
        here = f"{at}[{index}].expirationSeconds"
        if seconds is not None and seconds < _SHORTEST:
            errors.append(invalid(here, seconds, "may not specify a duration less than 10 minutes"))
        elif seconds is not None and seconds > _LONGEST:
            errors.append(invalid(here, seconds, "may not specify a duration larger than 2^32 seconds"))
    return errors


def shown_name(obj: Object, annotations: tuple[str, ...]) -> str:
    """A class's name, and whether it is the default one."""
    given = obj["metadata"].get("annotations") or {}
    default = any(given.get(annotation) == "true" for annotation in annotations)
    return f"{obj['metadata']['name']} (default)" if default else str(obj["metadata"]["name"])
