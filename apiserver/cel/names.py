"""Names of fields in expressions: what CEL would read otherwise is written escaped."""

from __future__ import annotations

_ESCAPES = {"__underscores__": "__", "__dot__": ".", "__dash__": "-", "__slash__": "/"}
KEYWORDS = frozenset(
    {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"}
    | {"let", "loop", "package", "namespace", "return", "var", "void", "while"}
)


def escape(name: str) -> str:
    """How an expression names the field: `a-b` is `a__dash__b`, `namespace` is `__namespace__`."""
    if name in KEYWORDS:
        return f"__{name}__"
    for escaped, plain in _ESCAPES.items():  # underscores first: the others bring some
        name = name.replace(plain, escaped)
    return name


def unescape(name: str) -> str:
    """The field that an expression names."""
    if name.startswith("__") and name.endswith("__") and name[2:-2] in KEYWORDS:
        return name[2:-2]
    for escaped, plain in reversed(_ESCAPES.items()):
        name = name.replace(escaped, plain)
    return name
