"""Whether the rules in a CustomResourceDefinition's schema can be what they want to be: what the CRD is refused for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.field import FieldError, Path, invalid, not_supported, required
from apiserver.cel.fieldpath import FieldPathError, parse_field_path
from apiserver.cel.messages import identified
from apiserver.cel.rules import VALIDATIONS, Rule, compile_rules

Raw = Mapping[str, Any]

_REASONS = ("FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate")


def check_rules(raw: Raw, path: Path) -> list[FieldError]:
    """What is wrong with the rules anywhere in the schema of a whole object; `path` leads to the schema."""
    return list(_Place(identified(raw), path).errors())


@dataclass(frozen=True, slots=True)
class _Place:
    """A node of the schema. `lost` is the list, if any, among whose elements an old one cannot be found."""

    raw: Raw
    path: Path
    lost: str = ""

    def errors(self) -> Iterator[FieldError]:
        rules = self.raw.get(VALIDATIONS)
        if rules:
            for at, rule in enumerate(compile_rules(self.raw)):
                yield from self._rule(rule, self.path / VALIDATIONS / at)
        for below in self._below():
            yield from below.errors()

    def _below(self) -> Iterator[_Place]:
        for name, child in (self.raw.get("properties") or {}).items():
            if isinstance(child, Mapping):
                yield _Place(child, (self.path / "properties").key(name), self.lost)
        child = self.raw.get("additionalProperties")
        if isinstance(child, Mapping):
            yield _Place(child, self.path / "additionalProperties", self.lost)
        child = self.raw.get("items")
        if isinstance(child, Mapping):
            keyed = self.raw.get("x-kubernetes-list-type") == "map"
            yield _Place(child, self.path / "items", self.lost or ("" if keyed else str(self.path)))

    def _rule(self, compiled: Rule, path: Path) -> Iterator[FieldError]:
        rule = compiled.raw
        yield from _texts(rule, path)
        if rule.get("reason") and rule["reason"] not in _REASONS:
            yield not_supported(path / "reason", rule["reason"], _REASONS)
        yield from _field_path(rule, self.raw, path)
        if compiled.failure:
            yield invalid(path / "rule", rule, compiled.failure)
        if compiled.message_failure:
            yield invalid(path / "messageExpression", rule, compiled.message_failure)
        if compiled.program is None:
            return
        if compiled.is_transition and self.lost:
            why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {self.lost}"
            yield invalid(path / "rule", rule["rule"], why)
        if rule.get("optionalOldSelf") is not None and not compiled.is_transition:
            why = "must not be set if oldSelf is not used in rule"
            yield invalid(path / "optionalOldSelf", rule["optionalOldSelf"], why)


def _texts(rule: Raw, path: Path) -> Iterator[FieldError]:
    text, message = rule.get("rule") or "", rule.get("message") or ""
    if not text.strip():
        yield required(path / "rule", "rule is not specified")
    if message and not message.strip():
        yield invalid(path / "message", message, "message must be non-empty if specified")
    elif "\n" in message.strip():
        yield invalid(path / "message", message, "message must not contain line breaks")
    elif "\n" in text.strip() and not message:
        yield required(path / "message", "message must be specified if rule contains line breaks")
    if rule.get("messageExpression") and not rule["messageExpression"].strip():
        text = "messageExpression must be non-empty if specified"
        yield required(path / "messageExpression", text)


def _field_path(rule: Raw, schema: Raw, path: Path) -> Iterator[FieldError]:
    given = rule.get("fieldPath")
    if not given:
        return
    if not given.strip():
        yield invalid(path / "fieldPath", given, "must be non-empty if specified")
    elif "\n" in given:
        yield invalid(path / "fieldPath", given, "must not contain line breaks")
    else:
        try:
            parse_field_path(given, schema)
        except FieldPathError as error:
            yield invalid(path / "fieldPath", given, f"must be a valid path: {error}")
