"""What admission plugins are told of a request, and where they leave what they have to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from api.errors import Forbidden
from apiserver.auth.user import User
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.endpoints.state import Resource

Operation = Literal["create", "update", "delete", "connect"]


@dataclass(slots=True)
class Attributes:
    """What is about to happen to `resource`. Nobody changes it; it is not frozen, which costs each write microseconds.

    `subresource` is empty for the object itself. `options` is the request's CreateOptions, UpdateOptions, PatchOptions
    or DeleteOptions with its apiVersion and kind. `warnings` are sentences for the Warning header (give it the
    author's list); `annotations` is what plugins want in the audit log.
    """

    operation: Operation
    resource: Resource
    namespace: str
    name: str
    user: User
    subresource: str = ""
    dry_run: bool = False
    options: Object | None = None
    warnings: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)

    def creates(self, plural: str, group: str = "") -> bool:
        """Whether an object of this resource is to be made."""
        kind = self.resource.kind
        if kind.plural != plural or kind.group != group:
            return False
        return self.operation == "create" and not self.subresource

    def forbidden(self, why: str) -> Forbidden:
        return Forbidden(self.resource.kind.resource, self.name, why)
