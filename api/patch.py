"""The patches that clients send: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch.

All are pure: they return a new document and share with the old one what did not change. `three_way` goes the other way:
it finds the patch that takes a live object to what a manifest says now, knowing what the manifest said before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from api.diff import merge_diff, strategic_diff
from api.equality import equal
from api.errors import RequestEntityTooLarge, StatusError
from api.field import quote
from api.schema.node import Schema
from api.strategic import strategic_merge

__all__ = ["PatchError", "json_patch", "merge_patch", "strategic_merge", "three_way"]

Doc = dict[str, Any]


class PatchError(StatusError):
    """A patch that cannot be applied: 400 if it is malformed, 422 if the document is not as it expects."""

    code, reason = 422, "Invalid"


def merge_patch(doc: Any, patch: Any) -> Any:
    """RFC 7386: objects merge, null deletes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(doc) if isinstance(doc, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value) if isinstance(value, dict) else value
    return merged


MAX_OPERATIONS = 10_000
MAX_COPIED_BYTES = 3 * 1024 * 1024


def json_patch(doc: Any, operations: Sequence[Mapping[str, Any]]) -> Any:
    """RFC 6902. Raises PatchError, RequestEntityTooLarge; then nothing has changed."""
    if not isinstance(operations, list):
        raise _malformed("a JSON patch is a list of operations")
    if len(operations) > MAX_OPERATIONS:
        text = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise RequestEntityTooLarge(text)
    copied = 0
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise _malformed("every operation of a JSON patch needs a path")
        if operation.get("op") == "copy":
            copied += len(orjson.dumps(_find(doc, _source(operation), "copy", "from path: ")))
            if copied > MAX_COPIED_BYTES:
                text = f"the accumulated size increase of copy is {copied}, exceeding the limit {MAX_COPIED_BYTES}"
                raise PatchError(f"Unable to complete the copy, {text}")
        doc = _operate(doc, operation)
    return doc


def _malformed(why: str) -> PatchError:
    return PatchError(why, code=400, reason="BadRequest")


def _operate(doc: Any, operation: Mapping[str, Any]) -> Any:
    path = _pointer(operation["path"])
    match operation.get("op"):
        case "add":
            return _edit(doc, path, _Add(_value(operation)), 'add operation does not apply: doc is missing path: "{}"')
        case "remove":
            return _edit(doc, path, _Remove(), 'remove operation does not apply: doc is missing path: "{}"')
        case "replace":
            return _edit(
                doc, path, _Replace(_value(operation)), "replace operation does not apply: doc is missing path: {}"
            )
        case "move":
            source = _source(operation)
            if path[: len(source)] == source and path != source:
                raise PatchError(f"cannot move {quote(operation['from'])} into itself")
            value = _find(doc, source, "move", "from path: ")
            missing = "move operation does not apply: doc is missing destination path: {}"
            return _edit(_edit(doc, source, _Remove(), missing), path, _Add(value), missing)
        case "copy":
            value = _find(doc, _source(operation), "copy", "from path: ")
            missing = "copy operation does not apply: doc is missing destination path: {}"
            return _edit(doc, path, _Add(value), missing)
        case "test":
            if not equal(_find(doc, path, missing=None), _value(operation)):
                raise PatchError(f"testing value {operation['path']} failed: test failed")
            return doc
        case other:
            raise _malformed(f"Unexpected kind: {other or 'unknown'}")


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise _malformed(f"the operation at {operation['path']} has no value")
    return operation["value"]


def _source(operation: Mapping[str, Any]) -> list[str]:
    source = operation.get("from")
    if not isinstance(source, str):
        raise _malformed(f"the operation at {operation['path']} has no from")
    return _pointer(source)


