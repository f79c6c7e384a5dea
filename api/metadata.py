"""What all objects have in common: times, owners, keys.

Times on the wire are RFC 3339 in UTC: whole seconds for `Time`, microseconds for `MicroTime`. In memory they are aware
datetimes. Functions that take an object take a plain dict or a typed struct.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.types import meta_v1

    OwnerReference = meta_v1.OwnerReference | Mapping[str, Any]

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))\Z", re.ASCII
)


def now() -> datetime:
    """The present, as the API keeps it (UTC)."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """`2026-11-22T11:00:00Z`: the wire form of a Time, cut to whole seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def micro_time(moment: datetime) -> str:
    """`2026-11-22T11:00:00.000000Z`: the wire form of a MicroTime."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_time(text: str) -> datetime:
    """Either form, with any offset and number of decimals. Raises ValueError."""
    match = _RFC3339.match(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction = match[7] or ""
    zone = UTC if match[8] else _offset(match[9], int(match[10]), int(match[11]))
    micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        return datetime(year, month, day, hour, minute, second, micro, zone).astimezone(UTC)
    except OverflowError as problem:
        raise ValueError(f"not a time of the years 1 to 9999: {text!r}") from problem


def _offset(sign: str, hours: int, minutes: int) -> timezone:
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if sign == "-" else delta)


def get(obj: Any, name: str) -> Any:
    """A field of a dict or a struct; None if it is not there."""
    if isinstance(obj, Mapping):
        return obj.get(name)
    return getattr(obj, name, None)


def controller_of(obj: Any) -> Any:
    """The owner reference whose `controller` is true, in the shape the object has it (struct or dict), or None."""
    for reference in get(get(obj, "metadata"), "ownerReferences") or ():
        if get(reference, "controller"):
            return reference
    return None


def key(obj: Any) -> str:
    """`namespace/name`, or `name` for an object without a namespace."""
    metadata = get(obj, "metadata")
    namespace, name = get(metadata, "namespace"), get(metadata, "name") or ""
    return f"{namespace}/{name}" if namespace else str(name)


def split_key(text: str) -> tuple[str, str]:
    """(namespace, name) of a key; the namespace is empty for objects without one."""
    namespace, slash, name = text.rpartition("/")
    return (namespace, name) if slash else ("", text)
