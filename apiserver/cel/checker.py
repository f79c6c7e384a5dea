"""Parsing and type-checking by the CEL library, which is imported when the first expression is compiled."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from apiserver.cel import library
from apiserver.cel.functions import DECLARED, Signature
from apiserver.cel.macros import ENTRY_FUNCTIONS, Rewritten
from apiserver.cel.values import CelError

if TYPE_CHECKING:
    from apiserver.cel.messages import Messages

_CODE = re.compile(r"\A(?:INVALID_ARGUMENT|CANCELLED): | \[(?:INVALID_ARGUMENT|CANCELLED)\]\Z")
_STRUCT = re.compile(r"(undefined field '[^']*') not found in struct '[^']*'")
_SHOUTED = re.compile(r"\b[A-Z_]+\b")
"""How the library writes the names of CEL's own types."""
_WORD = re.compile(r"\w+")
_STANDARD = {"exclude_functions": [{"name": "string"}]}
"""A function is declared in one place only, and `string` has overloads for Kubernetes' own types."""
MAX_LENGTH = 100_000
"""Characters of an expression; the parser takes time in proportion."""


@lru_cache(1)
def _extensions() -> list[Any]:
    """The library's own macros that every expression may use."""
    from cel_expr_python.ext import ext_bindings, ext_math, ext_optional

    return [ext_bindings.ExtBindings(), ext_math.ExtMath(), ext_optional.ExtOptional()]


@lru_cache(1)
def _functions() -> dict[str, dict[str, Any]]:
    """All declared functions by name, as the library's configuration wants them."""
    library.load()
    functions: dict[str, dict[str, Any]] = {}
    for signature in DECLARED:
        found = functions.setdefault(signature.name, {"name": signature.name, "overloads": []})
        found["overloads"].append(_overload(signature))
    return functions


def vocabulary(*texts: str) -> frozenset[str]:
    """The names of the declared functions that expressions may mean: an environment with all of them costs 13 ms."""
    words = {word for text in texts for word in _WORD.findall(text)} | ENTRY_FUNCTIONS
    return frozenset(name for name in _functions() if name.rpartition(".")[2] in words)


def _overload(signature: Signature) -> dict[str, str]:
    name, parameters = signature.name.replace(".", r"\."), signature.parameters
    text = (
        f"{parameters[0]}.{name}({','.join(parameters[1:])})" if signature.member else f"{name}({','.join(parameters)})"
    )
    return {"id": text, "signature": text, "return": signature.returns}


@lru_cache(32)
def environment(
    variables: frozenset[tuple[str, str]], functions: frozenset[str], messages: Messages | None = None
) -> Any:
    """What checks expressions over variables of these CEL types, among them `messages`, with these functions.

    It is kept, since it costs milliseconds to make and microseconds to use.
    """
    from cel_expr_python import cel

    declared = [{"name": name, "type": kind} for name, kind in sorted(variables)]
    known = _functions()
    config = {"stdlib": _STANDARD, "functions": [known[name] for name in sorted(functions)], "variables": declared}
    text = orjson.dumps(config).decode()
    pool = messages.pool if messages is not None else None
    return cel.NewEnv(pool, config=cel.NewEnvConfigFromYaml(text), extensions=_extensions())


def check(environment: Any, expression: str, *, structs: bool = False) -> tuple[bytes, str]:
    """The checked tree, serialised, and the type of the result. `structs`: see `Rewritten`. Raises CelError."""
    if len(expression) > MAX_LENGTH:
        raise CelError(f"expression is longer than {MAX_LENGTH} characters")
    rewritten = Rewritten(expression, structs=structs)
    try:
        checked = environment.compile(rewritten.text)
        result = str(checked.return_type())
    except RuntimeError as error:
        raise CelError(rewritten.told(_told(str(error)))) from error
    return checked.serialize(), _SHOUTED.sub(lambda match: match[0].lower(), result)


def _told(message: str) -> str:
    """The library's message without its codes: `ERROR: <input>:1:6: …` and the lines that point there."""
    return _STRUCT.sub(r"\1", _CODE.sub("", message)).strip()
