"""Macros with two variables (`m.all(k, v, …)`, `l.transformList(i, v, …)`), in terms of those with one.

The library's parser knows only macros with one variable. So before it sees an expression, `m.all(k, v, p)` becomes a
macro over the entries of `m`, in whose body `k` and `v` are bound: nothing changes before or after it, which is why the
text can be changed without parsing all of it. Errors are told in terms of what the author wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from apiserver.cel.functions import function
from apiserver.cel.values import CelError

_ENTRY = "entry__"
ENTRY_FUNCTIONS = frozenset({"entries__", "key__", "value__", "merged__"})
"""What a rewritten expression calls."""
_TOKEN = re.compile(
    r"""
    (?P<text> [rRbB]{0,2} (?: \"\"\".*?\"\"\" | '''.*?''' ) | (?P<raw>[bB]?[rR][bB]?) (?:"[^"\n]*"|'[^'\n]*')
            | [bB]? (?: "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ) )
    | (?P<comment> //[^\n]* )
    | (?P<macro> \.\s*(?P<name>all|exists|exists_one|existsOne|transformList|transformMapEntry|transformMap)\s*\( )
    | (?P<open> [(\[{] ) | (?P<close> [)\]}] ) | (?P<comma> , )
    | (?P<word> \w+ ) | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_TWO_NAMES = re.compile(r"\s*[_a-zA-Z]\w*\s*,\s*[_a-zA-Z]\w*\s*,")
_DEEPEST = 12
"""How deep such macros may stand within each other: the text is read once for each level."""
_NAME = re.compile(r"\s*([_a-zA-Z]\w*)\s*\Z")
_MACROS = {"all": "all", "exists": "exists", "exists_one": "exists_one", "existsOne": "exists_one"}
_ERROR = re.compile(r"^ERROR: <input>:(\d+):(\d+): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text, and where in the author's text it was; None for text that is not the author's."""

    text: str
    at: int | None = None


class Rewritten:
    """An expression without macros of two variables. `text` is what to compile."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._pieces = list(_rewrite(source, 0)) if ".all" in source or ".exists" in source or ".tr" in source else []
        self.text = "".join(piece.text for piece in self._pieces) if self._pieces else source

    def told(self, message: str) -> str:
        """A message of the compiler's with positions in the author's own text."""
        if self.text == self.source:
            return message
        return "\n".join(self._error(int(line), int(column), why) for line, column, why in _ERROR.findall(message))

    def _error(self, line: int, column: int, why: str) -> str:
        at = self._original(sum(len(each) + 1 for each in self.text.split("\n")[: line - 1]) + column - 1)
        before = self.source[:at]
        line, column = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
        shown = self.source.split("\n")[line - 1]
        return f"ERROR: <input>:{line}:{column}: {why}\n | {shown}\n | {'.' * (column - 1)}^"

    def _original(self, offset: int) -> int:
        known = 0
        for piece in self._pieces:
            if piece.at is not None:
                known = piece.at + min(offset, len(piece.text))
            if offset <= len(piece.text):
                return known
            offset -= len(piece.text)
        return known


def _rewrite(text: str, base: int, depth: int = 0) -> Iterator[Piece]:
    """`text`, which begins at `base` of the whole, in pieces. Raises CelError."""
    if depth > _DEEPEST:
        raise CelError("expression nests too deep")
    done = at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            break
        at = match.end()
        if match["macro"] is None or not _TWO_NAMES.match(text, at):
            continue
        args, end = _arguments(text, at)
        made = list(_macro(match["name"], args, base, depth)) if args else []
        if made:
            yield Piece(text[done : match.start()], base + done)
            yield from made
            done = at = end
    yield Piece(text[done:], base + done)


@dataclass(frozen=True, slots=True)
class _Argument:
    text: str
    at: int


def _arguments(text: str, start: int) -> tuple[list[_Argument], int]:
    """The arguments from `start`, after the bracket, and where the closing bracket ends; nothing if there is none."""
    depth, begun, at, found = 0, start, start, []
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            break
        if match["open"] or match["macro"]:
            depth += 1
        elif match["close"]:
            if depth == 0:
                found.append(_Argument(text[begun:at], begun))
                return found, match.end()
            depth -= 1
        elif match["comma"] and depth == 0:
            found.append(_Argument(text[begun:at], begun))
            begun = match.end()
        at = match.end()
    return [], start


def _macro(name: str, args: list[_Argument], base: int, depth: int) -> Iterator[Piece]:
    names = [match[1] for match in map(_NAME.match, (arg.text for arg in args[:2])) if match is not None]
    most = 3 if name in _MACROS else 4
    if len(names) < 2 or not 3 <= len(args) <= most:
        return
    yield Piece(f".entries__().{_MACROS.get(name, 'map')}({_ENTRY}")
    for index, arg in enumerate(args[2:], 3):
        is_entry = name == "transformMap" and index == len(args)
        yield Piece(f", cel.bind({names[0]}, {_ENTRY}.key__(), cel.bind({names[1]}, {_ENTRY}.value__(), ")
        yield Piece(f"{{{names[0]}: " if is_entry else "")
        yield from _rewrite(arg.text, base + arg.at, depth + 1)
        yield Piece("}))" if is_entry else "))")
    yield Piece(").merged__()" if name.startswith("transformMap") else ")")


@function("list<map<int, ~V>>", "list<~V>.entries__()")
def list_entries(items: list[object]) -> list[dict[int, object]]:
    return [{at: item} for at, item in enumerate(items)]


@function("list<map<~K, ~V>>", "map<~K, ~V>.entries__()")
def map_entries(entries: dict[object, object]) -> list[dict[object, object]]:
    return [{key: value} for key, value in entries.items()]


@function("~K", "map<~K, ~V>.key__()")
def key(entry: dict[object, object]) -> object:
    return next(iter(entry))


@function("~V", "map<~K, ~V>.value__()")
def value(entry: dict[object, object]) -> object:
    return next(iter(entry.values()))


@function("map<~K, ~V>", "list<map<~K, ~V>>.merged__()")
def merged(parts: list[dict[object, object]]) -> dict[object, object]:
    whole: dict[object, object] = {}
    for part in parts:
        for name, each in part.items():
            if name in whole:
                raise CelError(f"insert failed: key '{name}' already exists")
            whole[name] = each
    return whole
