"""Sets of fields, in the very form in which `managedFields` keeps them (FieldsV1).

A set is a tree of dicts. Its keys are path elements: `f:name` a field or map entry, `k:{"name":"web"}` the element of
a keyed list, `v:"x"` the element of a set, `i:0` a place in a list. A node without children is a member; one with
children is a member when it holds the key `.`, too. Trees are shared freely, so nothing here or elsewhere changes one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from api.field import quote

Tree = dict[str, Any]

SELF = "."
LEAF: Tree = {}
"""The node of a member without children."""


def member(node: Tree) -> bool:
    """Whether the node itself is in the set, not only something below it."""
    return not node or SELF in node


def union(one: Tree, other: Tree) -> Tree:
    """What is in either set; `one` itself if that is all."""
    if not other or one is other:
        return one
    if not one:
        return other
    joined = one
    for key, node in other.items():
        mine = joined.get(key)
        both = node if mine is None else _joined(mine, node)
        if both is not mine:
            joined = dict(one) if joined is one else joined
            joined[key] = both
    return joined


def _joined(one: Tree, other: Tree) -> Tree:
    """The union of two nodes."""
    if not one:
        return other if member(other) else {SELF: LEAF, **other}
    if not other:
        return one if SELF in one else {SELF: LEAF, **one}
    return union(one, other)


def difference(one: Tree, other: Tree) -> Tree:
    """What is in `one` and not in `other`: exactly those paths, not what lies below them. `one` itself if all of it."""
    left = one
    for key, theirs in other.items():
        node = one.get(key)
        if node is None:
            continue
        rest = None if key == SELF else _difference(node, theirs)
        if rest is not node:
            left = dict(one) if left is one else left
            if rest is None:
                del left[key]
            else:
                left[key] = rest
    return left


def _difference(node: Tree, other: Tree) -> Tree | None:
    """What is left of a node, if anything is."""
    if not node:
        return None if member(other) else node
    rest = difference(node, other if other else _ITSELF)
    return LEAF if rest == _ITSELF else rest or None


_ITSELF: Tree = {SELF: LEAF}


def intersection(one: Tree, other: Tree) -> Tree:
    """What is in both sets."""
    both: Tree = {}
    for key, theirs in other.items():
        node = one.get(key)
        if key != SELF and node is not None and (common := _intersection(node, theirs)) is not None:
            both[key] = common
    return both


def _intersection(node: Tree, other: Tree) -> Tree | None:
    below = intersection(node, other)
    if member(node) and member(other):
        return {SELF: LEAF, **below} if below else LEAF
    return below or None


def without(tree: Tree, gone: Tree) -> Tree:
    """The set without the paths of `gone` and all that lies below them; `tree` itself if there is nothing of them."""
    left = tree
    for key, theirs in gone.items():
        node = tree.get(key)
        if node is None or (theirs and not node):
            continue
        rest = without(node, theirs) if theirs else LEAF
        if rest is not node or not theirs:
            left = dict(tree) if left is tree else left
            if rest:
                left[key] = rest
            else:
                del left[key]
    return left


def paths(tree: Tree, prefix: str = "") -> Iterator[str]:
    """Each member as people read it (`.spec.containers[name="web"].image`), in the order of the path elements."""
    for key in sorted((key for key in tree if key != SELF), key=_rank):
        path, node = prefix + element(key), tree[key]
        if member(node):
            yield path
        yield from paths(node, path)


_KINDS = {"f": 0, "k": 1, "v": 2, "i": 3}


def _rank(key: str) -> tuple[int, str]:
    return _KINDS.get(key[0], 4), key


def element(key: str) -> str:
    """One path element as people read it."""
    kind, _, rest = key.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "i":
        return f"[{rest}]"
    value = orjson.loads(rest)
    if kind == "v":
        return f"[={shown(value)}]"
    return "[" + ",".join(f"{name}={shown(value[name])}" for name in sorted(value)) + "]"


def shown(value: Any) -> str:
    """A scalar as it stands in a path."""
    return quote(value) if isinstance(value, str) else orjson.dumps(value).decode()


def well_formed(tree: Any) -> bool:
    """Whether this JSON value is a set at all."""
    if not isinstance(tree, dict):
        return False
    for key, node in tree.items():
        if key == SELF:
            if node != {}:
                return False
        elif not _is_element(key) or not well_formed(node):
            return False
    return True


def _is_element(key: str) -> bool:
    kind, colon, rest = key.partition(":")
    if not colon or kind not in _KINDS:
        return False
    if kind == "f":
        return True
    try:
        value = orjson.loads(rest)
    except orjson.JSONDecodeError:
        return False
    return {"k": isinstance(value, dict), "i": isinstance(value, int), "v": True}[kind]
