"""The admission plugins in their order: first all that change the object, later all that only look.

A plugin is a function of the state, the request's attributes, the object and the old object. On a create `old` is None,
on a delete `obj` is; on a connect `obj` holds the request's options. A plugin returns at once when it is not concerned,
and refuses by raising a StatusError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from apiserver.admission import (
    certificates,
    defaultclasses,
    limitranger,
    namespaces,
    nodes,
    priority,
    runtimeclass,
    serviceaccounts,
)
from apiserver.admission.attributes import Attributes
from apiserver.admission.policies import validating as policies
from apiserver.admission.policies.mutating import Round
from apiserver.admission.webhooks import validating
from apiserver.admission.webhooks.mutating import Rounds
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.endpoints.state import State

Plugin = Callable[["State", Attributes, Object | None, Object | None], Awaitable[None]]

MUTATING: tuple[Plugin, ...] = (
    namespaces.exists,
    limitranger.default,
    serviceaccounts.default_account,
    nodes.taint,
    priority.resolve,
    defaultclasses.name_default,
    runtimeclass.apply,
)
VALIDATING: tuple[Plugin, ...] = (
    namespaces.not_immortal,
    limitranger.check,
    priority.one_default,
    certificates.may,
    policies.validate,
    validating.validate,
)


async def admit(state: State, attributes: Attributes, obj: Object | None, old: Object | None = None) -> None:
    """Let the mutating plugins change `obj` in place, or refuse. Raises StatusError."""
    for mutate in MUTATING:
        await mutate(state, attributes, obj, old)
    bound = Round.of(state, attributes, obj, old)
    changed = bound is not None and await bound.first()
    webhooks = Rounds.of(state, attributes, obj, old)
    told = webhooks is not None and await webhooks.first()
    if changed or told:
        for mutate in MUTATING:
            await mutate(state, attributes, obj, old)
    if bound is not None:
        await bound.second()
    if webhooks is not None and told:
        await webhooks.second()


async def check(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Let the validating plugins refuse. Raises StatusError."""
    for validate in VALIDATING:
        await validate(state, attributes, obj, old)


async def consult(state: State, attributes: Attributes, obj: Object) -> None:
    """Both, one after the other, for an object that is not stored: a binding, an exec's options. Raises StatusError."""
    await admit(state, attributes, obj)
    await check(state, attributes, obj, None)
