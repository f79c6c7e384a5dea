"""The string formats that a custom resource's schema may name and that the API checks; other formats mean nothing."""

from __future__ import annotations

import binascii
import ipaddress
import re
from collections.abc import Callable
from email.utils import parseaddr
from urllib.parse import urlsplit

from api import names
from api.metadata import parse_time

Format = Callable[[str], bool]

_UUID = "[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"
_HOST_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?\Z")
_DURATION = re.compile(r"[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)\s*(?:ns|us|µs|ms|s|m|h|d|w)\s*)+\Z|0\Z")
_LONG_DURATION = re.compile(
    r"(?:\d+(?:\.\d*)?\s*(?:nano(?:second)?s?|micro(?:second)?s?|milli(?:second)?s?|sec(?:ond)?s?|min(?:ute)?s?|hours?|hr|days?|weeks?|wk)\s*)+\Z"
)


def _matching(pattern: str) -> Format:
    found = re.compile(f"(?:{pattern})\\Z", re.IGNORECASE | re.ASCII).match
    return lambda text: found(text) is not None


def _parsing(parse: Callable[[str], object]) -> Format:
    def check(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, OverflowError):
            return False
        return True

    return check


def _hostname(text: str) -> bool:
    return len(text) <= 255 and all(_HOST_LABEL.match(label) for label in text.split("."))


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return not re.search(r"[\x00-\x20\x7f]", text) and (bool(parts.scheme) or text.startswith("/"))


def _email(text: str) -> bool:
    address = parseaddr(text, strict=True)[1]
    local, at, domain = address.rpartition("@")
    return bool(at and local and domain) and " " not in address


def _cidr(text: str) -> bool:
    return "/" in text and _parsing(ipaddress.ip_interface)(text)


def _byte(text: str) -> bool:
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return False
    return bool(text)


def _luhn(text: str) -> bool:
    digits = [int(char) for char in text if char.isdigit()]
    doubled = (digit if index % 2 == 0 else sum(divmod(digit * 2, 10)) for index, digit in enumerate(reversed(digits)))
    return 12 <= len(digits) <= 19 and sum(doubled) % 10 == 0


def _isbn10(text: str) -> bool:
    bare = text.replace("-", "").replace(" ", "")
    if not re.fullmatch(r"\d{9}[\dX]", bare):
        return False
    return sum((10 - place) * (10 if char == "X" else int(char)) for place, char in enumerate(bare)) % 11 == 0


def _isbn13(text: str) -> bool:
    bare = text.replace("-", "").replace(" ", "")
    return (
        bool(re.fullmatch(r"\d{13}", bare)) and sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(bare)) % 10 == 0
    )


def _duration(text: str) -> bool:
    return bool(_DURATION.match(text) or _LONG_DURATION.match(text))


FORMATS: dict[str, Format] = {
    "bsonobjectid": _matching("[0-9a-f]{24}"),
    "byte": _byte,
    "cidr": _cidr,
    "creditcard": _luhn,
    "date": _parsing(lambda text: parse_time(f"{text}T00:00:00Z")),
    "datetime": _parsing(parse_time),
    "duration": _duration,
    "email": _email,
    "hexcolor": _matching("#?(?:[0-9a-f]{3}|[0-9a-f]{6})"),
    "hostname": _hostname,
    "ipv4": _parsing(ipaddress.IPv4Address),
    "ipv6": _parsing(ipaddress.IPv6Address),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8slongname": lambda text: not names.dns1123_subdomain(text),
    "k8sshortname": lambda text: not names.dns1123_label(text),
    "mac": _matching(
        "(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{2}[:-]){7}[0-9a-f]{2}|(?:[0-9a-f]{4}\\.){2}[0-9a-f]{4}"
    ),
    "password": lambda text: True,
    "rgbcolor": _matching(
        r"rgb\(\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*(?:,\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*){2}\)"
    ),
    "ssn": _matching(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "uri": _uri,
    "uuid": _matching(_UUID % ("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _matching(_UUID % ("3", "[0-9a-f]")),
    "uuid4": _matching(_UUID % ("4", "[89ab]")),
    "uuid5": _matching(_UUID % ("5", "[89ab]")),
}
"""By name without dashes, which do not count: `date-time` is `datetime`."""

_NUMBERS = frozenset({"int32", "int64"})


def format_check(name: str) -> Format | None:
    return FORMATS.get(name.replace("-", "")) if name else None


def recognized(name: str) -> bool:
    """Whether a format is known, even where it checks nothing."""
    return name in _NUMBERS or name.replace("-", "") in FORMATS
