"""What holds for the metadata of every object, whatever its kind: names, labels, annotations, owners, immutability.

The generic path calls `validate_metadata` and `validate_metadata_update` around a kind's own strategy, so that no
strategy repeats these rules. Messages are the ones Kubernetes clients know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api import names
from api.field import FieldError, Path, duplicate, forbidden, invalid, required, too_long
from apiserver.registry.kind import Kind, Object

ANNOTATIONS_LIMIT = 256 * 1024
"""Bytes of all annotation keys and values together."""

METADATA = Path("metadata")
_KNOWN_FINALIZERS = frozenset({"orphan", "foregroundDeletion", "kubernetes"})
_KEPT = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def validate_metadata(obj: Object, kind: Kind, path: Path = METADATA) -> list[FieldError]:
    """What is wrong with a new object's metadata."""
    meta = obj.get("metadata") or {}
    errors: list[FieldError] = []
    prefix = meta.get("generateName")
    if prefix:
        sample = prefix[:-1] + "a" if prefix.endswith("-") else prefix
        errors += [invalid(path / "generateName", prefix, why) for why in kind.strategy.validate_name(sample)]
    errors += _name_errors(meta, kind, path)
    generation = meta.get("generation")
    if generation is not None and generation < 0:
        errors.append(invalid(path / "generation", generation, "must be greater than or equal to 0"))
    return errors + _common(meta, path)


def validate_metadata_update(new: Object, old: Object, path: Path = METADATA) -> list[FieldError]:
    """What is wrong with the change of metadata from `old` to `new`."""
    meta, before = new.get("metadata") or {}, old.get("metadata") or {}
    errors = [
        invalid(path / name, meta.get(name), "field is immutable")
        for name in _KEPT
        if (meta.get(name) or None) != (before.get(name) or None)
    ]
    if (meta.get("generation") or 0) < (before.get("generation") or 0):
        errors.append(invalid(path / "generation", meta.get("generation"), "must not be decremented"))
    if before.get("deletionTimestamp"):
        added = [f for f in meta.get("finalizers") or () if f not in (before.get("finalizers") or ())]
        if added:
            shown = "[" + " ".join(f'"{f}"' for f in added) + "]"
            text = f"no new finalizers can be added if the object is being deleted, found new finalizers {shown}"
            errors.append(forbidden(path / "finalizers", text))
    return errors + _common(meta, path)


def validate_labels(labels: Mapping[str, Any] | None, path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    for key, value in (labels or {}).items():
        errors += [invalid(path, key, why) for why in names.qualified_name(key)]
        errors += [invalid(path.key(key), value, why) for why in names.label_value(value or "")]
    return errors


def validate_annotations(annotations: Mapping[str, Any] | None, path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    size = 0
    for key, value in (annotations or {}).items():
        # Upper-case prefixes are taken here, and only here, for old clients' sake.
        errors += [invalid(path, key, why) for why in names.qualified_name(key.lower())]
        size += len(key.encode()) + len((value or "").encode())
    if size > ANNOTATIONS_LIMIT:
        errors.append(too_long(path, "", ANNOTATIONS_LIMIT))
    return errors


def _name_errors(meta: Mapping[str, Any], kind: Kind, path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    name, namespace = meta.get("name"), meta.get("namespace")
    if not name:
        errors.append(required(path / "name", "name or generateName is required"))
    else:
        errors += [invalid(path / "name", name, why) for why in kind.strategy.validate_name(name)]
    if not kind.namespaced:
        if namespace:
            errors.append(forbidden(path / "namespace", "not allowed on this type"))
    elif not namespace:
        errors.append(required(path / "namespace", ""))
    else:
        errors += [invalid(path / "namespace", namespace, why) for why in names.dns1123_label(namespace)]
    return errors


def _common(meta: Mapping[str, Any], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    if labels := meta.get("labels"):
        errors += validate_labels(labels, path / "labels")
    if annotations := meta.get("annotations"):
        errors += validate_annotations(annotations, path / "annotations")
    if owners := meta.get("ownerReferences"):
        errors += _owner_errors(owners, path / "ownerReferences")
    if finalizers := meta.get("finalizers"):
        errors += _finalizer_errors(finalizers, path / "finalizers")
    return errors


def _owner_errors(owners: list[Mapping[str, Any]], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    controller = ""
    for index, owner in enumerate(owners):
        at = path / index
        version, _, _ = (owner.get("apiVersion") or "").rpartition("/")
        if not owner.get("apiVersion"):
            errors.append(invalid(at / "apiVersion", "", "version must not be empty"))
        for name in ("kind", "name", "uid"):
            if not owner.get(name):
                errors.append(invalid(at / name, "", "must not be empty"))
        if (version, owner.get("kind")) == ("", "Event"):
            errors.append(invalid(at, "v1, Kind=Event", "is disallowed from being an owner"))
        if owner.get("controller"):
            this = f"{owner.get('kind')}/{owner.get('name')}"
            if controller:
                text = (
                    'Only one reference can have Controller set to true. Found "true" in references for '
                    f"{controller} and {this}"
                )
                errors.append(invalid(path, owners, text))
            controller = this
    return errors


def _finalizer_errors(finalizers: list[str], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    for name in finalizers:
        errors += [invalid(path, name, why) for why in names.qualified_name(name)]
        if "/" not in name and name not in _KNOWN_FINALIZERS:
            errors.append(invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"))
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        errors.append(invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"))
    return errors


def duplicates(values: list[str], path: Path) -> list[FieldError]:
    """One error for each value that occurred before, at its own index."""
    return [duplicate(path / i, v) for i, v in enumerate(values) if v in values[:i]]
