"""The options of a write, from the query: dry run, how strict to be with unknown fields, who writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from api.errors import Invalid
from api.field import FieldError, forbidden, invalid, not_supported, required, too_long
from apiserver.endpoints.http import flag

FieldValidation = Literal["Ignore", "Warn", "Strict"]
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_MANAGER_LIMIT = 128


@dataclass(frozen=True, slots=True)
class WriteOptions:
    dry_run: bool = False
    field_validation: FieldValidation = "Warn"
    field_manager: str = ""
    force: bool = False

    def shown(self, kind: str) -> dict[str, Any]:
        """The options as an object of `kind` (`CreateOptions`), as admission sees them."""
        shown: dict[str, Any] = {"kind": kind, "apiVersion": "meta.k8s.io/v1"}
        if self.dry_run:
            shown["dryRun"] = ["All"]
        if self.field_manager:
            shown["fieldManager"] = self.field_manager
        if self is not DEFAULT:
            shown["fieldValidation"] = self.field_validation
        return shown


DEFAULT = WriteOptions()


def write_options(query: Mapping[str, str], kind: str, *, applies: bool = False) -> WriteOptions:
    """`kind` is the options' own kind (`CreateOptions`), for the message. Raises Invalid."""
    if not query and not applies:
        return DEFAULT
    manager = query.get("fieldManager", "")
    errors: list[FieldError] = []
    if kind == "PatchOptions" and "force" in query and not applies:
        errors.append(forbidden("force", "may not be specified for non-apply patch"))
    if applies and not manager:
        errors.append(required("fieldManager", "is required for apply patch"))
    errors += _wrong_manager(manager)
    dry_run = query.get("dryRun", "")
    if dry_run not in ("", "All"):
        errors.append(not_supported("dryRun", [dry_run], ("All",)))
    validation = query.get("fieldValidation", "")
    if validation not in _VALIDATIONS:
        errors.append(not_supported("fieldValidation", validation, _VALIDATIONS))
    if errors:
        raise Invalid(kind, "meta.k8s.io", "", errors)
    return WriteOptions(dry_run == "All", cast(FieldValidation, validation or "Warn"), manager, flag(query, "force"))


def _wrong_manager(manager: str) -> list[FieldError]:
    errors = []
    if len(manager.encode()) > _MANAGER_LIMIT:
        errors.append(too_long("fieldManager", manager, _MANAGER_LIMIT))
    if not manager.isprintable():
        at = len(manager[: next(i for i, char in enumerate(manager) if not char.isprintable())].encode())
        text = f"should only contain printable characters (at position {at})"
        errors.append(invalid("fieldManager", manager, text))
    return errors
