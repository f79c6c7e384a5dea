"""The expressions of a policy: what they may look at, and how a policy's variables build upon each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apiserver.cel import AUTHORIZER, Budget, CelError
from apiserver.cel.checker import vocabulary
from apiserver.cel.messages import Messages
from apiserver.cel.program import Program, compile_typed
from apiserver.cel.values import Lazy

_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_LIST = {"type": "array", "items": _TEXT}
_ANY: Mapping[str, Any] = {}


def _struct(**fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "object", "properties": fields}


_KIND = _struct(group=_TEXT, version=_TEXT, kind=_TEXT)
_RESOURCE = _struct(group=_TEXT, version=_TEXT, resource=_TEXT)
_USER = _struct(username=_TEXT, uid=_TEXT, groups=_LIST, extra={"type": "object", "additionalProperties": _LIST})
_METADATA = _struct(
    name=_TEXT,
    generateName=_TEXT,
    namespace=_TEXT,
    labels=_TEXTS,
    annotations=_TEXTS,
    uid=_TEXT,
    resourceVersion=_TEXT,
    generation={"type": "integer"},
    creationTimestamp={"type": "string", "format": "date-time"},
    deletionTimestamp={"type": "string", "format": "date-time"},
    deletionGracePeriodSeconds={"type": "integer"},
    finalizers=_LIST,
)
REQUEST = _struct(
    kind=_KIND,
    resource=_RESOURCE,
    subResource=_TEXT,
    requestKind=_KIND,
    requestResource=_RESOURCE,
    requestSubResource=_TEXT,
    name=_TEXT,
    namespace=_TEXT,
    operation=_TEXT,
    userInfo=_USER,
    dryRun={"type": "boolean"},
    options=_ANY,
)
"""`request`: an AdmissionRequest without its objects."""
NAMESPACE = _struct(
    kind=_TEXT, apiVersion=_TEXT, metadata=_METADATA, spec=_struct(finalizers=_LIST), status=_struct(phase=_TEXT)
)
"""`namespaceObject`."""

_VARIABLE = "variables."
_NAMES = {"null": "null_type"}


@dataclass(frozen=True, slots=True)
class Types:
    """The types of what every policy's expressions may look at; `object` is that of the objects."""

    messages: Messages
    variables: Mapping[str, str]

    @classmethod
    def of(cls, messages: Messages, object: str = "dyn") -> Types:
        request, namespace = messages.type_of(REQUEST), messages.type_of(NAMESPACE)
        given = {"object": object, "oldObject": object, "request": request, "namespaceObject": namespace}
        return cls(messages, given)


_TYPES = Types.of(Messages(escaping=False))


def _texts(value: Any) -> Iterator[str]:
    """All text anywhere in a spec."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


class Scope:
    """What the expressions of one policy may name. `variable` adds to it, in the order of the policy's variables."""

    def __init__(self, spec: Mapping[str, Any], types: Types = _TYPES) -> None:
        """For the expressions of a policy's spec; its variables are added by `variable`."""
        self._messages = types.messages
        self._types = {**types.variables, "params": "dyn"} if spec.get("paramKind") else dict(types.variables)
        self._functions = vocabulary(*_texts(spec))
        self._variables: dict[str, Program] = {}

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Scope:
        """The scope of a policy, with all of its variables. Raises CelError."""
        scope = cls(spec)
        for variable in spec.get("variables") or ():
            scope.variable(variable["name"], variable["expression"])
        return scope

    def variable(self, name: str, expression: str) -> None:
        """Raises CelError."""
        program = self._compile(expression, {**self._types, "authorizer": AUTHORIZER})
        self._types[_VARIABLE + name] = program.result
        self._variables[name] = program

    def untyped(self, name: str) -> None:
        """Let a variable be of any type."""
        self._types[_VARIABLE + name] = "dyn"

    def compile(self, expression: str, *returns: str, authorizer: bool = True) -> Program:
        """The program, whose result is of one of these types, if any are given. Raises CelError."""
        types = {**self._types, "authorizer": AUTHORIZER} if authorizer else self._types
        program = self._compile(expression, types)
        if returns and not program.is_a(*returns):
            names = [_NAMES.get(name, name) for name in returns]
            wanted = names[0] if len(names) == 1 else f"one of [{' '.join(names)}]"
            raise CelError(f"must evaluate to {wanted} but got {program.shown_result}")
        return program

    def mutation(self, expression: str, returns: str, shown: str) -> Program:
        """The program of an expression that makes an object or patches. Raises CelError."""
        program = self._compile(expression, {**self._types, "authorizer": AUTHORIZER}, structs=True)
        if not program.result.startswith((returns, "dyn")):
            raise CelError(f"must evaluate to {shown} but got {program.shown_result}")
        return program

    def _compile(self, expression: str, types: Mapping[str, str], *, structs: bool = False) -> Program:
        try:
            return compile_typed(expression, types, self._messages, {}, functions=self._functions, structs=structs)
        except CelError as error:
            raise CelError(f"compilation failed: {error}") from error

    def values(self, budget: Budget, given: Mapping[str, Any]) -> dict[str, Any]:
        """`given` with the policy's variables, each evaluated when it is first looked at, within `budget`."""
        values = dict(given)
        for name, program in self._variables.items():
            values[_VARIABLE + name] = Lazy(_evaluation(name, program, budget, values))
        return values


def _evaluation(name: str, program: Program, budget: Budget, values: Mapping[str, Any]) -> Any:
    def evaluate() -> Any:
        try:
            return program.evaluate(budget, **values)
        except CelError as error:
            raise type(error)(f'composited variable "{name}" fails to evaluate: {error}') from error

    return evaluate


def evaluate(program: Program, expression: str, budget: Budget, values: Mapping[str, Any]) -> Any:
    """The value of an expression of a policy. Raises CelError, in the words that name the expression."""
    try:
        return program.evaluate(budget, **values)
    except CelError as error:
        raise CelError(f"expression '{expression}' resulted in error: {error}") from error
