"""`authorizer` in the expressions of webhooks and policies: the API server's own authorizer, for a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiserver.admission.matching import namespace_of
from apiserver.auth.authorize import Attempt, allowed
from apiserver.auth.serviceaccounts import subject
from apiserver.auth.user import AUTHENTICATED, User

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.cel.library.authorizer import Authorizer, Decision, Question


def authorizer_of(attributes: Attributes) -> Authorizer:
    """Answers for the user of a request, and for any service account that an expression names."""
    from apiserver.cel.library.authorizer import Authorizer, Decision, Question

    kind = attributes.resource.kind
    about = Question(
        None,
        group=kind.group,
        resource=kind.plural,
        subresource=attributes.subresource,
        namespace=namespace_of(attributes),
        name=attributes.name,
    )

    def decide(question: Question) -> Decision:
        user = attributes.user if question.account is None else service_account(*question.account)
        return Decision(allowed(user, _attempt(question)))

    return Authorizer(decide, about)


def service_account(namespace: str, name: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(subject(namespace, name), groups)


def _attempt(question: Question) -> Attempt:
    what = f"{question.resource}/{question.subresource}" if question.subresource else question.resource
    return Attempt(question.verb, what, question.group, question.namespace, question.name, question.path)
