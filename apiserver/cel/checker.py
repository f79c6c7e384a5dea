"""Parsing and type-checking by the CEL library, which is imported when the first expression is compiled."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from apiserver.cel import library
from apiserver.cel.functions import DECLARED, Signature
from apiserver.cel.macros import Rewritten
from apiserver.cel.values import CelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apiserver.cel.messages import Messages

_CODE = re.compile(r"\A(?:INVALID_ARGUMENT|CANCELLED): | \[(?:INVALID_ARGUMENT|CANCELLED)\]\Z")
_STRUCT = re.compile(r"(undefined field '[^']*') not found in struct '[^']*'")
_SHOUTED = re.compile(r"\b[A-Z_]+\b")
"""How the library writes the names of CEL's own types."""
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
def _functions() -> list[dict[str, Any]]:
    """All declared functions, as the library's configuration wants them."""
    library.load()
    functions: dict[str, list[dict[str, str]]] = {}
    for signature in DECLARED:
        functions.setdefault(signature.name, []).append(_overload(signature))
    return [{"name": name, "overloads": overloads} for name, overloads in functions.items()]


def _overload(signature: Signature) -> dict[str, str]:
    name, parameters = signature.name.replace(".", r"\."), signature.parameters
    text = (
        f"{parameters[0]}.{name}({','.join(parameters[1:])})" if signature.member else f"{name}({','.join(parameters)})"
    )
    return {"id": text, "signature": text, "return": signature.returns}


@lru_cache(64)
def environment(variables: frozenset[tuple[str, str]], messages: Messages | None = None) -> Any:
    """What checks expressions over variables of these CEL types, among them `messages`.

    It is kept, since it costs milliseconds to make and microseconds to use.
    """
    return _environment(dict(sorted(variables)), messages.pool if messages is not None else None)


def _environment(variables: Mapping[str, str], pool: Any) -> Any:
    from cel_expr_python import cel

    declared = [{"name": name, "type": kind} for name, kind in variables.items()]
    config = {"stdlib": _STANDARD, "functions": _functions(), "variables": declared}
    return cel.NewEnv(pool, config=cel.NewEnvConfigFromYaml(orjson.dumps(config).decode()), extensions=_extensions())


def check(environment: Any, expression: str) -> tuple[bytes, str]:
    """The checked tree, serialised, and the type of the result. Raises CelError."""
    if len(expression) > MAX_LENGTH:
        raise CelError(f"expression is longer than {MAX_LENGTH} characters")
    rewritten = Rewritten(expression)
    try:
        checked = environment.compile(rewritten.text)
    except RuntimeError as error:
        raise CelError(rewritten.told(_told(str(error)))) from error
    return checked.serialize(), _SHOUTED.sub(lambda match: match[0].lower(), str(checked.return_type()))


def _told(message: str) -> str:
    """The library's message without its codes: `ERROR: <input>:1:6: …` and the lines that point there."""
    return _STRUCT.sub(r"\1", _CODE.sub("", message)).strip()
