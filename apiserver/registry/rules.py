"""Small checks that many kinds share: ports, addresses, selectors, numbers, sameness.

Each takes the path of its field as text and returns the errors it finds. Paths are only put together when something is
wrong: a pod has hundreds of fields and nearly all of them are right.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from api import intstr, names
from api.field import (
    OMITTED,
    ErrorType,
    FieldError,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from api.schema.pointers import is_pointer
from apiserver.registry.kind import Object

IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"
MAX_INT32 = 2**31 - 1
PROTOCOLS = ("SCTP", "TCP", "UDP")

_NOT_PERCENT = names.regex_message(
    "a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%"
)
_HTTP_HEADER = re.compile(r"[-A-Za-z0-9]+\Z")
_STATUSES = ("False", "True", "Unknown")
_REASON = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?\Z")
_NO_REASON = names.regex_message(
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_'",
    "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
    *("my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"),
)
_CONDITION_LENGTHS = {"reason": 1024, "message": 32768}
_POINTERS = frozenset({"mode", "priority", "replicas"})
"""Fields where zero or false is not the same as not set, besides those that are so wherever they stand."""


def same(new: Any, old: Any, name: str = "") -> bool:
    """Whether two values mean the same: what is empty equals what is missing, as on a wire that omits empty fields."""
    if new is old or new == old:
        return True
    if isinstance(new, dict) and isinstance(old, dict):
        return all(same(new.get(key), old.get(key), key) for key in new.keys() | old.keys())
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(same(a, b) for a, b in zip(new, old, strict=True))
    if name in _POINTERS or is_pointer("", name):
        return new is None and old is None
    return not new and not old


def immutable(new: Any, old: Any, at: str) -> list[FieldError]:
    return [] if same(new, old, at.rpartition(".")[2]) else [invalid(at, new, IMMUTABLE)]


def differences(now: Any, before: Any, at: str) -> Iterator[str]:
    """Where two values differ, a line for what was and a line for what is asked."""
    if isinstance(now, dict) and isinstance(before, dict):
        for key in sorted(now.keys() | before.keys()):
            if not same(now.get(key), before.get(key), key):
                yield from differences(now.get(key), before.get(key), f"{at}.{key}")
    elif isinstance(now, list) and isinstance(before, list) and len(now) == len(before):
        for index, (new, old) in enumerate(zip(now, before, strict=True)):
            if not same(new, old):
                yield from differences(new, old, f"{at}[{index}]")
    else:
        yield f"- {at}: {json.dumps(before)}"
        yield f"+ {at}: {json.dumps(now)}"


def not_negative(obj: Mapping[str, Any], names_: Iterable[str], at: str) -> list[FieldError]:
    """Each named number of `obj`, if it is there, is 0 or more."""
    return [invalid(f"{at}.{name}", obj[name], NOT_NEGATIVE) for name in names_ if (obj.get(name) or 0) < 0]


def wrong(at: str, detail: str) -> FieldError:
    """A thing that is wrong as a whole, which is not shown again."""
    return FieldError(ErrorType.INVALID, at, OMITTED, detail)


def not_less(new: Mapping[str, Any], old: Mapping[str, Any], name: str, at: str) -> list[FieldError]:
    """A number that only grows."""
    value, before = new.get(name), old.get(name)
    if before is None or (value is not None and value >= before):
        return []
    return [invalid(f"{at}.{name}", value or 0, "cannot be decremented")]


def count_or_percent(value: Any, at: str) -> list[FieldError]:
    """A number of pods, or a share of them (an IntOrString)."""
    if isinstance(value, str):
        return [] if intstr.is_percent(value) else [invalid(at, value, _NOT_PERCENT)]
    return [] if value >= 0 else [invalid(at, value, NOT_NEGATIVE)]


def at_most_all(value: Any, at: str) -> list[FieldError]:
    share = intstr.percent(value) or 0
    return [] if share <= 100 else [invalid(at, value, "must not be greater than 100%")]


def each(check: Callable[[str], list[str]], value: Any, at: str) -> list[FieldError]:
    """What `check` (of `api.names`) says of a value."""
    return [invalid(at, value, why) for why in check(value or "")]


def one_of(value: Any, supported: Collection[str], at: str) -> list[FieldError]:
    """A value that must be there and be one of a few."""
    if not value:
        return [required(at)]
    return [] if value in supported else [not_supported(at, value, supported)]


def in_range(value: int, low: int, high: int, at: str) -> list[FieldError]:
    return [] if low <= value <= high else [invalid(at, value, f"must be between {low} and {high}, inclusive")]


def port_number(value: Any, at: str) -> list[FieldError]:
    return in_range(value or 0, 1, 65535, at)


def port_number_or_name(value: Any, at: str) -> list[FieldError]:
    if isinstance(value, str):
        return each(names.port_name, value, at)
    return port_number(value, at)


def conditions(values: Sequence[Object], at: str) -> list[FieldError]:
    """metav1.Conditions: one of each type, each with its time and its reason."""
    errors: list[FieldError] = []
    for index, condition in enumerate(values):
        here, kind = f"{at}[{index}]", condition.get("type") or ""
        if any((other.get("type") or "") == kind for other in values[:index]):
            errors.append(duplicate(f"{here}.type", kind))
        errors += _condition(condition, here)
    return errors


def _condition(condition: Object, at: str) -> list[FieldError]:
    errors = each(names.qualified_name, condition.get("type"), f"{at}.type")
    status, reason = condition.get("status") or "", condition.get("reason") or ""
    if status not in _STATUSES:
        errors.append(not_supported(f"{at}.status", status, _STATUSES))
    generation = condition.get("observedGeneration") or 0
    if generation < 0:
        errors.append(invalid(f"{at}.observedGeneration", generation, "must be greater than or equal to zero"))
    if not condition.get("lastTransitionTime"):
        errors.append(required(f"{at}.lastTransitionTime", "must be set"))
    if not reason:
        errors.append(required(f"{at}.reason", "must be set"))
    elif not _REASON.match(reason):
        errors.append(invalid(f"{at}.reason", reason, _NO_REASON))
    for field, limit in _CONDITION_LENGTHS.items():
        if len(condition.get(field) or "") > limit:
            errors.append(too_long(f"{at}.{field}", condition[field], limit))
    return errors


def http_header_name(value: str) -> list[str]:
    if _HTTP_HEADER.match(value):
        return []
    text = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [names.regex_message(text, "[-A-Za-z0-9]+", "X-Header-Name")]


def labels(values: Mapping[str, Any] | None, at: str) -> list[FieldError]:
    """The keys and values of a map of labels (Kubernetes names the map, not the entry, as the field)."""
    if not values:
        return []
    errors: list[FieldError] = []
    for key, value in values.items():
        errors += each(names.qualified_name, key, at)
        if value:
            errors += each(names.label_value, value, at)
    return errors


def label_selector(selector: Mapping[str, Any] | None, at: str) -> list[FieldError]:
    """A metav1.LabelSelector."""
    if not selector:
        return []
    errors = labels(selector.get("matchLabels"), f"{at}.matchLabels")
    for index, item in enumerate(selector.get("matchExpressions") or ()):
        errors += _selector_requirement(item, f"{at}.matchExpressions[{index}]")
    return errors


def values_fit(operator: Any, values: Sequence[Any], at: str) -> list[FieldError] | None:
    """Whether a requirement's values suit its set operator; None for an operator that is none of the four."""
    if operator in ("In", "NotIn"):
        wrong = required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        return [] if values else [wrong]
    if operator in ("Exists", "DoesNotExist"):
        wrong = forbidden(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        return [wrong] if values else []
    return None


def _selector_requirement(item: Mapping[str, Any], at: str) -> list[FieldError]:
    operator, values = item.get("operator"), item.get("values") or ()
    errors = values_fit(operator, values, at)
    if errors is None:
        errors = [invalid(f"{at}.operator", operator or "", "not a valid selector operator")]
    errors += each(names.qualified_name, item.get("key"), f"{at}.key")
    for index, value in enumerate(values):
        errors += each(names.label_value, value, f"{at}.values[{index}]")
    return errors


def ip_address(value: Any, at: str) -> list[FieldError]:
    try:
        ipaddress.ip_address(value or "")
    except ValueError:
        return [invalid(at, value or "", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    return []


def cidr(value: Any, at: str) -> list[FieldError]:
    try:
        if "/" not in (value or ""):
            raise ValueError("no prefix length")
        ipaddress.ip_interface(value)
    except ValueError:
        return [invalid(at, value or "", "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
    return []


def ordinary_ip(value: Any, at: str) -> list[FieldError]:
    """An address that other machines can reach: not loopback, not link-local, not unspecified."""
    try:
        address = ipaddress.ip_address(value or "")
    except ValueError:
        return [invalid(at, value or "", "must be a valid IP address")]
    if address.is_unspecified:
        return [invalid(at, value, f"may not be unspecified ({value})")]
    if address.is_loopback:
        return [invalid(at, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")]
    if address.is_link_local:
        return [invalid(at, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")]
    if address in _LINK_LOCAL_MULTICAST_4 or address in _LINK_LOCAL_MULTICAST_6:
        return [invalid(at, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")]
    return []


_LINK_LOCAL_MULTICAST_4 = ipaddress.ip_network("224.0.0.0/24")
_LINK_LOCAL_MULTICAST_6 = ipaddress.ip_network("ff02::/16")


_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_HTTP_PATH_RE = re.compile(rf"{_HTTP_PATH}\Z")


def domain_prefixed_path(value: str, at: str) -> list[FieldError]:
    """A name such as `example.com/controller`."""
    if not value:
        return [required(at)]
    host, _, path = value.partition("/")
    if not host or not path:
        return [invalid(at, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    errors = each(names.dns1123_subdomain, host, at)
    if not _HTTP_PATH_RE.match(path):
        errors.append(invalid(at, path, names.regex_message("Invalid path", _HTTP_PATH)))
    return errors
