"""Lists whose elements are owned one by one: keyed lists (list type `map`) and sets.

An element that stands in a list more than once is owned as a whole, all of its appearances together: objects that have
one are taken as they are, but nobody can apply one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from api.apply.fieldset import LEAF, SELF, Tree, element, member
from api.apply.typed import GONE, Changes, Shape, ShapeOf, Wrong
from api.schema import Schema

_ESCAPED = frozenset('"\\')
KEY_DEFAULTS = {"protocol": "TCP", "name": ""}
"""What stands for a missing key field of a built-in type: ports are TCP, a reference may have an empty name."""


class Elements(Shape, ABC):
    """A list whose elements have path elements of their own."""

    def __init__(self, schema: Schema, shape_of: ShapeOf) -> None:
        super().__init__(schema)
        self.items = shape_of(schema.items)

    @abstractmethod
    def key(self, item: Any) -> str:
        """An element's path element. Raises ValueError with a sentence if it has none."""

    def problems(self, value: Any, path: str) -> Iterator[Wrong]:
        yield from super().problems(value, path)
        if not isinstance(value, list):
            return
        seen: set[str] = set()
        told: set[str] = set()
        for index, item in enumerate(value):
            try:
                key = self.key(item)
            except ValueError as problem:
                yield Wrong(path, f"element {index}: {problem}")
                continue
            if key in seen and key not in told:
                told.add(key)
                yield Wrong(path, f"duplicate entries for key {element(key)}")
            seen.add(key)
            yield from self.items.problems(item, path + element(key))

    def by_key(self, items: Any) -> dict[str, list[Any]]:
        """The elements by path element; one without a key is left out, as nobody can own it."""
        found: dict[str, list[Any]] = {}
        for item in items if isinstance(items, list) else ():
            try:
                found.setdefault(self.key(item), []).append(item)
            except ValueError:
                continue
        return found

    def fields(self, value: Any) -> Tree | None:
        if not value or not isinstance(value, list):
            return None if value == [] else LEAF
        return {key: self._own(found) for key, found in self.by_key(value).items()}

    def _own(self, found: list[Any]) -> Tree:
        node = self.items.fields(found[0]) if len(found) == 1 else None
        return {SELF: LEAF, **node} if node else LEAF

    def grown(self, value: Any) -> Tree:
        if not value or not isinstance(value, list):
            return LEAF
        return {SELF: LEAF, **(self.born(value) or {})}

    def born(self, value: Any) -> Tree | None:
        if not isinstance(value, list):
            return LEAF
        tree: Tree = {}
        for item in value:
            try:
                key = self.key(item)
            except ValueError:
                continue
            tree[key] = LEAF if key in tree else self.items.grown(item)
        return tree or None

    def _grown(self, found: Sequence[Any]) -> Tree:
        return self.items.grown(found[0]) if len(found) == 1 else LEAF

    def diff(self, old: Any, new: Any) -> Changes:
        if not isinstance(old or [], list) or not isinstance(new or [], list):
            return None, LEAF, None
        before, after = self.by_key(old), self.by_key(new)
        added: Tree = {}
        modified: Tree = {}
        removed: Tree = {}
        for key in before | after:
            have, want = before.get(key, ()), after.get(key, ())
            if self.same(have, want):
                continue
            if len(have) == len(want) == 1:
                trees = zip((added, modified, removed), self.items.diff(have[0], want[0]), strict=True)
                for tree, change in trees:
                    if change is not None:
                        tree[key] = change
            elif len(have) > 1 and len(want) > 1:
                modified[key] = LEAF
            else:
                if want:
                    added[key] = self._grown(want)
                if have:
                    removed[key] = self._grown(have)
        return added or None, modified or None, removed or None

    def merge(self, live: Any, config: Any) -> Any:
        if not config or not live or not isinstance(live, list) or not isinstance(config, list):
            return live if config == [] and live else config
        have = self.by_key(live)
        wanted = {key: self._merged(have.get(key), found[0]) for key, found in self.by_key(config).items()}
        return list(_in_order([(self._standing(item), item) for item in live], wanted))

    def _standing(self, item: Any) -> str:
        """A live element's path element; nothing if it has none: such a one is nobody's, and stays."""
        try:
            return self.key(item)
        except ValueError:
            return ""

    def _merged(self, live: list[Any] | None, item: Any) -> Any:
        return self.items.merge(live[0], item) if live is not None and len(live) == 1 else item

    def prune(self, value: Any, last: Tree, owned: Tree) -> Any:
        if not isinstance(value, list) or not value:
            return value
        left = []
        for item in value:
            key = self._standing(item)
            before, mine = last.get(key), owned.get(key)
            if before is None:
                left.append(item)
            elif not member(before) or (mine is not None and member(mine)):
                rest = self.items.prune(item, before, mine or {}) if before else item
                if rest is not GONE:
                    left.append(rest)
        if left == value:
            return value
        return left or GONE


class Keyed(Elements):
    """A list of objects told apart by some of their fields."""

    def __init__(self, schema: Schema, shape_of: ShapeOf) -> None:
        super().__init__(schema, shape_of)
        self._keys = tuple(sorted(schema.list_keys))
        self._single = self._keys[0] if len(self._keys) == 1 else ""
        self._prefix = f'k:{{"{self._single}":"'
        self._defaults = {name: _default(schema, name) for name in self._keys}

    def key(self, item: Any) -> str:
        if not isinstance(item, dict):
            what = "a null element" if item is None else "non-map elements"
            raise ValueError(f"associative list with keys may not have {what}")
        if self._single:
            value = item.get(self._single)
            if type(value) is str and value.isascii() and value.isprintable() and not _ESCAPED.intersection(value):
                return f'{self._prefix}{value}"}}'
        values = {name: item[name] if item.get(name) is not None else self._default(name) for name in self._keys}
        return "k:" + orjson.dumps(values).decode()

    def _default(self, name: str) -> Any:
        default = self._defaults[name]
        if default is None:
            why = f'associative list with keys has an element that omits key field "{name}"'
            raise ValueError(f"{why} (and doesn't have default value)")
        return default


def _default(schema: Schema, name: str) -> Any:
    if schema.custom:
        field = schema.items.child(name)
        return field.raw.get("default") if field is not None else None
    return None if name in schema.items.required else KEY_DEFAULTS.get(name)


class SetOf(Elements):
    """A list of scalars that is a set."""

    def key(self, item: Any) -> str:
        if item is None or isinstance(item, (dict, list)):
            what = "an explicit null" if item is None else "a non-scalar"
            raise ValueError(f"associative list without keys has an element that's {what}")
        return "v:" + orjson.dumps(item).decode()


def _in_order(live: list[tuple[str, Any]], wanted: dict[str, Any]) -> Iterator[Any]:
    """The wanted elements in their order, with the other live ones among them where they stood.

    What is only in the live list comes as early as it can: before the first wanted element that it stood before, and
    before the new elements that lead up to that one.
    """
    standing = {key for key, _ in live}
    shared = iter([key for key in wanted if key in standing])
    rest = iter(live)
    target = next(shared, None)
    reached = False
    for key, item in wanted.items():
        if not reached:
            for name, other in rest:
                if name == target:
                    reached = True
                    break
                if name not in wanted:
                    yield other
        yield item
        if key == target:
            target, reached = next(shared, None), False
    yield from (other for name, other in rest if name not in wanted)
