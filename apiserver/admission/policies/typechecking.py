"""What a policy's expressions get wrong about the objects they are for, as far as those have a schema: warnings only.

A policy sees objects as they are, whatever their type, so it is compiled for objects of any type. For each type that
its rules name one by one, its expressions are checked once more, and what that finds stands in the policy's status. The
policy may be incomplete: it is validated after this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from api.schema import Form, definition, load
from apiserver.admission.policies.expressions import Scope, Types
from apiserver.cel import CelError
from apiserver.cel.messages import Messages
from apiserver.registry.kind import Kind

Raw = Mapping[str, Any]

MOST_TYPES = 10
_TIMES = (Form.TIME, Form.MICRO_TIME)
_ANYTHING = (Form.ANY, Form.OBJECT, Form.QUANTITY, Form.INT_OR_STRING)
_TIME: Raw = {"type": "string", "format": "date-time"}
_ANY: Raw = {}
_IDENTITY: Raw = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"$ref": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
}


def warnings(spec: Mapping[str, Any], kinds: Iterable[Kind]) -> list[dict[str, str]]:
    """The ExpressionWarnings of a policy, for the types among `kinds` that its rules name."""
    found: dict[str, list[str]] = {}
    for kind in _named(spec, kinds):
        scope = _scope(spec, kind)
        for field, expression in _expressions(spec):
            try:
                scope.compile(expression)
            except CelError as error:
                issue = str(error).removeprefix("compilation failed: ")
                found.setdefault(field, []).append(f"{kind.api_version}, Kind={kind.kind}: {issue}\n")
    return [{"fieldRef": field, "warning": "\n".join(issues)} for field, issues in found.items()]


def _named(spec: Mapping[str, Any], kinds: Iterable[Kind]) -> list[Kind]:
    """The kinds that the rules name without a wildcard."""
    wanted: set[tuple[str, ...]] = set()
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        wanted.update(product(*(rule.get(field) or () for field in ("apiGroups", "apiVersions", "resources"))))
    return [kind for kind in kinds if (kind.group, kind.version, kind.plural) in wanted][:MOST_TYPES]


def _scope(spec: Mapping[str, Any], kind: Kind) -> Scope:
    """What the expressions see when the objects are of this kind; a variable that is wrong is left out."""
    messages = Messages(escaping=False, resolve=_resolved)
    scope = Scope(spec, Types.of(messages, messages.type_of(_schema_of(kind))))
    for variable in spec.get("variables") or ():
        name = variable.get("name") or ""
        try:
            scope.variable(name, variable.get("expression") or "")
        except CelError:
            scope.untyped(name)  # the warning about its expression says what is wrong
    return scope


def _schema_of(kind: Kind) -> Raw:
    if kind.own_schema is None:
        return {"$ref": kind.definition}
    raw = kind.own_schema.raw
    return {**raw, "type": "object", "properties": {**(raw.get("properties") or {}), **_IDENTITY}}


def _resolved(raw: Raw) -> Raw:
    name = raw.get("$ref")
    if not name:
        return raw
    form = load(name).form
    if form in _TIMES:
        return _TIME
    return _ANY if form in _ANYTHING else definition(name)


def _expressions(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for items, fields in (("variables", ("expression",)), ("validations", ("expression", "messageExpression"))):
        for index, item in enumerate(spec.get(items) or ()):
            yield from ((f"spec.{items}[{index}].{field}", item[field]) for field in fields if item.get(field))
