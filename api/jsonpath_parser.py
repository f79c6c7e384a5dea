"""The parser of JSONPath templates: text to the nodes of `api.jsonpath`."""

from __future__ import annotations

import re
from typing import Any

from api import jsonpath as j

_NAME = re.compile(r"(?:[^\s\\.\[\]{}()|,'\"!=<>@$*?]|\\.)+")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>")
_SLICE = re.compile(r"(-?\d*)(?::(-?\d*))?(?::(-?\d*))?\Z")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


def parse(text: str) -> tuple[j.Node, ...]:
    nodes, rest = _block(_tokens(text), inside_range=False)
    assert not rest
    return nodes


def _tokens(text: str) -> list[tuple[bool, str]]:
    """The pieces of the template: (is it an expression, its text)."""
    pieces: list[tuple[bool, str]] = []
    at = 0
    while at < len(text):
        opening = text.find("{", at)
        if opening < 0:
            pieces.append((False, text[at:]))
            break
        if opening > at:
            pieces.append((False, text[at:opening]))
        closing = _closing_brace(text, opening + 1)
        pieces.append((True, text[opening + 1 : closing].strip()))
        at = closing + 1
    return pieces


def _closing_brace(text: str, at: int) -> int:
    quote = ""
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "}":
            return at
        at += 1
    raise j.JsonPathError(f"error parsing jsonpath {text}, unclosed action")


def _block(pieces: list[tuple[bool, str]], inside_range: bool) -> tuple[tuple[j.Node, ...], list[tuple[bool, str]]]:
    nodes: list[j.Node] = []
    while pieces:
        is_expression, text = pieces.pop(0)
        if not is_expression:
            nodes.append(j.Text(text))
        elif text == "end":
            if not inside_range:
                raise _wrong("not in range, nothing to end")
            return tuple(nodes), pieces
        elif text == "range" or text.startswith("range "):
            over = _Reader(text[5:].strip()).whole()
            body, pieces = _block(pieces, inside_range=True)
            nodes.append(j.Range(over, body))
        elif text and text[0] in "'\"":
            reader = _Reader(text)
            nodes.append(j.Text(reader.string()))
            reader.finished()
        elif text:
            nodes.append(_Reader(text).whole())
    if inside_range:
        raise _wrong("unterminated range: an {end} is missing")
    return tuple(nodes), pieces


class _Reader:
    """One expression, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> j.Expression:
        found = self.path()
        self.finished()
        return found

    def finished(self) -> None:
        if self.at < len(self.text):
            raise _wrong(f"unrecognized character in action: {self.text[self.at :]!r}")

    def path(self) -> j.Expression:
        from_root = self.take("$")
        if not from_root:
            self.take("@")
        steps: list[j.Step] = []
        while self.at < len(self.text):
            if self.take(".."):
                steps.append(j.descend)
                if self.peek() not in ("[", "*", ""):
                    steps.append(self.name())
                elif self.take("*"):
                    steps.append(j.everything)
            elif self.take("."):
                if self.take("*"):
                    steps.append(j.everything)
                elif self.at < len(self.text) and self.peek() not in "[ )=!<>":
                    steps.append(self.name())
            elif self.take("["):
                steps.append(self.brackets())
            elif not steps and _NAME.match(self.text, self.at):
                steps.append(self.name())
            else:
                break
        return j.Expression(from_root, tuple(steps))

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def spaces(self) -> None:
        while self.peek().isspace():
            self.at += 1

    def name(self) -> j.Step:
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise _wrong(f"unrecognized character in action: {self.text[self.at :]!r}")
        self.at = match.end()
        return j.child(re.sub(r"\\(.)", r"\1", match.group()))

    def string(self) -> str:
        quote = self.peek()
        self.at += 1
        out: list[str] = []
        while self.at < len(self.text):
            character = self.peek()
            self.at += 1
            if character == quote:
                return "".join(out)
            if character == "\\":
                escaped = self.peek()
                self.at += 1
                out.append(_ESCAPES.get(escaped, escaped))
            else:
                out.append(character)
        raise _wrong(f"unterminated quoted string: {self.text}")

    def brackets(self) -> j.Step:
        """What follows a `[`, up to and with its `]`."""
        self.spaces()
        if self.take("?"):
            return self.filter()
        parts: list[j.Step] = []
        while True:
            self.spaces()
            parts.append(self.index())
            self.spaces()
            if self.take("]"):
                return parts[0] if len(parts) == 1 else j.union(tuple(parts))
            if not self.take(","):
                raise _wrong(f"invalid array index: {self.text}")

    def index(self) -> j.Step:
        if self.peek() in ("'", '"'):
            return j.child(self.string())
        if self.take("*"):
            return j.everything
        end = min((i for i in (self.text.find(c, self.at) for c in ",]") if i >= 0), default=len(self.text))
        text = self.text[self.at : end].strip()
        match = _SLICE.match(text)
        self.at = end
        if match is None or not text:
            raise _wrong(f"invalid array index {text}")
        start, stop, stride = (int(part) if part else None for part in match.groups())
        return j.cut(start, stop, stride, single=":" not in text)

    def filter(self) -> j.Step:
        if not self.take("("):
            raise _wrong(f"a filter is written [?(…)]: {self.text}")
        self.spaces()
        left = self.operand()
        self.spaces()
        operator = _OPERATOR.match(self.text, self.at)
        right: Any = None
        if operator:
            self.at = operator.end()
            self.spaces()
            right = self.operand()
            self.spaces()
        if not (self.take(")") and self.take("]")):
            raise _wrong(f"unterminated filter: {self.text}")
        if not isinstance(left, j.Expression):
            raise _wrong(f"a filter starts with a path such as @.name: {self.text}")
        return j.keep(left, operator.group() if operator else "", right)

    def operand(self) -> Any:
        if self.peek() in ("'", '"'):
            return self.string()
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            return float(number.group()) if "." in number.group() else int(number.group())
        for word, value in (("true", True), ("false", False), ("nil", None)):
            if self.take(word):
                return value
        return self.path()


def _wrong(text: str) -> j.JsonPathError:
    return j.JsonPathError(f"error parsing jsonpath: {text}")
