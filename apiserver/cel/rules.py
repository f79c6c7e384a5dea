"""Validation of custom resources by the rules in their schema (`x-kubernetes-validations`).

`rules_of` compiles the rules of a schema once, into a tree of the nodes that have some below them; `validate` walks an
object along it. Rules that look at `oldSelf` run only where the old value can be found: through fields, the entries of
maps, and the elements of lists that have keys. What has not changed is not refused for a rule that came later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from api.field import OMITTED, FieldError, Path, duplicate, forbidden, invalid, required
from apiserver.cel.checker import vocabulary
from apiserver.cel.convert import Convert, converter
from apiserver.cel.fieldpath import FieldPathError, parse_field_path
from apiserver.cel.messages import Messages, form_of, identified
from apiserver.cel.program import Program, compile_typed
from apiserver.cel.values import NONE, Budget, BudgetExceeded, CelError, Optional

PER_OBJECT = 2_000_000
"""Steps that all rules together may take for one object: under a second."""
LONGEST_MESSAGE = 5 * 1024

VALIDATIONS = "x-kubernetes-validations"
Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, compiled. `failure` is why it does not compile, if it does not."""

    raw: Raw
    program: Program | None
    message: Program | None
    path: tuple[tuple[str, bool], ...] = ()
    """Where below the node the error belongs: names, and whether each is a key of a map."""
    failure: str = ""
    message_failure: str = ""

    @property
    def optional(self) -> bool:
        """Whether `oldSelf` is an optional value, so that the rule always runs."""
        return bool(self.raw.get("optionalOldSelf"))

    @property
    def is_transition(self) -> bool:
        return self.program is not None and "oldSelf" in self.program.used

    @property
    def title(self) -> str:
        """How errors name the rule."""
        return str(self.raw.get("message") or self.raw.get("rule") or "").strip()


@dataclass(slots=True)
class Rules:
    """The rules at a node of a schema, and the nodes below it that have some."""

    kind: str
    rules: tuple[Rule, ...] = ()
    convert: Convert | None = None
    properties: dict[str, Rules] = field(default_factory=dict)
    values: Rules | None = None
    items: Rules | None = None
    keys: tuple[str, ...] = ()
    has_transitions: bool = False
    """Whether any rule, here or below, looks at old values."""

    @property
    def below(self) -> list[Rules]:
        return [each for each in (*self.properties.values(), self.values, self.items) if each is not None]


def rules_of(raw: Raw) -> Rules | None:
    """The rules of the schema of a whole object, or None if it has none."""
    return _node(identified(raw)) if _has_rules(raw) else None


def rules_of_part(raw: Raw) -> Rules | None:
    """The rules of the schema of a part of an object, or None if it has none."""
    return _node(raw) if _has_rules(raw) else None


def _has_rules(raw: Any) -> bool:
    if isinstance(raw, Mapping):
        return bool(raw.get(VALIDATIONS)) or any(_has_rules(each) for each in raw.values())
    return isinstance(raw, list) and any(_has_rules(each) for each in raw)


def _node(raw: Raw) -> Rules | None:
    made = Rules(form_of(raw), keys=_keys(raw))
    made.properties = {name: below for name, child in (raw.get("properties") or {}).items() if (below := _node(child))}
    if isinstance(child := raw.get("additionalProperties"), Mapping):
        made.values = _node(child)
    if isinstance(child := raw.get("items"), Mapping):
        made.items = _node(child)
    if raw.get(VALIDATIONS):
        made.convert = converter(raw)
        made.rules = tuple(compile_rules(raw))
    if not made.rules and not made.below:
        return None
    made.has_transitions = any(each.is_transition for each in made.rules) or any(
        each.has_transitions for each in made.below
    )
    return made


