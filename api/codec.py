"""Request bodies into plain JSON objects, whatever they are written in; what is wrong with them, as the API says it.

Bodies come as JSON, as YAML (`kubectl apply` and people with curl) and as protobuf (`kubectl create`, helm). Handlers
see dicts only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import orjson

from api.errors import BadRequest, UnsupportedMediaType

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = (JSON, YAML, PROTOBUF)

_YAML_TYPES = frozenset({YAML, "application/x-yaml", "text/yaml", "text/x-yaml"})


def media_type(content_type: str) -> str:
    """`application/json; charset=utf-8` → `application/json`; nothing means JSON."""
    return content_type.partition(";")[0].strip().lower() or JSON


def decode_body(body: bytes, content_type: str, kind: str = "") -> dict[str, Any]:
    """The object in a request's body. `kind` is what the resource holds, for the message.

    Raises BadRequest if the body is not what its type says, UnsupportedMediaType if nobody reads that type.
    """
    media = media_type(content_type)
    try:
        if media == JSON:
            return decode_json(body)
        if media in _YAML_TYPES:
            from api.yaml import decode_yaml

            return decode_yaml(body)
        if media == PROTOBUF:
            from api.protobuf import decode

            return decode(body)
    except MalformedBody as problem:
        what = f" (must be of type {kind})" if kind else ""
        message = f"the object provided is unrecognized{what}: {problem} ({summary(body)})"
        raise BadRequest(message) from problem
    raise UnsupportedMediaType(ACCEPTED)


class MalformedBody(ValueError):
    """A body that is not an object in its own format; the message is the decoder's."""


def summary(body: bytes) -> str:
    """The first bytes of a body, to recognise it by: as text if it looks like JSON, else in hexadecimal."""
    if not body:
        return "<empty>"
    more = " ..." if len(body) > 30 else ""
    return (body[:30].decode(errors="replace") if body[:1] == b"{" else body[:30].hex()) + more


_NO_KIND = "couldn't get version/kind; json parse error: "
_HEADER = (
    "Go value of type struct { "
    'APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)


def decode_json(body: bytes) -> dict[str, Any]:
    """Raises MalformedBody."""
    try:
        obj = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise MalformedBody(_NO_KIND + json_problem(body)) from problem
    if not isinstance(obj, dict):
        name = {list: "array", str: "string", bool: "bool", type(None): "null"}.get(type(obj), "number")
        raise MalformedBody(no_object(name))
    return obj


def no_object(name: str) -> str:
    """The decoder's message for a body that is some other JSON value."""
    return f"{_NO_KIND}json: cannot unmarshal {name} into {_HEADER}"


_AFTER = {"{": "after object key:value pair", "[": "after array element"}


def json_problem(body: bytes) -> str:
    """Why `body` is not JSON, as Go's decoder says it."""
    text = body.decode(errors="replace")
    try:
        json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as problem:
        position = min(problem.pos, len(text))
        if problem.msg.startswith("Invalid \\escape"):
            position += 1
        if position >= len(text) or problem.msg.startswith("Unterminated"):
            return "unexpected end of JSON input"
        return _literal_problem(text, position) or (
            f"invalid character {_character(text[position])} {_expected(problem.msg, text, position)}"
        )
    except (_Constant, RecursionError, ValueError) as problem:
        return str(problem) if isinstance(problem, _Constant) else "exceeded max depth"
    return "invalid UTF-8 in string literal"


def _literal_problem(text: str, position: int) -> str:
    """For a misspelt true, false or null: where the spelling goes wrong."""
    literal = {"t": "true", "f": "false", "n": "null"}.get(text[position], "")
    for index, expected in enumerate(literal):
        found = text[position + index : position + index + 1]
        if not found:
            return "unexpected end of JSON input"
        if found != expected:
            return f"invalid character {_character(found)} in literal {literal} (expecting '{expected}')"
    return ""


class _Constant(ValueError):
    """NaN or Infinity, which Python's decoder takes for numbers."""


def _no_constant(name: str) -> None:
    raise _Constant(f"invalid character {_character(name.lstrip('-')[0])} looking for beginning of value")


def _character(char: str) -> str:
    return "'\\''" if char == "'" else "'\"'" if char == '"' else "'" + json.dumps(char, ensure_ascii=False)[1:-1] + "'"


def _expected(message: str, text: str, position: int) -> str:
    if message.startswith(("Expecting property name", "Illegal trailing comma before end of obj")):
        return "looking for beginning of object key string"
    if message.startswith("Expecting ':'"):
        return "after object key"
    if message.startswith("Expecting ','"):
        return _AFTER.get(_innermost(text[:position]), "after top-level value")
    if message.startswith("Extra data"):
        return "after top-level value"
    if message.startswith("Invalid \\"):
        return "in string escape code"
    if message.startswith("Invalid control"):
        return "in string literal"
    return "looking for beginning of value"


def _innermost(text: str) -> str:
    """The bracket that is open at the end of `text`, strings aside."""
    open_brackets: list[str] = []
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', text):
        if token in "{[":
            open_brackets.append(token)
        elif token in "}]" and open_brackets:
            open_brackets.pop()
    return open_brackets[-1] if open_brackets else ""


def duplicate_fields(body: bytes, content_type: str, obj: Any) -> list[str]:
    """What `body` says twice, as the strict decoder reports it: `duplicate field "spec.replicas"`.

    `obj` is what it decoded to. For JSON a count of quotes tells the usual case, no duplicates, at little cost.
    """
    media = media_type(content_type)
    if media in _YAML_TYPES:
        from api.yaml import duplicate_keys

        return duplicate_keys(body)
    if media != JSON or body.count(b'"') == orjson.dumps(obj).count(b'"'):
        return []
    return [f'duplicate field "{path}"' for path in _duplicates(json.loads(body, object_pairs_hook=_Object), "")]


class _Object(dict[str, Any]):
    """A JSON object that remembers its keys as they were written."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _duplicates(value: Any, path: str) -> Iterable[str]:
    if isinstance(value, _Object):
        seen: set[str] = set()
        told: set[str] = set()
        for key, item in value.pairs:
            where = f"{path}.{key}" if path else key
            if key in seen and key not in told:
                told.add(key)
                yield where
            seen.add(key)
            yield from _duplicates(item, where)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _duplicates(item, f"{path}[{index}]")


def strict_problems(unknown: Iterable[str], duplicates: Iterable[str]) -> list[str]:
    """All that strict field validation objects to, each as it stands in messages and warnings."""
    return [f'unknown field "{path}"' for path in unknown] + list(duplicates)


def strict_error(kind: str, version: str, problems: Iterable[str]) -> BadRequest:
    """The answer of `fieldValidation=Strict`."""
    text = "strict decoding error: " + ", ".join(problems)
    return BadRequest(f'{kind} in version "{version}" cannot be handled as a {kind}: {text}')
