"""What a schema says about owning and merging, compiled: a `Shape` for each node, made when it is first reached.

A shape answers the questions of server-side apply about values at its node: which fields an applied configuration sets
(`fields`), what has changed between two values (`diff`), what a configuration makes of a live value (`merge`), and what
is left when fields are given up (`prune`). The rules are those of Kubernetes' structured merge: see KEP-555.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from api.apply.fieldset import LEAF, SELF, Tree, member
from api.equality import equal
from api.schema import ANY, Form, Schema

GONE: Any = object()
"""What `prune` gives for a value of which nothing is left."""
_MISSING: Any = object()

ShapeOf = Callable[[Schema], "Shape"]
"""Gives the shape of a child node."""
Child = tuple[str, "Shape", Any, Any]
"""A child's path element and shape, and its old and new value."""
Changes = tuple[Tree | None, Tree | None, Tree | None]
"""What has been added, modified and removed at a node, each as the node of a set; None where there is nothing."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A value in a configuration that does not fit the schema. `path` is as people read it."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" if self.path else self.problem


class Shape:
    """A value that is owned as a whole: a scalar, or an atomic map or list."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.same: Callable[[Any, Any], bool] = equal if schema.custom else operator.eq
        """Whether two values are the same. A built-in type does not leave open what is a boolean."""

    def problems(self, value: Any, path: str) -> Iterator[Wrong]:
        """Why a configuration cannot have this value here: unknown fields, wrong types, an element twice."""
        if value is not None and (expected := _expected(self.schema.form, value)):
            yield Wrong(path, expected)

    def fields(self, value: Any) -> Tree | None:
        """The node of what a configuration with this value sets; None if it is nothing."""
        return LEAF

    def grown(self, value: Any) -> Tree:
        """The node of all that is new when there was nothing here before."""
        return LEAF

    def born(self, value: Any) -> Tree | None:
        """The node of what is new when there was an empty value here before; None if it is nothing."""
        return LEAF

    def diff(self, old: Any, new: Any) -> Changes:
        """What has changed between two values that are not equal."""
        return None, LEAF, None

    def collect(self, children: Iterable[Child]) -> Changes:
        """The changes below this node."""
        added: Tree = {}
        modified: Tree = {}
        removed: Tree = {}
        for key, shape, old, new in children:
            if old is new or shape.same(old, new):
                continue
            if old is _MISSING:
                added[key] = shape.grown(new)
            elif new is _MISSING:
                removed[key] = shape.grown(old)
            else:
                more, other, less = shape.diff(old, new)
                if more is not None:
                    added[key] = more
                if other is not None:
                    modified[key] = other
                if less is not None:
                    removed[key] = less
        return added or None, modified or None, removed or None

    def merge(self, live: Any, config: Any) -> Any:
        """The configuration's value over the live one; shares with both."""
        return config

    def prune(self, value: Any, last: Tree, owned: Tree) -> Any:
        """What is left of a value when the fields in `last` go, but for those in `owned`; GONE if nothing is."""
        return value


_GO_TYPES = {str: "string", bool: "bool", int: "int64", float: "float64", list: "[]interface {}"}
_EXPECTED = {
    Form.STRING: (str, "string"),
    Form.BOOL: (bool, "boolean"),
    Form.LIST: (list, "list"),
    Form.STRUCT: (dict, "map"),
    Form.MAP: (dict, "map"),
}
_NUMBERS = (Form.INT32, Form.INT64, Form.FLOAT)


def _expected(form: Form, value: Any) -> str:
    """Why a value of this type cannot stand at a node of this form; empty when it can."""
    got = _GO_TYPES.get(type(value), "map[string]interface {}")
    if form in _NUMBERS:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        return "" if fits else f"expected numeric (int or float), got {got}"
    wanted, words = _EXPECTED.get(form, (object, ""))
    return "" if isinstance(value, wanted) else f"expected {words}, got {got}"


