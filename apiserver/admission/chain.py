"""The admission plugins in their order: first all that change the object, later all that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiserver.admission import namespaces, serviceaccounts
from apiserver.admission.attributes import Attributes
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.endpoints.state import State

MUTATING = (namespaces.exists, serviceaccounts.default_account)
VALIDATING = (namespaces.not_immortal,)


async def admit(state: State, attributes: Attributes, obj: Object) -> None:
    """Let the mutating plugins change `obj`, or refuse. Raises StatusError."""
    for mutate in MUTATING:
        await mutate(state, attributes, obj)


async def check(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Let the validating plugins refuse. Raises StatusError."""
    for validate in VALIDATING:
        await validate(state, attributes, obj, old)
