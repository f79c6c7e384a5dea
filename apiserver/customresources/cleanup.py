"""The end of a definition: all its objects are deleted, each in its own time, and then it goes itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson

from api import metadata
from api.errors import Conflict, NotFound, StatusError
from apiserver.endpoints.delete import DeleteOptions, delete
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.write import Author, Part, Update
from apiserver.registry.customresourcedefinition import CLEANUP
from apiserver.registry.definitions.conditions import ESTABLISHED, TERMINATING, is_true, set_condition
from apiserver.registry.kind import Object
from apiserver.storage.cache import Expired
from apiserver.storage.etcd import EtcdError
from daemon.log import logger

log = logger(__name__)

_BACKOFF = (0.2, 10.0)
_OPTIONS = DeleteOptions()


async def clean_up(state: State, definitions: Resource, crd: Object, author: Author) -> None:
    """Until the definition has gone, or has lost its finalizer otherwise."""
    name = crd["metadata"]["name"]
    pause = _BACKOFF[0]
    while CLEANUP in (crd["metadata"].get("finalizers") or ()):
        try:
            await _clean(state, definitions, crd, author)
            return
        except NotFound:
            return
        except (EtcdError, StatusError, Expired) as error:
            log.warning("could not clean up a custom resource; trying again", name=name, why=str(error), retry_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _BACKOFF[1])


async def _clean(state: State, definitions: Resource, crd: Object, author: Author) -> None:
    name, spec = crd["metadata"]["name"], crd["spec"]
    family = state.catalog.family(spec["group"], spec["names"]["plural"])
    ours = family and is_true(crd, ESTABLISHED)
    if ours:
        why = ("InstanceDeletionInProgress", "CustomResource deletion is in progress")
        await _say(state, definitions, name, author, "True", why)
        await _delete_all(state, family[0], author)
        why = ("InstanceDeletionCompleted", "removed all instances")
    else:
        why = ("NeverEstablished", "resource was never established")
    await _say(state, definitions, name, author, "False", why)
    await _change(state, definitions, name, author, _let_go, Part.SERVER)


async def _delete_all(state: State, home: Resource, author: Author) -> None:
    """Delete every object, and wait until the last has gone: they may have finalizers."""
    cache = home.cache
    await state.feed.fresh()
    watcher = cache.watch(cache.revision)
    try:
        while cache.entries and not cache.ended:
            for entry in list(cache.entries.values()):
                if not entry.terminating:
                    await _delete(state, home, entry.namespace, entry.name, author)
            await watcher.wait()
            watcher.take()
    finally:
        watcher.close()


async def _delete(state: State, home: Resource, namespace: str, name: str, author: Author) -> None:
    try:
        await delete(state, home, namespace, name, _OPTIONS, author)
    except (NotFound, Conflict):
        log.debug("another server was faster", name=name)


async def _say(
    state: State, definitions: Resource, name: str, author: Author, value: str, why: tuple[str, str]
) -> None:
    def terminating(crd: Object) -> None:
        set_condition(crd, TERMINATING, value, *why, metadata.now())

    await _change(state, definitions, name, author, terminating, Part.STATUS)


def _let_go(crd: Object) -> None:
    kept = [finalizer for finalizer in crd["metadata"].get("finalizers") or () if finalizer != CLEANUP]
    crd["metadata"].pop("finalizers", None)
    if kept:
        crd["metadata"]["finalizers"] = kept


async def _change(
    state: State, definitions: Resource, name: str, author: Author, change: Callable[[Object], None], part: Part
) -> None:
    def transform(old: Object) -> Object:
        new: Object = orjson.loads(orjson.dumps(old))
        change(new)
        return new

    await Update(state, definitions, "", name, author, transform, part, subresource="status", retry=True).run()