class Deduced(Shape):
    """A value that no schema describes, in an object that keeps unknown fields: maps by key, lists as a whole."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self.same = equal

    def fields(self, value: Any) -> Tree | None:
        if not isinstance(value, dict) or not value:
            return LEAF
        return {f"f:{key}": self.fields(item) for key, item in value.items()}

    def grown(self, value: Any) -> Tree:
        if not isinstance(value, dict) or not value:
            return LEAF
        return {SELF: LEAF} | {f"f:{key}": self.grown(item) for key, item in value.items()}

    def diff(self, old: Any, new: Any) -> Changes:
        if not isinstance(old, dict) or not isinstance(new, dict):
            return None, LEAF, None
        return self.collect((f"f:{key}", self, old.get(key, _MISSING), new.get(key, _MISSING)) for key in old | new)

    def merge(self, live: Any, config: Any) -> Any:
        if not isinstance(live, dict) or not isinstance(config, dict):
            return config
        return live | {key: self.merge(live[key], item) if key in live else item for key, item in config.items()}

    def prune(self, value: Any, last: Tree, owned: Tree) -> Any:
        if not isinstance(value, dict):
            return value
        return _pruned(value, ((key, f"f:{key}", self) for key in value), last, owned, named=True)


class Map(Shape):
    """A map with keys of its own: labels, annotations, resource quantities."""

    def __init__(self, schema: Schema, shape_of: ShapeOf) -> None:
        super().__init__(schema)
        self.values = shape_of(schema.values)

    def problems(self, value: Any, path: str) -> Iterator[Wrong]:
        yield from super().problems(value, path)
        if isinstance(value, dict):
            for key, item in value.items():
                yield from self.values.problems(item, f"{path}.{key}")

    def fields(self, value: Any) -> Tree | None:
        if not value or type(value) is not dict:
            return LEAF
        return {f"f:{key}": _with_self(self.values.fields(item)) for key, item in value.items()}

    def grown(self, value: Any) -> Tree:
        if not value or type(value) is not dict:
            return LEAF
        grown = self.values.grown
        tree = {SELF: LEAF}
        for key, item in value.items():
            tree["f:" + key] = grown(item)
        return tree

    def diff(self, old: Any, new: Any) -> Changes:
        old, new = old or {}, new or {}
        if type(old) is not dict or type(new) is not dict:
            return None, LEAF, None
        shape = self.values
        return self.collect((f"f:{key}", shape, old.get(key, _MISSING), new.get(key, _MISSING)) for key in old | new)

    def merge(self, live: Any, config: Any) -> Any:
        if not config or not live or type(live) is not dict or type(config) is not dict:
            return live if config == {} and live else config
        merge = self.values.merge
        return live | {key: merge(live[key], item) if key in live else item for key, item in config.items()}

    def prune(self, value: Any, last: Tree, owned: Tree) -> Any:
        if not isinstance(value, dict):
            return value
        return _pruned(value, ((key, f"f:{key}", self.values) for key in value), last, owned)


class Struct(Shape):
    """An object with named fields. Fields that no Go struct can lack are never themselves added or removed."""

    def __init__(self, schema: Schema, shape_of: ShapeOf) -> None:
        super().__init__(schema)
        self._shape_of = shape_of
        self._properties = schema.properties
        self._required = frozenset(schema.required)
        self._rest = Deduced(ANY) if schema.embedded else _UNKNOWN
        self._fields: dict[str, tuple[str, Shape, Any]] = {}
        self._leaves: dict[str, str] = {}
        """The path elements of the fields that are owned as a whole: most of them."""

    def _field(self, name: str) -> tuple[str, Shape, Any]:
        """A field's path element, its shape, and what it counts as when it is missing."""
        found = self._fields.get(name)
        if found is None:
            schema = self._properties.get(name)
            if schema is None:
                return f"f:{name}", self._rest, _MISSING
            shape = self._shape_of(schema)
            found = self._fields[name] = (f"f:{name}", shape, self._zero(name, schema))
            if type(shape) is Shape:
                self._leaves[name] = found[0]
        return found

    def _zero(self, name: str, field: Schema) -> Any:
        """An empty value, if Kubernetes' own type always has the field."""
        if self.schema.custom:
            return _MISSING
        if field.form is Form.STRUCT and field.referenced and not field.atomic_map:
            return {} if name in self._required or name in EMBEDDED else _MISSING
        return [] if field.form is Form.LIST and name in self._required else _MISSING

    def problems(self, value: Any, path: str) -> Iterator[Wrong]:
        yield from super().problems(value, path)
        if isinstance(value, dict):
            for name, item in value.items():
                shape = self._field(name)[1]
                if shape is _UNKNOWN:
                    yield Wrong(f"{path}.{name}", "field not declared in schema")
                else:
                    yield from shape.problems(item, f"{path}.{name}")

    def fields(self, value: Any) -> Tree | None:
        if not value or type(value) is not dict:
            return LEAF
        tree: Tree = {}
        for name, item in value.items():
            key, shape, _ = self._field(name)
            if (node := shape.fields(item)) is not None:
                tree[key] = node
        return tree or None

    def grown(self, value: Any) -> Tree:
        if not value or type(value) is not dict:
            return LEAF
        tree: Tree = {SELF: LEAF}
        leaf, fields = self._leaves.get, self._fields.get
        for name, item in value.items():
            if (key := leaf(name)) is not None:
                tree[key] = LEAF
                continue
            key, shape, _ = fields(name) or self._field(name)
            tree[key] = shape.grown(item)
        return tree

    def born(self, value: Any) -> Tree | None:
        if type(value) is not dict:
            return LEAF
        tree: Tree = {}
        leaf, fields = self._leaves.get, self._fields.get
        for name, item in value.items():
            if (key := leaf(name)) is not None:
                tree[key] = LEAF
                continue
            key, shape, zero = fields(name) or self._field(name)
            if (node := shape.grown(item) if zero is _MISSING else shape.born(item)) is not None:
                tree[key] = node
        return tree or None

    def diff(self, old: Any, new: Any) -> Changes:
        old, new = old or {}, new or {}
        if type(old) is not dict or type(new) is not dict:
            return None, LEAF, None
        return self.collect(self._pairs(old, new))

    def _pairs(self, old: Any, new: Any) -> Iterator[Child]:
        fields, same = self._fields.get, self.same
        for name, item in new.items():
            before = old.get(name, _MISSING)
            if before is item or same(before, item):
                continue
            key, shape, zero = fields(name) or self._field(name)
            yield key, shape, before if before is not _MISSING else zero, item
        for name, item in old.items():
            if name not in new:
                key, shape, zero = fields(name) or self._field(name)
                yield key, shape, item, zero

    def merge(self, live: Any, config: Any) -> Any:
        if not config or not live or type(live) is not dict or type(config) is not dict:
            return live if config == {} and live else config
        merged = dict(live)
        for name, item in config.items():
            merged[name] = self._field(name)[1].merge(live[name], item) if name in live else item
        return merged

    def prune(self, value: Any, last: Tree, owned: Tree) -> Any:
        if not isinstance(value, dict):
            return value
        return _pruned(value, ((name, *self._field(name)[:2]) for name in value), last, owned, named=True)


