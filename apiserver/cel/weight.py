"""How much an expression's evaluation costs by its shape alone."""

from __future__ import annotations

from apiserver.cel.syntax import Call, Fold, ListOf, MapOf, Node, Select


def weight(node: Node) -> int:
    """How many nodes an evaluation visits at most, each fold's body counted once."""
    match node:
        case Select():
            return 1 + weight(node.operand)
        case Call():
            return 1 + sum(map(weight, node.args))
        case ListOf():
            return 1 + sum(map(weight, node.elements))
        case MapOf():
            return 1 + sum(weight(key) + weight(value) for key, value, _ in node.entries)
        case Fold():
            return 1 + sum(map(weight, (node.range, node.initial, node.condition, node.step, node.result)))
        case _:
            return 1
