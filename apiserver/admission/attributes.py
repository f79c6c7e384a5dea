"""What admission plugins are told of a write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from apiserver.auth.user import User

if TYPE_CHECKING:
    from apiserver.endpoints.state import Resource

Operation = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is about to happen. `subresource` is empty for the object itself."""

    operation: Operation
    resource: Resource
    namespace: str
    name: str
    user: User
    subresource: str = ""