EMBEDDED = frozenset(
    {
        *("metadata", "spec", "status", "template", "jobTemplate", "strategy", "updateStrategy", "resources"),
        *("loadBalancer", "daemonEndpoints", "kubeletEndpoint", "nodeInfo", "state", "lastState"),
    }
)
"""Names of fields that Go's structs hold by value, so that they are there, empty, even when nobody has set them."""


def _with_self(node: Tree | None) -> Tree:
    """The node of an entry that is itself a member, whatever is below it."""
    return LEAF if not node else node if SELF in node else {SELF: LEAF, **node}


def _pruned(value: dict[str, Any], children: Any, last: Tree, owned: Tree, *, named: bool = False) -> Any:
    """A map without the entries that are given up. A named field is a member as soon as something below it is one."""
    left = dict(value)
    for name, key, shape in children:
        before = last.get(key)
        if before is None:
            continue
        mine = owned.get(key)
        if (named or member(before)) and (mine is None or not (named or member(mine))):
            del left[name]
        elif before and (rest := shape.prune(left[name], before, mine or {})) is not left[name]:
            if rest is GONE:
                del left[name]
            else:
                left[name] = rest
    if left == value:
        return value
    return left or GONE


_UNKNOWN = Shape(ANY)
"""Of a field that the schema does not have."""
