"""CustomResourceDefinition: a kind that somebody adds to the API while it runs.

Here is what a definition may say. That its kind is then served is the work of `apiserver.customresources`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from api import names
from api.field import FieldError, invalid
from api.schema.formats import recognized
from apiserver.registry import rules
from apiserver.registry.definitions.conditions import ESTABLISHED, TERMINATING, is_true, set_condition
from apiserver.registry.definitions.conversion import NONE, validate_conversion
from apiserver.registry.definitions.names import (
    validate_approval,
    validate_group,
    validate_names,
    validate_requested,
    validate_scope,
)
from apiserver.registry.definitions.versions import schema_of, validate_versions
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy
from apiserver.registry.webhookclient import default_service

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that holds a definition until all its objects have gone."""
_PENDING = (
    "InstanceDeletionPending",
    "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
)
_NO_PRESERVING = (
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
)
_MISSING = (
    "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a "
    "storage migration ensures no data remains persisted in {0} and removes {0} from status.storedVersions"
)


class CustomResourceDefinitionStrategy(StatusStrategy):
    has_generation = True
    allow_unconditional_update = False
    any_finalizers = True

    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        called = spec.setdefault("names", {})
        if kind := called.get("kind"):
            called["singular"] = called.get("singular") or kind.lower()
            called["listKind"] = called.get("listKind") or f"{kind}List"
        conversion = spec.setdefault("conversion", {})
        if not conversion.get("strategy"):
            conversion["strategy"] = NONE
        default_service(((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service"))
        if spec.get("preserveUnknownFields") is False:
            del spec["preserveUnknownFields"]

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        stored = _stored_version(obj)
        obj["status"] = {"acceptedNames": {"plural": "", "kind": ""}, "conditions": [], "storedVersions": []}
        obj["status"]["storedVersions"] = [stored] if stored else []

    def prepare_for_delete(self, obj: Object, ctx: Context) -> None:
        finalizers = obj["metadata"].get("finalizers") or []
        if CLEANUP not in finalizers:
            obj["metadata"]["finalizers"] = [*finalizers, CLEANUP]
        set_condition(obj, TERMINATING, "True", *_PENDING, ctx.now)

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_for_update(new, old, ctx)
        stored, status = _stored_version(new), new.get("status") or {}
        if stored and stored not in (status.get("storedVersions") or ()):
            new["status"] = {**status, "storedVersions": [*(status.get("storedVersions") or ()), stored]}

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = self._name(obj) + validate_approval(_group(obj), obj["metadata"].get("annotations")) + _spec(obj)
        return errors + validate_versions(_versions(obj))

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        annotations, before = new["metadata"].get("annotations"), old["metadata"].get("annotations") or {}
        errors = validate_approval(_group(new), annotations, before) + _spec(new) + _unchanged(new, old)
        if _versions(new) != _versions(old):  # what is large and has been found good is not looked through again
            errors += validate_versions(_versions(new))
        return errors + _stored_are_there(new)

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        accepted = (new.get("status") or {}).get("acceptedNames") or {}
        return validate_names(accepted, "status.acceptedNames") + _stored_versions(new)

    def reservations(self, obj: Object) -> Iterable[str]:
        """The accepted names: no two definitions of a group may have the same, whichever servers accept them."""
        names_, at = (obj.get("status") or {}).get("acceptedNames") or {}, f"customnames/{_group(obj)}"
        resources = (names_.get("plural"), names_.get("singular"), *(names_.get("shortNames") or ()))
        kinds = (names_.get("kind"), names_.get("listKind"))
        yield from (f"{at}/resources/{name}" for name in resources if name)
        yield from (f"{at}/kinds/{name}" for name in kinds if name)

    def warnings(self, obj: Object) -> list[str]:
        found = {name for version in _versions(obj) for name in _formats(schema_of(version)) if not recognized(name)}
        return [f'unrecognized format "{name}"' for name in sorted(found)]

    def _name(self, obj: Object) -> list[FieldError]:
        name = obj["metadata"].get("name") or ""
        if not name or names.dns1123_subdomain(name):
            return []  # the generic check has said so
        if name == f"{obj['spec']['names'].get('plural') or ''}.{_group(obj)}":
            return []
        return [invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')]


def _group(obj: Object) -> str:
    return obj["spec"].get("group") or ""


def _versions(obj: Object) -> list[Object]:
    return obj["spec"].get("versions") or []


def _stored_version(obj: Object) -> str:
    return next((version.get("name") or "" for version in _versions(obj) if version.get("storage")), "")


def _spec(obj: Object) -> list[FieldError]:
    spec = obj["spec"]
    errors = validate_group(_group(obj)) + validate_scope(spec.get("scope") or "")
    errors += validate_requested(spec["names"])
    if spec.get("preserveUnknownFields"):
        errors.append(invalid("spec.preserveUnknownFields", True, _NO_PRESERVING))
    return errors + validate_conversion(spec["conversion"])


def _unchanged(new: Object, old: Object) -> list[FieldError]:
    """What the storage of existing objects depends on."""
    spec, before = new["spec"], old["spec"]
    errors: list[FieldError] = []
    if is_true(old, ESTABLISHED):
        errors += rules.immutable(spec.get("scope"), before.get("scope"), "spec.scope")
        errors += rules.immutable(spec["names"].get("kind"), before["names"].get("kind"), "spec.names.kind")
    errors += rules.immutable(spec.get("group"), before.get("group"), "spec.group")
    return errors + rules.immutable(spec["names"].get("plural"), before["names"].get("plural"), "spec.names.plural")


def _stored_are_there(obj: Object) -> list[FieldError]:
    known = {version.get("name") for version in _versions(obj)}
    stored = (obj.get("status") or {}).get("storedVersions") or ()
    return [
        invalid(f"status.storedVersions[{index}]", name, _MISSING.format(name))
        for index, name in enumerate(stored)
        if name not in known
    ]


def _stored_versions(obj: Object) -> list[FieldError]:
    """What the status says of the versions that objects may be stored in."""
    stored, current = (obj.get("status") or {}).get("storedVersions") or [], _stored_version(obj)
    if not stored:
        return [invalid("status.storedVersions", stored, "must have at least one stored version")]
    errors = _stored_are_there(obj)
    if current not in stored:
        errors.append(invalid("status.storedVersions", stored, f"must have the storage version {current}"))
    return errors


def _formats(schema: Any) -> set[str]:
    """Every format that a schema names."""
    if isinstance(schema, list):
        return {name for each in schema for name in _formats(each)}
    if not isinstance(schema, dict):
        return set()
    found = {schema["format"]} if isinstance(schema.get("format"), str) else set()
    return found | {name for value in schema.values() for name in _formats(value)}


def _created(obj: Object, now: datetime) -> Any:
    return obj["metadata"].get("creationTimestamp")


def _shown_name(obj: Object, now: datetime) -> Any:
    return obj["metadata"]["name"]


KIND = Kind(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    definition="io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    namespaced=False,
    singular="customresourcedefinition",
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    strategy=CustomResourceDefinitionStrategy(),
    status=True,
    table="plain",
    columns=(
        Column("Name", _shown_name, format="name", description="Name must be unique within a namespace."),
        Column("Created At", _created, type="date", description="When the definition was made."),
    ),
)