def _pointer(text: str) -> list[str]:
    """RFC 6901."""
    if text and not text.startswith("/"):
        raise _malformed(f"a JSON pointer starts with a slash: {quote(text)}")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _shown(path: list[str]) -> str:
    """A pointer as it was written."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


_NOTHING = object()


def _find(doc: Any, path: list[str], verb: str = "", what: str = "", missing: Any = _NOTHING) -> Any:
    for part in path:
        if isinstance(doc, dict) and part in doc:
            doc = doc[part]
        elif isinstance(doc, list) and (index := _index(part, len(doc) - 1)) is not None:
            doc = doc[index]
        elif missing is _NOTHING:
            raise PatchError(f"{verb} operation does not apply: doc is missing {what}{_shown(path)}: missing value")
        else:
            return missing
    return doc


def _index(part: str, last: int) -> int | None:
    """A list index up to `last`, or None."""
    if part.isascii() and part.isdigit() and (part == "0" or part[0] != "0") and len(part) < 10:
        index = int(part)
        return index if index <= last else None
    return None


def _no_index(part: str) -> PatchError:
    if part.isascii() and part.lstrip("-").isdigit():
        return PatchError(f"Unable to access invalid index: {part}: invalid index referenced")
    why = f"strconv.Atoi: parsing {quote(part)}: invalid syntax"
    return PatchError(f"value was not a proper array index: '{part}': {why}")


class _Add:
    """What is done where a pointer ends."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def whole(self) -> Any:
        return self.value

    def in_dict(self, doc: Doc, key: str, path: str) -> None:
        doc[key] = self.value

    def in_list(self, doc: list[Any], part: str) -> None:
        index = len(doc) if part == "-" else _index(part, len(doc))
        if index is None:
            raise _no_index(part)
        doc.insert(index, self.value)


class _Replace(_Add):
    def in_dict(self, doc: Doc, key: str, path: str) -> None:
        if key not in doc:
            raise PatchError(f"replace operation does not apply: doc is missing key: {path}: missing value")
        doc[key] = self.value

    def in_list(self, doc: list[Any], part: str) -> None:
        index = _index(part, len(doc) - 1)
        if index is None:
            raise _no_index(part)
        doc[index] = self.value


class _Remove(_Add):
    def __init__(self) -> None:
        super().__init__(None)

    def whole(self) -> Any:
        raise PatchError("the whole document cannot be removed")

    def in_dict(self, doc: Doc, key: str, path: str) -> None:
        if key not in doc:
            raise PatchError(f"Unable to remove nonexistent key: {key}: missing value")
        del doc[key]

    def in_list(self, doc: list[Any], part: str) -> None:
        index = _index(part, len(doc) - 1)
        if index is None:
            raise _no_index(part)
        del doc[index]


def _edit(doc: Any, path: list[str], edit: _Add, missing: str) -> Any:
    """A copy of `doc` along `path`, with the edit made at its end. `missing` says that there is no such path."""
    if not path:
        return edit.whole()
    changed = _edited(doc, path, 0, edit)
    if changed is _NOTHING:
        raise PatchError(f"{missing.format(_shown(path))}: missing value")
    return changed


def _edited(doc: Any, path: list[str], at: int, edit: _Add) -> Any:
    """The copy from the part at `at` on, or `_NOTHING` if the path leads nowhere."""
    part, last = path[at], at == len(path) - 1
    if isinstance(doc, dict):
        changed = dict(doc)
        if last:
            edit.in_dict(changed, part, _shown(path))
            return changed
        below = _edited(changed[part], path, at + 1, edit) if part in changed else _NOTHING
        changed[part] = below
        return _NOTHING if below is _NOTHING else changed
    if isinstance(doc, list):
        items = list(doc)
        if last:
            edit.in_list(items, part)
            return items
        index = _index(part, len(items) - 1)
        below = _edited(items[index], path, at + 1, edit) if index is not None else _NOTHING
        if below is not _NOTHING and index is not None:
            items[index] = below
            return items
    return _NOTHING


def three_way(original: Doc | None, modified: Doc, current: Doc, schema: Schema | None) -> Doc:
    """The patch from `current` to `modified` that deletes what `original` had and `modified` has not.

    `original` is what was applied last, or None. With a schema the patch is a strategic merge patch, else a merge
    patch. An empty patch means that nothing has to change.
    """
    if schema is None:
        return merge_diff(original or {}, modified, current)
    return strategic_diff(original or {}, modified, current, schema)
