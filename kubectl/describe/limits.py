"""What a namespace may have: its quotas and its ranges of limits, as they stand below its description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from api.errors import NoSuchResource, NotFound
from kubectl.describe.writer import Writer
from kubectl.kinds import LIMIT_RANGE, RESOURCE_QUOTA
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.discovery import Resource
    from kubectl.session import Session

_TITLES = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
_FIELDS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")


def quotas_and_limits(session: Session, writer: Writer, namespace: str) -> None:
    """Each part only if the server serves its kind."""
    quotas = _list(session, RESOURCE_QUOTA, namespace)
    if quotas is not None:
        writer.line(0)
        _quotas(writer, quotas)
    ranges = _list(session, LIMIT_RANGE, namespace)
    if ranges is not None:
        writer.line(0)
        _ranges(writer, ranges)


def _list(session: Session, resource: Resource, namespace: str) -> list[Object] | None:
    try:
        found: list[Object] = session.server.list(resource, namespace)["items"]
    except (NotFound, NoSuchResource):
        return None
    return found


def _quotas(writer: Writer, quotas: list[Object]) -> None:
    if not quotas:
        writer.line(0, "No resource quota.")
        return
    writer.line(0, "Resource Quotas")
    for quota in sorted(quotas, key=lambda each: str(each["metadata"]["name"])):
        writer.field(1, "Name", quota["metadata"]["name"])
        if scopes := (quota.get("spec") or {}).get("scopes"):
            writer.field(1, "Scopes", ", ".join(sorted(scopes)))
        writer.line(1, "Resource\tUsed\tHard")
        writer.line(1, "--------\t---\t---")
        status = quota.get("status") or {}
        used = status.get("used") or {}
        for name, most in sorted((status.get("hard") or {}).items()):
            writer.line(1, f"{name}\t{used.get(name, '0')}\t{most}")


def _ranges(writer: Writer, ranges: list[Object]) -> None:
    if not ranges:
        writer.line(0, "No LimitRange resource.")
        return
    writer.line(0, "Resource Limits")
    writer.line(0, " " + "\t".join(_TITLES))
    writer.line(0, " " + "\t".join("-" * len(title) for title in _TITLES))
    for each in ranges:
        for row in _rows(each):
            writer.line(0, " " + "\t".join(row))


def _rows(limit_range: Object) -> Iterator[list[str]]:
    for limit in (limit_range.get("spec") or {}).get("limits") or ():
        lists = [limit.get(field) or {} for field in _FIELDS]
        for resource in dict.fromkeys(name for amounts in lists for name in amounts):
            yield [limit.get("type", ""), resource, *(amounts.get(resource, "-") for amounts in lists)]
