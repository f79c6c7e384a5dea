"""One question to one webhook: whether it is concerned, what it is asked, and what its answer comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from api.errors import BadRequest, Forbidden, InternalError
from apiserver.admission.authorizer import authorizer_of
from apiserver.admission.conditions import ConditionFailed
from apiserver.admission.webhooks import review
from apiserver.remote.webhook import WebhookError
from daemon.log import logger

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.admission.webhooks.configuration import Hook
    from apiserver.endpoints.state import Resource, State
    from apiserver.registry.kind import Object

log = logger(__name__)


class CallFailed(Exception):
    """The webhook could not be asked, or its answer was no good."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f'failed calling webhook "{name}": {why}')


@dataclass(slots=True)
class Question:
    """A request under admission: the objects, and their forms in other versions once a webhook wants those."""

    state: State
    attributes: Attributes
    obj: Object | None
    old: Object | None
    _old_as: dict[str, Object] = field(default_factory=dict)

    async def objects(self, resource: Resource) -> tuple[Object | None, Object | None]:
        """The object and the old one in the version of `resource`."""
        if resource is self.attributes.resource:
            return self.obj, self.old
        obj = await converted(self.obj, self.attributes.resource, resource)
        version = resource.kind.api_version
        if self.old is not None and version not in self._old_as:
            old = await converted(self.old, self.attributes.resource, resource)
            if old is not None:
                self._old_as[version] = old
        return obj, self._old_as.get(version)


async def converted(obj: Object | None, source: Resource, target: Resource) -> Object | None:
    """An object of `source` in the version of `target`; an object of a subresource's own kind stays as it is."""
    if obj is None or obj.get("kind") != source.kind.kind:
        return obj
    version = target.kind.api_version
    if target.kind.convert is None:
        return {**obj, "apiVersion": version}
    (changed,) = await target.kind.convert([obj], version)
    return changed


async def concerned(hook: Hook, question: Question) -> Resource | None:
    """The version by which the webhook wants the request, or None. Raises StatusError."""
    attributes = question.attributes
    resource = await hook.matching.match(question.state, attributes, question.obj, question.old)
    if resource is None or not hook.conditions:
        return resource
    obj, old = await question.objects(resource)
    try:
        met = hook.conditions.met(review.request(attributes, resource, obj, old), authorizer_of(attributes))
    except ConditionFailed as error:
        raise Forbidden(attributes.resource.kind.resource, attributes.name, str(error)) from error
    return resource if met else None


async def ask(hook: Hook, question: Question, resource: Resource, *, mutating: bool) -> review.Verdict:
    """Ask, and note the warnings and annotations of the answer. Raises CallFailed, and StatusError for a refusal."""
    attributes = question.attributes
    if attributes.dry_run and not hook.takes_dry_runs:
        raise BadRequest(f'admission webhook "{hook.name}" does not support dry run')
    obj, old = await question.objects(resource)
    uid, document = review.review(review.request(attributes, resource, obj, old), hook.version)
    try:
        answer = await question.state.webhooks.post(hook.client, document, hook.seconds)
    except WebhookError as error:
        raise CallFailed(hook.name, f"failed to call webhook: {error}") from error
    try:
        verdict = review.read(answer, uid, hook.version, mutating=mutating)
    except review.InvalidAnswer as error:
        raise CallFailed(hook.name, f"received invalid webhook response: {error}") from error
    for key, value in verdict.annotations.items():
        attributes.annotations[f"{hook.name}/{key}"] = value
    attributes.warnings.extend(each for each in verdict.warnings if each not in attributes.warnings)
    if not verdict.allowed:
        raise review.denial(hook.name, verdict.result)
    return verdict


def excuse(hook: Hook, failed: CallFailed, attributes: Attributes, note: str) -> None:
    """Let a failed call pass if the webhook may be ignored, under the audit annotation `note`. Raises InternalError."""
    if not hook.ignores_failure:
        raise InternalError(str(failed)) from failed
    log.warning("a webhook failed and is ignored", webhook=hook.name, why=str(failed))
    attributes.annotations[note] = hook.name
