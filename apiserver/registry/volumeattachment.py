"""VolumeAttachment: the wish that a volume be attached to a node, and whether it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api import names
from api.field import FieldError, forbidden, required, too_long
from apiserver.registry import rules, storage_rules
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy

_METADATA, _MESSAGE = 256 * 1024, 1024
_EXACTLY_ONE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"


class VolumeAttachmentStrategy(StatusStrategy):
    allow_unconditional_update = False
    returns_deleted = True

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {"attached": False}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        attacher = spec.get("attacher") or ""
        errors = storage_rules.driver_name(attacher, "spec.attacher")
        errors += _source(spec.get("source") or {}, "spec.source")
        return errors + rules.each(names.dns1123_subdomain, spec.get("nodeName"), "spec.nodeName")

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return self.validate(new, ctx) + rules.immutable(new["spec"], old.get("spec"), "spec")

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        status = new.get("status") or {}
        size = sum(len(key) + len(value or "") for key, value in (status.get("attachmentMetadata") or {}).items())
        errors = [too_long("status.attachmentMetadata", "", _METADATA)] if size > _METADATA else []
        for field in ("attachError", "detachError"):
            errors += _failure(status.get(field) or {}, f"status.{field}")
        return errors


def _failure(error: Object, at: str) -> list[FieldError]:
    # The limit that is told is the one of the metadata: that is how it has always been worded.
    errors = [too_long(f"{at}.message", "", _METADATA)] if len(error.get("message") or "") > _MESSAGE else []
    if error.get("errorCode") is not None:
        errors += rules.in_range(error["errorCode"], 0, rules.MAX_INT32, f"{at}.errorCode")
    return errors


def _source(source: Object, at: str) -> list[FieldError]:
    inline, name = source.get("inlineVolumeSpec"), source.get("persistentVolumeName")
    if inline is None and name is None:
        return [required(at, _EXACTLY_ONE)]
    if inline is not None and name is not None:
        return [forbidden(at, _EXACTLY_ONE)]
    if name is None:
        return []
    if not name:
        return [required(f"{at}.persistentVolumeName", "must specify non empty persistentVolumeName")]
    return rules.each(names.dns1123_subdomain, name, f"{at}.persistentVolumeName")


def _spec(field: str) -> Any:
    return lambda obj, now: (obj.get("spec") or {}).get(field) or ""


def _volume(obj: Object, now: datetime) -> str:
    return ((obj.get("spec") or {}).get("source") or {}).get("persistentVolumeName") or ""


def _attached(obj: Object, now: datetime) -> bool:
    return bool((obj.get("status") or {}).get("attached"))


KIND = Kind(
    group=storage_rules.GROUP,
    version="v1",
    kind="VolumeAttachment",
    plural="volumeattachments",
    definition="io.k8s.api.storage.v1.VolumeAttachment",
    namespaced=False,
    singular="volumeattachment",
    strategy=VolumeAttachmentStrategy(),
    status=True,
    columns=(
        Column("Attacher", _spec("attacher"), format="name", description="Who attaches it."),
        Column("PV", _volume, description="The volume."),
        Column("Node", _spec("nodeName"), description="The node it is to be attached to."),
        Column("Attached", _attached, type="boolean", description="Whether it is attached."),
    ),
)
