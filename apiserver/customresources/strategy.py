"""How custom kinds behave: one strategy for all of them, told by the definition's schema what each wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from api.field import ErrorType, FieldError, invalid, quote
from api.schema import Structural
from api.schema.defaults import Fill, defaulter
from api.schema.validate import ABSENT, Validator
from apiserver.customresources.embedded import embedded_problems
from apiserver.registry.kind import Context, Object, Scale, Strategy, at
from apiserver.registry.metadata import FINALIZERS

if TYPE_CHECKING:
    from apiserver.cel.rules import Rules
    from apiserver.storage.store import Guard

Paths = tuple[tuple[str, ...], ...]

MAX_REPLICAS = 2**31 - 1
_PATHLESS = (
    "metadata.finalizers: {}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental "
    "conflicts with other finalizer writers"
)
_EMBEDDED = b'"x-kubernetes-embedded-resource"'
_RULES = b'"x-kubernetes-validations"'
_STOPS_RULES = frozenset({ErrorType.REQUIRED, ErrorType.TOO_LONG, ErrorType.TOO_MANY, ErrorType.TYPE_INVALID})
_NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)


class CustomStrategy(Strategy):
    """`alike` are the API versions whose objects have this schema: its own, and others that differ only by name.

    `fields` are the paths that field selectors may ask for, `paths` those of all versions, which share a cache.

    `definition` is what to hold on to while an object is made: the definition, as it is; it raises StatusError when
    that is going. What a schema compiles to is made when first needed.
    """

    has_generation = True
    allow_unconditional_update = False
    any_finalizers = True

    def unselectable(self, field: str) -> str:
        return f"field label not supported: {field}"

    def __init__(
        self,
        schema: Structural,
        alike: frozenset[str],
        *,
        status: bool = False,
        scale: Scale | None = None,
        fields: Paths = (),
        paths: Paths = (),
        definition: Callable[[], Guard] | None = None,
    ) -> None:
        self.alike = alike
        self.schema = schema
        self.status = status
        self.scale = scale
        self.paths = {".".join(path): path for path in (*fields, *paths)}
        self.field_names = tuple(".".join(path) for path in fields)
        self.definition = definition

    @cached_property
    def _fill(self) -> Fill | None:
        return defaulter(self.schema)

    @cached_property
    def _validator(self) -> Validator:
        return Validator(self.schema.raw)

    @property
    def revive(self) -> Callable[[Object], bool] | None:  # type: ignore[override]
        return None if self._fill is None else self._revived

    def _revived(self, obj: Object) -> bool:
        """Fill in what has become a default since the object was written. For other schemas the conversion does."""
        if obj.get("apiVersion") not in self.alike:
            return False
        before = orjson.dumps(obj)
        self.default(obj)
        return orjson.dumps(obj) != before

    @cached_property
    def _holds_objects(self) -> bool:
        return _EMBEDDED in orjson.dumps(self.schema.raw)

    @cached_property
    def _rules(self) -> Rules | None:
        if _RULES not in orjson.dumps(self.schema.raw):
            return None
        from apiserver.cel.rules import rules_of  # large, and most schemas have no rules

        return rules_of(self.schema.raw)

    def default(self, obj: Object) -> None:
        if self._fill is not None:
            self._fill(obj)

    def guards(self) -> Iterable[Guard]:
        return () if self.definition is None else (self.definition(),)

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        if self.definition is not None:
            self.definition()
        if self.status:
            obj.pop("status", None)

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        if not self.status:
            if new.get("status") != old.get("status"):
                new["metadata"]["generation"] = (old["metadata"].get("generation") or 0) + 1
        elif "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        return self._problems(obj, None)

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return self._problems(new, old)

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return self._problems(new, old)

    def _problems(self, obj: Object, old: Object | None) -> list[FieldError]:
        found = self._validator.problems(obj, "", ABSENT if old is None else old)
        if self._holds_objects:
            found += embedded_problems(self.schema, obj)
        if self.scale is not None:
            found += replica_problems(obj, self.scale)
        return found if self._rules is None else found + self._broken_rules(self._rules, obj, old, found)

    def _broken_rules(self, rules: Rules, obj: Object, old: Object | None, found: list[FieldError]) -> list[FieldError]:
        """The rules in CEL count on an object that is of the right shape."""
        from apiserver.cel.rules import validate

        if any(error.type in _STOPS_RULES for error in found):
            return [invalid("<nil>", None, _NOT_CHECKED)]
        return validate(rules, obj, old)

    def warnings(self, obj: Object) -> list[str]:
        return self.update_warnings(obj, {"metadata": {}})

    def update_warnings(self, new: Object, old: Object) -> list[str]:
        known = old["metadata"].get("finalizers") or ()
        finalizers = [name for name in new["metadata"].get("finalizers") or () if name not in known]
        return [_PATHLESS.format(quote(name)) for name in finalizers if "/" not in name and name not in FINALIZERS]

    def fields(self, obj: Object) -> Mapping[str, str]:
        return {name: selectable(at(obj, path)) for name, path in self.paths.items()} if self.paths else {}


def selectable(value: Any) -> str:
    """A value as field selectors compare it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""


def replica_problems(obj: Object, scale: Scale) -> list[FieldError]:
    """The numbers that the scale subresource shows are counts."""
    errors = []
    for path in (scale.replicas, scale.status_replicas):
        value, where = at(obj, path), ".".join(path)
        if isinstance(value, bool) or not isinstance(value, int):
            continue
        if value < 0:
            errors.append(invalid(where, value, "should be a non-negative integer"))
        elif value > MAX_REPLICAS:
            errors.append(invalid(where, value, f"should be less than or equal to {MAX_REPLICAS}"))
    return errors
