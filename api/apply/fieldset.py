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
    """What is in either set."""
    if not other or one is other:
        return one
    if not one:
        return other
    joined = dict(one)
    for key, node in other.items():
        if key == SELF:
            continue
        mine = joined.get(key)
        joined[key] = node if mine is None else _joined(mine, node)
    if SELF in other:
        joined[SELF] = LEAF
    return joined


def _joined(one: Tree, other: Tree) -> Tree:
    if one == other:
        return one
    below = union(one, other)
    return {SELF: LEAF, **below} if below and SELF not in below and (member(one) or member(other)) else below


def difference(one: Tree, other: Tree) -> Tree:
    """What is in `one` and not in `other`: exactly those paths, not what lies below them."""
    if not other:
        return one
    left: Tree = {}
    for key, node in one.items():
        if key == SELF:
            continue
        theirs = other.get(key)
        if theirs is None:
            left[key] = node
        elif (rest := _difference(node, theirs)) is not None:
            left[key] = rest
    return left


def _difference(node: Tree, other: Tree) -> Tree | None:
    below = difference(node, other)
    if member(node) and not member(other):
        return {SELF: LEAF, **below} if below else LEAF
    return below or None


def intersection(one: Tree, other: Tree) -> Tree:
    """What is in both sets."""
    both: Tree = {}
    if len(other) < len(one):
        one, other = other, one
    for key, node in one.items():
        theirs = other.get(key)
        if key != SELF and theirs is not None and (common := _intersection(node, theirs)) is not None:
            both[key] = common
    return both


def _intersection(node: Tree, other: Tree) -> Tree | None:
    below = intersection(node, other)
    if member(node) and member(other):
        return {SELF: LEAF, **below} if below else LEAF
    return below or None


def without(tree: Tree, gone: Tree) -> Tree:
    """The set without the paths of `gone` and all that lies below them."""
    left: Tree = {}
    for key, node in tree.items():
        theirs = gone.get(key) if key != SELF else None
        if theirs is None:
            left[key] = node
        elif theirs and (rest := without(node, theirs)):
            left[key] = rest
        elif theirs and not node:
            left[key] = node
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
