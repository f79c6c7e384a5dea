"""All subresources by name: those of this folder, and those that a kubelet answers.

A kind lists those it serves in `Kind.subresources`; status, scale and `parts` follow from its other fields.
"""

from __future__ import annotations

from apiserver.endpoints.subresources import binding, eviction, finalize, part, scale, status, token
from apiserver.endpoints.subresources.base import Subresource
from apiserver.registry.kind import Kind
from apiserver.streaming.connect import ATTACH, EXEC, PORTFORWARD
from apiserver.streaming.log import LOG
from apiserver.streaming.proxy import PROXIES

SUBRESOURCES: dict[str, Subresource] = {
    each.name: each
    for each in (binding.BINDING, eviction.EVICTION, finalize.FINALIZE, LOG, token.TOKEN, EXEC, ATTACH, PORTFORWARD)
}


def subresources_of(kind: Kind) -> dict[str, Subresource]:
    """The subresources a kind serves, by name, in the order of discovery."""
    found = {name: SUBRESOURCES[name] for name in kind.subresources if name in SUBRESOURCES}
    if "proxy" in kind.subresources:
        found["proxy"] = PROXIES[kind.plural]
    found |= {name: part.part(name) for name in kind.parts}
    if kind.scale is not None:
        found["scale"] = scale.SCALE
    if kind.status:
        found["status"] = status.STATUS
    return dict(sorted(found.items()))
