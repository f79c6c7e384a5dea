"""What a failed request means to a controller."""

from __future__ import annotations

from api import errors
from client.codec import Unreadable
from client.rest import Unreachable


def answer_is_lost(error: Exception) -> bool:
    """Whether the write may have happened all the same."""
    return isinstance(error, Unreachable | Unreadable) or (isinstance(error, errors.StatusError) and error.code >= 500)


def namespace_is_terminating(error: Exception) -> bool:
    """Whether nothing can be made because the namespace is going: no fault, and no use in trying again."""
    if not isinstance(error, errors.StatusError):
        return False
    causes = (error.details or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
