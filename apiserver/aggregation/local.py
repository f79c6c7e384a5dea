"""The APIServices of what this server itself serves: made by it, and taken away when a custom kind's group goes.

They are there to be looked at, and for their priorities: the order in which clients try groups and versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from api.errors import AlreadyExists, NotFound
from apiserver.aggregation.directory import GROUP
from apiserver.endpoints import delete as deletion
from apiserver.endpoints.virtual import VIRTUAL
from apiserver.endpoints.write import Author, create
from apiserver.registry.groups import priority
from apiserver.registry.kind import Object

if TYPE_CHECKING:
    from apiserver.endpoints.state import Resource, State

LABEL = "kube-aggregator.kubernetes.io/automanaged"
ON_START, WHILE_SERVED = "onstart", "true"


def wanted(state: State) -> dict[str, Object]:
    """The APIServices that should be there, by name. The group of APIServices themselves has none; nor has the metrics
    API, whose name is left free for a server that does it better."""
    versions: dict[tuple[str, str], bool] = {(each.group, each.version): False for each in VIRTUAL}
    for resource in state.catalog:
        kind = resource.kind
        if kind.live is None:
            versions[kind.group, kind.version] = kind.own_schema is not None
    return {
        f"{version}.{group}": service(group, version, custom=custom)
        for (group, version), custom in versions.items()
        if group != GROUP
    }


def service(group: str, version: str, *, custom: bool) -> Object:
    """One local APIService."""
    of_group, of_version = priority(group, version)
    return {
        "metadata": {"name": f"{version}.{group}", "labels": {LABEL: WHILE_SERVED if custom else ON_START}},
        "spec": {
            "group": group,
            "version": version,
            "groupPriorityMinimum": of_group,
            "versionPriority": of_version,
        },
    }


def gone(there: Iterable[Object], wanted: dict[str, Object]) -> Iterator[str]:
    """Names of APIServices that were made here for what is served no more. One that a user made or took over stays."""
    for obj in there:
        meta = obj["metadata"]
        managed = (meta.get("labels") or {}).get(LABEL) in (ON_START, WHILE_SERVED)
        if managed and not obj["spec"].get("service") and meta["name"] not in wanted:
            yield meta["name"]


async def keep(state: State, resource: Resource) -> None:
    """Make what is missing, delete what is too many. Raises StatusError, EtcdError."""
    should = wanted(state)
    for name, obj in should.items():
        if name not in resource.cache.entries:
            try:
                await create(state, resource, "", obj, Author.server())
            except AlreadyExists:
                continue  # another API server was faster
    for name in list(gone((entry.decode() for entry in resource.cache.select("", None)), should)):
        try:
            await deletion.delete(state, resource, "", name, deletion.DeleteOptions(), Author.server())
        except NotFound:
            continue
