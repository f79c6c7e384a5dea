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
from apiserver.cel.values import CelError, type_name

_ENTRY = "entry__"
ENTRY_FUNCTIONS = frozenset({"entries__", "key__", "value__", "merged__"})
"""What a rewritten expression calls."""
_TOKEN = re.compile(
    r"""
    (?P<text> [rRbB]{0,2} (?: \"\"\".*?\"\"\" | '''.*?''' ) | (?P<raw>[bB]?[rR][bB]?) (?:"[^"\n]*"|'[^'\n]*')
            | [bB]? (?: "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ) )
    | (?P<comment> //[^\n]* )
    | (?P<macro> \.\s*(?P<name>all|exists|exists_one|existsOne|transformList|transformMapEntry|transformMap)\s*\( )
    | (?P<struct> (?:Object(?:\s*\.\s*[A-Za-z_]\w*)*|JSONPatch)\s*\{ )
    | (?P<open> [(\[{] ) | (?P<close> [)\]}] ) | (?P<comma> , )
    | (?P<word> \w+ ) | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_TWO_NAMES = re.compile(r"\s*[_a-zA-Z]\w*\s*,\s*[_a-zA-Z]\w*\s*,")
_FIELD = re.compile(r"(\s*)(\??)(\s*)([A-Za-z_]\w*)(\s*:)")
_DEEPEST = 16
"""How deep what is rewritten may stand within each other: the text is read once for each level."""
_NAME = re.compile(r"\s*([_a-zA-Z]\w*)\s*\Z")
_MACROS = {"all": "all", "exists": "exists", "exists_one": "exists_one", "existsOne": "exists_one"}
_ERROR = re.compile(r"^ERROR: <input>:(\d+):(\d+): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text, and where in the author's text it was; None for text that is not the author's."""

    text: str
    at: int | None = None


class Rewritten:
    """An expression without macros of two variables. `text` is what to compile.

    With `structs`, `Object.spec{replicas: 1}` and `JSONPatch{…}`, which the mutations of admission policies make,
    become maps.
    """

    def __init__(self, source: str, *, structs: bool = False) -> None:
        self.source = source
        concerned = structs or any(name in source for name in (".all", ".exists", ".transform"))
        self._pieces = list(_Rewriter(structs).rewrite(source, 0)) if concerned else []
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


class _Rewriter:
    def __init__(self, structs: bool) -> None:
        self._structs = structs

    def rewrite(self, text: str, base: int, depth: int = 0) -> Iterator[Piece]:
        """`text`, which begins at `base` of the whole, in pieces. Raises CelError."""
        if depth > _DEEPEST:
            raise CelError("expression nests too deep")
        done = at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                break
            at = match.end()
            made, end = self._made(match, text, base, depth)
            if made:
                yield Piece(text[done : match.start()], base + done)
                yield from made
                done = at = end
        yield Piece(text[done:], base + done)

    def _made(self, match: re.Match[str], text: str, base: int, depth: int) -> tuple[list[Piece], int]:
        """What a token and its arguments become, and where they end; nothing if they stay."""
        at = match.end()
        if match["macro"] and _TWO_NAMES.match(text, at):
            args, end = _arguments(text, at)
            return list(self._macro(match["name"], args, base, depth)), end
        if match["struct"] and self._structs:
            args, end = _arguments(text, at)
            return list(self._struct(args, base, depth)) if args else [], end
        return [], at

    def _macro(self, name: str, args: list[_Argument], base: int, depth: int) -> Iterator[Piece]:
        names = [match[1] for match in map(_NAME.match, (arg.text for arg in args[:2])) if match is not None]
        most = 3 if name in _MACROS else 4
        if len(names) < 2 or not 3 <= len(args) <= most:
            return
        yield Piece(f".entries__().{_MACROS.get(name, 'map')}({_ENTRY}")
        for index, arg in enumerate(args[2:], 3):
            is_entry = name == "transformMap" and index == len(args)
            yield Piece(f", cel.bind({names[0]}, {_ENTRY}.key__(), cel.bind({names[1]}, {_ENTRY}.value__(), ")
            yield Piece(f"{{{names[0]}: " if is_entry else "")
            yield from self.rewrite(arg.text, base + arg.at, depth + 1)
            yield Piece("}))" if is_entry else "))")
        yield Piece(").merged__()" if name.startswith("transformMap") else ")")

    def _struct(self, fields: list[_Argument], base: int, depth: int) -> Iterator[Piece]:
        yield Piece("{")
        for index, field in enumerate(fields):
            match = _FIELD.match(field.text)
            begin = match.end() if match is not None else 0
            if match is not None:
                yield Piece(f'{match[1]}{match[2]}{match[3]}"{match[4]}"{match[5]}')
            yield from self.rewrite(field.text[begin:], base + field.at + begin, depth + 1)
            yield Piece("," if index < len(fields) - 1 else "}")


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
        if match["open"] or match["macro"] or match["struct"]:
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


@function("list<map<int, ~V>>", "list<~V>.entries__()")
def list_entries(items: list[object]) -> list[dict[int, object]]:
    return [{at: item} for at, item in enumerate(items)]


@function("list<map<~K, ~V>>", "map<~K, ~V>.entries__()")
def map_entries(entries: dict[object, object]) -> list[dict[object, object]]:
    return [{key: value} for key, value in entries.items()]


@function("~K", "map<~K, ~V>.key__()")
def key(entry: dict[object, object]) -> object:
    return _only(entry)[0]


@function("~V", "map<~K, ~V>.value__()")
def value(entry: dict[object, object]) -> object:
    return _only(entry)[1]


def _only(entry: dict[object, object]) -> tuple[object, object]:
    for pair in entry.items():
        return pair
    raise CelError("no such key: the map has no entry")


@function("map<~K, ~V>", "list<map<~K, ~V>>.merged__()")
def merged(parts: list[object]) -> dict[object, object]:
    whole: dict[object, object] = {}
    for part in parts:
        if type(part) is not dict:
            raise CelError(f"no such overload: {type_name(part)} is not a map")
        for name, each in part.items():
            if name in whole:
                raise CelError(f"insert failed: key '{name}' already exists")
            whole[name] = each
    return whole
