"""The refusal of a request by a policy, as a Status: forbidden by its message, with a reason and a code of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.errors import Forbidden, StatusError

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.admission.policies.binding import Binding


def denial(
    attributes: Attributes, policy: str, binding: Binding | None, why: str, reason: str = "Invalid", code: int = 403
) -> StatusError:
    """`policy` is the policy as messages name it; without a binding it is the policy that is to blame."""
    bound = f" with binding '{binding.name}'" if binding is not None else ""
    message = f"{policy}{bound} denied request: {why}"
    error = Forbidden(attributes.resource.kind.resource, attributes.name, message)
    error.reason, error.code = reason, code
    error.details["causes"] = [{"message": message}]
    return error
