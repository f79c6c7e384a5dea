"""A pod runs as some service account: `default` when it names none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State


async def default_account(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Name the account in a new pod that names none."""
    kind = attributes.resource.kind
    if obj is None or attributes.operation != "create" or attributes.subresource:
        return
    if (kind.group, kind.plural) != ("", "pods"):
        return
    spec = obj.get("spec")
    if isinstance(spec, dict) and not spec.get("serviceAccountName"):
        spec["serviceAccountName"] = spec["serviceAccount"] = spec.get("serviceAccount") or "default"
