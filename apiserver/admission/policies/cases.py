"""The evaluations that a request calls for: each policy that is for it, by each binding, with each parameter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.errors import StatusError
from api.selectors import SelectorError
from apiserver.admission.authorizer import authorizer_of
from apiserver.admission.matching import is_namespace
from apiserver.admission.policies.params import BadReference, params_of, resource_of
from apiserver.admission.webhooks import review

if TYPE_CHECKING:
    from apiserver.admission.policies.binding import Binding
    from apiserver.admission.policies.definition import Definition
    from apiserver.admission.webhooks.call import Question
    from apiserver.endpoints.state import Resource
    from apiserver.registry.kind import Object


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluation: the values that the expressions may look at, in the version `resource`."""

    binding: Binding
    resource: Resource
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Misfit:
    """A policy (without a binding) or a binding that cannot be applied as it is."""

    binding: Binding | None
    message: str


class Given:
    """What all policies are told of one request, made once for each version of the resource that one wants."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._values: dict[str, dict[str, Any]] = {}

    async def of(self, resource: Resource) -> dict[str, Any]:
        """Raises StatusError."""
        version = resource.kind.api_version
        found = self._values.get(version)
        if found is None:
            found = self._values[version] = await _values(self.question, resource)
        return found


async def cases(given: Given, definition: Definition, bindings: tuple[Binding, ...]) -> AsyncIterator[Case | Misfit]:
    """Nothing, if the policy is not for the request. Raises StatusError."""
    question = given.question
    state, attributes = question.state, question.attributes
    resource = await definition.matching.match(state, attributes, question.obj, question.old)
    if resource is None:
        return
    try:
        if definition.param_kind is not None:
            resource_of(state, definition.param_kind)
        values = await given.of(resource)
    except (BadReference, StatusError) as error:
        yield Misfit(None, f"failed to configure policy: {error}")
        return
    for binding in bindings:
        try:
            if await binding.matching.match(state, attributes, question.obj, question.old) is None:
                continue
            found = await params_of(state, definition.param_kind, binding.param_ref, attributes.namespace)
        except (BadReference, SelectorError, StatusError) as error:
            yield Misfit(binding, f"failed to configure binding: {error}")
            continue
        for params in found:
            yield Case(binding, resource, {**values, "params": params})


async def _values(question: Question, resource: Resource) -> dict[str, Any]:
    attributes = question.attributes
    obj, old = await question.objects(resource)
    request = review.request(attributes, resource, obj, old)
    del request["object"], request["oldObject"]
    return {
        "object": obj,
        "oldObject": old,
        "request": request,
        "namespaceObject": _namespace(question),
        "authorizer": authorizer_of(attributes),
    }


def _namespace(question: Question) -> Object | None:
    attributes = question.attributes
    if not attributes.namespace or is_namespace(attributes.resource):
        return None
    entry = question.state.resource("namespaces").cache.entries.get(attributes.namespace)
    return entry.decode() if entry is not None else None
