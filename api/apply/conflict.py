"""A refused apply: which fields others own, in the API's words."""

from __future__ import annotations

from collections.abc import Iterable

from api.apply.entries import UPDATE, Entry
from api.apply.fieldset import Tree, paths
from api.errors import StatusError
from api.field import quote


class ApplyConflict(StatusError):
    """Somebody else owns fields that the configuration would change. `fields` are theirs, by entry."""

    code, reason = 409, "Conflict"

    def __init__(self, fields: Iterable[tuple[Entry, Tree]]) -> None:
        self.fields = [(item, tree) for item, tree in fields if tree]
        found = [(owner(item), path) for item, tree in self.fields for path in paths(tree)]
        causes = [
            {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path} for who, path in found
        ]
        super().__init__(_message(found), details={"causes": causes})


def _message(found: list[tuple[str, str]]) -> str:
    if len(found) == 1:
        who, path = found[0]
        return f"Apply failed with 1 conflict: conflict with {who}: {path}"
    lines = []
    for who in sorted({who for who, _ in found}):
        lines.append(f"conflicts with {who}:")
        lines += [f"- {path}" for name, path in found if name == who]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def owner(item: Entry) -> str:
    """Who owns a field, as a message names them."""
    text = quote(item.get("manager") or "")
    if item.get("subresource"):
        text += f" with subresource {quote(item['subresource'])}"
    return f"{text} using {item['apiVersion']}" if item["operation"] == UPDATE else text
