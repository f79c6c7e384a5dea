"""The options of a write, from the query: dry run, how strict to be with unknown fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from api.errors import Invalid
from api.field import FieldError, invalid, not_supported

FieldValidation = Literal["Ignore", "Warn", "Strict"]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    dry_run: bool = False
    field_validation: FieldValidation = "Warn"
    field_manager: str = ""


DEFAULT = WriteOptions()


def write_options(query: Mapping[str, str], kind: str) -> WriteOptions:
    """`kind` is the options' own kind (`CreateOptions`), for the message. Raises Invalid."""
    if not query:
        return DEFAULT
    errors: list[FieldError] = []
    dry_run = query.get("dryRun", "")
    if dry_run not in ("", "All"):
        errors.append(not_supported("dryRun", [dry_run], ("All",)))
    validation = query.get("fieldValidation") or "Warn"
    if validation not in ("Ignore", "Warn", "Strict"):
        errors.append(not_supported("fieldValidation", validation, ("Ignore", "Warn", "Strict")))
    manager = query.get("fieldManager", "")
    if len(manager) > 128:
        errors.append(invalid("fieldManager", manager, "may not be longer than 128 bytes"))
    if errors:
        raise Invalid(kind, "meta.k8s.io", "", errors)
    return WriteOptions(dry_run == "All", cast(FieldValidation, validation), manager)