def compile_rules(raw: Raw) -> Iterator[Rule]:
    """The rules of one node; what is wrong with them is kept in them."""
    messages = Messages()
    kind = messages.type_of(raw)
    functions = vocabulary(*(str(rule.get(key)) for rule in raw[VALIDATIONS] for key in ("rule", "messageExpression")))
    for rule in raw[VALIDATIONS]:
        old = f"optional_type<{kind}>" if rule.get("optionalOldSelf") else kind
        yield _rule(rule, _Terms({"self": kind, "oldSelf": old}, messages, functions), raw)


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the expressions at one node are made of."""

    types: Mapping[str, str]
    messages: Messages
    functions: frozenset[str]


def _rule(rule: Raw, terms: _Terms, schema: Raw) -> Rule:
    program, failure = _compiled(rule.get("rule") or "", terms, "bool")
    message, message_failure = None, ""
    if (rule.get("messageExpression") or "").strip():
        message, message_failure = _compiled(rule["messageExpression"], terms, "string")
    try:
        path = parse_field_path(rule.get("fieldPath") or "", schema)
    except FieldPathError:
        path = ()
    return Rule(rule, program, message, path, failure, message_failure)


def _compiled(text: str, terms: _Terms, returns: str) -> tuple[Program | None, str]:
    if not text.strip():
        return None, ""
    try:
        program = compile_typed(text, terms.types, terms.messages, {}, functions=terms.functions)
    except CelError as error:
        return None, f"compilation failed: {error}"
    if not program.is_a(returns):
        return None, _WRONG_RESULT[returns]
    return program, ""


_WRONG_RESULT = {
    "bool": "cel expression must evaluate to a bool",
    "string": "messageExpression must evaluate to a string",
}


def _keys(raw: Raw) -> tuple[str, ...]:
    keyed = raw.get("x-kubernetes-list-type") == "map"
    return tuple(raw.get("x-kubernetes-list-map-keys") or ()) if keyed else ()


class _Exhausted(Exception):
    """No further rules are to be run."""


def validate(rules: Rules | None, new: Any, old: Any = None, path: Path | None = None) -> list[FieldError]:
    """What the rules say against `new`, which is valid by its schema otherwise; `old` is None for a new object."""
    if rules is None:
        return []
    walk = _Walk()
    with suppress(_Exhausted):  # the error that says so is among the others
        walk.node(rules, new, old, path or Path())
    return walk.errors


class _Walk:
    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self._budget = Budget(PER_OBJECT)

    def node(self, rules: Rules, new: Any, old: Any, path: Path) -> None:
        if new is None:
            return
        same = old is not None and new == old
        if same and not rules.has_transitions:
            return
        if rules.rules:
            self._evaluate(rules, new, old, path, same)
        if isinstance(new, dict):
            self._fields(rules, new, old if isinstance(old, dict) else {}, path)
        elif isinstance(new, list) and rules.items is not None:
            self._items(rules, rules.items, new, old if isinstance(old, list) else [], path)

    def _fields(self, rules: Rules, new: dict[str, Any], old: dict[str, Any], path: Path) -> None:
        for name, below in rules.properties.items():
            if name in new:
                self.node(below, new[name], old.get(name), path / name)
        if rules.values is not None:
            for key, value in new.items():
                self.node(rules.values, value, old.get(key), path.key(key))

    def _items(self, rules: Rules, below: Rules, new: list[Any], old: list[Any], path: Path) -> None:
        known = {_key_of(rules.keys, item): item for item in old} if rules.keys else {}
        for at, item in enumerate(new):
            self.node(below, item, known.get(_key_of(rules.keys, item)) if known else None, path / at)

    def _evaluate(self, rules: Rules, new: Any, old: Any, path: Path, same: bool) -> None:
        convert = rules.convert
        try:
            this = convert(new) if convert else new
            before = None if old is None else convert(old) if convert else old
        except CelError as error:
            self.errors.append(invalid(path, OMITTED, str(error)))
            return
        for rule in rules.rules:
            if same and not rule.is_transition:
                continue
            if rule.is_transition and before is None and not rule.optional:
                continue
            self._run(rule, _Values(rules.kind, new, this, before), path)

    def _run(self, rule: Rule, values: _Values, path: Path) -> None:
        if rule.failure:
            self.errors.append(invalid(path, values.kind, f"rule compile error: {rule.failure}"))
        if rule.program is None:
            return
        bound = {"self": values.this, "oldSelf": values.old(rule.optional)}
        try:
            outcome = rule.program.evaluate(self._budget, **bound)
        except BudgetExceeded as error:
            self._exhausted(rule, values.kind, path, str(error))
        except CelError as error:
            self.errors.append(invalid(path, values.kind, _explained(str(error), rule)))
            return
        if outcome is not True:
            self.errors.append(self._refusal(rule, values, bound, path))

    def _exhausted(self, rule: Rule, kind: str, path: Path, why: str) -> None:
        text = f"'{why}': no further validation rules will be run due to call cost exceeds limit for rule: {rule.title}"
        if self._budget.left <= 0:
            text = "validation failed due to running out of cost budget, no further validation rules will be run"
        self.errors.append(invalid(path, kind, text))
        raise _Exhausted

    def _refusal(self, rule: Rule, values: _Values, bound: Mapping[str, Any], path: Path) -> FieldError:
        text = self._message(rule, bound) or str(rule.raw.get("message") or "").strip() or f"failed rule: {rule.title}"
        where = path
        for name, is_key in rule.path:
            where = where.key(name) if is_key else where / name
        shown = OMITTED if isinstance(values.json, (dict, list)) else values.json
        return _REASONS.get(rule.raw.get("reason") or "", invalid)(where, shown, text)

    def _message(self, rule: Rule, bound: Mapping[str, Any]) -> str:
        """What the rule's message expression says, or nothing if it says nothing usable."""
        if rule.message is None:
            return ""
        try:
            text = rule.message.evaluate(self._budget, **bound)
        except CelError:
            return ""
        return usable_message(text)


def usable_message(text: Any) -> str:
    """The value of a message expression if it can be shown, or nothing."""
    if not isinstance(text, str) or "\n" in text.strip() or len(text.strip()) > LONGEST_MESSAGE:
        return ""
    return text.strip()


@dataclass(frozen=True, slots=True)
class _Values:
    kind: str
    json: Any
    this: Any
    before: Any

    def old(self, optional: bool) -> Any:
        if not optional:
            return self.before
        return NONE if self.before is None else Optional(True, self.before)


def _key_of(keys: tuple[str, ...], item: Any) -> tuple[str, ...]:
    return tuple(repr(item.get(key)) for key in keys) if isinstance(item, dict) else ()


def _explained(why: str, rule: Rule) -> str:
    if why.startswith("no such overload"):
        told = "call arguments did not match a supported operator, function or macro signature for rule"
        return f"'{why}': {told}: {rule.title}"
    return f"{why} evaluating rule: {rule.title}"


_REASONS: dict[str, Callable[[Path, Any, str], FieldError]] = {
    "FieldValueInvalid": invalid,
    "FieldValueForbidden": lambda path, value, text: forbidden(path, text),
    "FieldValueRequired": lambda path, value, text: required(path, text),
    "FieldValueDuplicate": lambda path, value, text: duplicate(path, value),
}
