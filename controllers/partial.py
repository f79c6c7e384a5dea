"""Objects of any kind, as no more than what garbage collection reads of their metadata.

Half of a cluster's bytes are things that only their users read: a cache of all kinds keeps none of them.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, cast

import msgspec

from api.types import meta_v1
from client.resources import KubeObject, Resource, register


class PartialMeta(msgspec.Struct, omit_defaults=True):
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None
    deletionTimestamp: datetime | None = None
    finalizers: list[str] | None = None
    ownerReferences: list[meta_v1.OwnerReference] | None = None


class PartialObject(msgspec.Struct, omit_defaults=True):
    """A subclass for each resource is made by `partial`."""

    apiVersion: str | None = None
    kind: str | None = None
    metadata: PartialMeta | None = None


@cache
def partial(resource: Resource) -> type[KubeObject]:
    """The struct type whose path is the resource's. Its metadata has some of ObjectMeta's fields, by the same names."""
    made: type[Any] = msgspec.defstruct(f"Partial{resource.kind}", [], bases=(PartialObject,), omit_defaults=True)
    register(made, resource)
    return cast(type[KubeObject], made)
