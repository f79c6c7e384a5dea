"""Formats by name: `format.dns1123Label().validate(self.name)` is none, or an optional list of what is wrong."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from api import names
from apiserver.cel.conversions import parse_timestamp
from apiserver.cel.functions import function, opaque
from apiserver.cel.library.url import is_url
from apiserver.cel.values import NONE, CelError, Optional

_NAME = "kubernetes.NamedFormat"
Check = Callable[[str], list[str]]


@opaque(_NAME)
@dataclass(frozen=True, slots=True)
class Format:
    name: str
    check: Check


def _prefix(check: Check) -> Check:
    """A name that is yet to get its end: it may end in a dash."""
    return lambda text: check(f"{text[:-1]}a" if len(text) > 1 and text.endswith("-") else text)


def _unless(good: Callable[[str], bool], message: str) -> Check:
    return lambda text: [] if good(text) else [message]


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_time(text: str) -> bool:
    try:
        parse_timestamp(text)
    except CelError:
        return False
    return True


def _is_date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and _is_time(f"{text}T00:00:00Z")


def _is_uuid(text: str) -> bool:
    try:
        return len(text) == 36 and str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


_FORMATS: dict[str, Check] = {
    "dns1123Label": names.dns1123_label,
    "dns1123Subdomain": names.dns1123_subdomain,
    "dns1035Label": names.dns1035_label,
    "qualifiedName": names.qualified_name,
    "dns1123LabelPrefix": _prefix(names.dns1123_label),
    "dns1123SubdomainPrefix": _prefix(names.dns1123_subdomain),
    "dns1035LabelPrefix": _prefix(names.dns1035_label),
    "labelValue": names.label_value,
    "uri": _unless(is_url, "invalid URI"),
    "uuid": _unless(_is_uuid, "does not match the UUID format"),
    "byte": _unless(_is_base64, "invalid base64"),
    "date": _unless(_is_date, "invalid date"),
    "datetime": _unless(_is_time, "invalid datetime"),
}


@function(f"optional_type<{_NAME}>", "format.named(string)")
def named(name: str) -> Optional:
    return Optional(True, Format(name, _FORMATS[name])) if name in _FORMATS else NONE


def _register(name: str, check: Check) -> None:
    made = Format(name, check)
    function(_NAME, f"format.{name}()")(lambda: made)


for _name, _check in _FORMATS.items():
    _register(_name, _check)


@function("optional_type<list<string>>", f"{_NAME}.validate(string)")
def validate(wanted: Format, text: str) -> Optional:
    wrong = wanted.check(text)
    return Optional(True, wrong) if wrong else NONE
