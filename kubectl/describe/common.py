"""What most descriptions have: labels, annotations, tolerations, conditions, owners, events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubectl import durations
from kubectl.describe.writer import Writer
from kubectl.kinds import EVENT
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session

LONGEST_ANNOTATION = 140
HIDDEN_ANNOTATIONS = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})


def header(writer: Writer, obj: Object) -> None:
    """Name and, where there is one, namespace."""
    writer.field(0, "Name", obj["metadata"]["name"])
    if obj["metadata"].get("namespace"):
        writer.field(0, "Namespace", obj["metadata"]["namespace"])


def label_lines(writer: Writer, title: str, values: Mapping[str, str] | None) -> None:
    pairs = [f"{key}={value}" for key, value in sorted((values or {}).items())]
    several(writer, title, pairs)


def several(writer: Writer, title: str, values: Sequence[str]) -> None:
    """The first value beside the title, the others below it."""
    writer.line(0, f"{title}:\t{values[0] if values else '<none>'}")
    for value in values[1:]:
        writer.line(0, f"\t{value}")


def annotation_lines(writer: Writer, title: str, values: Mapping[str, str] | None) -> None:
    lines: list[str] = []
    for key, value in sorted((values or {}).items()):
        if key in HIDDEN_ANNOTATIONS:
            continue
        text = value.removesuffix("\n")
        if len(text) + len(key) + 2 > LONGEST_ANNOTATION or "\n" in text:
            lines.append(f"{key}:")
            lines.extend(f"  {_shorten(line)}" for line in text.split("\n"))
        else:
            lines.append(f"{key}: {text}")
    several(writer, title, lines)


def _shorten(text: str) -> str:
    limit = LONGEST_ANNOTATION - 2
    return text if len(text) <= limit else f"{text[:limit]}..."


def controlled_by(obj: Object) -> str:
    owner = next((o for o in obj["metadata"].get("ownerReferences") or () if o.get("controller")), None)
    return f"{owner['kind']}/{owner['name']}" if owner else ""


def tolerations(writer: Writer, title: str, values: Iterable[Mapping[str, Any]] | None) -> None:
    ordered = sorted(values or (), key=lambda toleration: toleration.get("key") or "")
    several(writer, title, [toleration(value) for value in ordered])


def toleration(value: Mapping[str, Any]) -> str:
    key, wanted, effect = value.get("key") or "", value.get("value") or "", value.get("effect") or ""
    text = key + (f"={wanted}" if wanted else "") + (f":{effect}" if effect else "")
    if value.get("operator") == "Exists" and not wanted:
        text += " op=Exists" if key or effect else "op=Exists"
    if value.get("tolerationSeconds") is not None:
        text += f" for {value['tolerationSeconds']}s"
    return text


def taint(value: Mapping[str, Any]) -> str:
    wanted = value.get("value") or ""
    return f"{value['key']}{'=' + wanted if wanted else ''}:{value['effect']}"


def conditions_with_reasons(writer: Writer, obj: Object) -> None:
    conditions = (obj.get("status") or {}).get("conditions")
    if not conditions:
        return
    writer.line(0, "Conditions:")
    writer.line(1, "Type\tStatus\tReason")
    writer.line(1, "----\t------\t------")
    for condition in conditions:
        writer.line(1, f"{condition['type']} \t{condition['status']}\t{condition.get('reason', '')}")


def moment(timestamp: str | None) -> str:
    """`Sun, 22 Nov 2026 11:00:00 +0000`"""
    if not timestamp:
        return "<unset>"
    return durations.moment(timestamp).strftime("%a, %d %b %Y %H:%M:%S %z")


def selector(value: Mapping[str, Any] | None) -> str:
    from kubectl.pods import selector_text

    return selector_text(dict(value or {})) or "<none>"


def events(session: Session, writer: Writer, obj: Object, *, uid: str | None = None) -> None:
    """What happened to the object, oldest first. `uid` is for nodes, whose events carry their name instead."""
    if not session.show_events:
        return
    metadata = obj["metadata"]
    fields = {
        "involvedObject.name": metadata["name"],
        "involvedObject.namespace": metadata.get("namespace", ""),
        "involvedObject.kind": obj["kind"],
        "involvedObject.uid": metadata["uid"] if uid is None else uid,
    }
    query: dict[str, str | int] = {
        "fieldSelector": ",".join(f"{key}={value}" for key, value in fields.items() if value),
        "limit": 500,
    }
    print_events(writer, session.server.list(EVENT, metadata.get("namespace"), query).get("items") or [])


def print_events(writer: Writer, found: Sequence[Object]) -> None:
    if not found:
        writer.line(0, "Events:\t<none>")
        return
    writer.line(0, "Events:")
    writer.line(1, "Type\tReason\tAge\tFrom\tMessage")
    writer.line(1, "----\t------\t----\t----\t-------")
    for event in sorted(found, key=last_seen):
        source = (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""
        message = (event.get("message") or "").strip()
        writer.line(1, f"{event.get('type', '')}\t{event.get('reason', '')}\t{event_age(event)}\t{source}\t{message}")


def last_seen(event: Object) -> str:
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("firstTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )


def event_age(event: Object) -> str:
    first = durations.age(event.get("eventTime") or event.get("firstTimestamp"))
    series = event.get("series")
    if series:
        return f"{durations.age(series.get('lastObservedTime'))} (x{series['count']} over {first})"
    if event.get("count", 1) > 1:
        return f"{durations.age(event.get('lastTimestamp'))} (x{event['count']} over {first})"
    return first
