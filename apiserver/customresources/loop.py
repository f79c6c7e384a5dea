"""The loop that brings what is served to what the CustomResourceDefinitions say, in every API server by itself.

It follows the watch cache of the definitions and is level-triggered: each time something has changed it looks at all
of them. Several API servers do the same at once. What they write they compute from what they overwrite, so that who is
slower finds nothing left to do.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from hashlib import sha256

import orjson

from api import metadata
from api.errors import Conflict, NotFound, StatusError
from apiserver.customresources import status
from apiserver.customresources.cleanup import clean_up
from apiserver.customresources.conversion import conversion_of
from apiserver.customresources.kinds import kinds_of
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.virtual import VIRTUAL
from apiserver.endpoints.write import Author, Part, Update
from apiserver.registry import KINDS
from apiserver.registry.definitions.conditions import ESTABLISHED, NAMES_ACCEPTED, is_true
from apiserver.registry.kind import Object
from apiserver.storage.cache import Expired
from apiserver.storage.etcd import EtcdError
from apiserver.storage.feed import TooNew
from apiserver.storage.store import Guard
from daemon.log import logger

log = logger(__name__)

_BACKOFF = (0.1, 5.0)
PATIENCE = 2.0
"""Seconds that a request for a custom resource waits for it to be served here."""
_TERMINATING = "create not allowed while custom resource definition is terminating"
_NOTHING: Object = {}
_BUILT_IN = {(kind.group, kind.plural) for kind in KINDS} | {(each.group, each.plural) for each in VIRTUAL}
"""What a definition cannot take the place of."""


class _Unfinished(Exception):
    """Something could not be done for one of the definitions."""


class Definitions:
    """The definitions as this server knows them, and what it serves because of them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._resource: Resource = state.resource("customresourcedefinitions", "apiextensions.k8s.io")
        self._known: dict[str, tuple[int, Object]] = {}
        self._todo: set[str] = set()
        """The names of those that something is to be done for."""
        self._served: dict[str, bytes] = {}
        """By name: the digest of what the served kinds were made of."""
        self._cleaning: dict[str, asyncio.Task[None]] = {}
        self._looked = 0
        """As of which revision what is served is what the definitions say."""
        self._news = asyncio.Event()
        self._pause = _BACKOFF[0]
        state.catch_up = self.catch_up

    async def run(self) -> None:
        """Follow the definitions until cancelled."""
        await self._state.feed.filled.wait()
        try:
            while True:
                try:
                    await self._follow()
                except Expired:
                    log.info("the definitions are read anew")
                except (EtcdError, _Unfinished) as error:
                    log.warning("custom resources need another look", why=str(error), retry_in=self._pause)
                    await asyncio.sleep(self._pause)
                    self._pause = min(self._pause * 2, _BACKOFF[1])
        finally:
            for task in self._cleaning.values():
                task.cancel()

    def missing(self) -> str | None:
        """For the readiness page: until the first look custom resources would seem not to exist."""
        return None if self._looked else "the custom resources are not served yet"

    async def catch_up(self, group: str, plural: str) -> None:
        """Wait, not for long, until a custom resource that another server serves already is served here, too.

        Raises EtcdError.
        """
        cache = self._resource.cache
        with suppress(TooNew, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._state.feed.fresh()
                if f"{plural}.{group}" not in cache.entries:
                    return
                wanted = cache.revision
                while self._looked < wanted:
                    await self._news.wait()

    async def _follow(self) -> None:
        cache = self._resource.cache
        watcher = cache.watch(cache.revision)
        try:
            while True:
                revision = cache.revision
                done = await self._look()
                self._looked = revision
                self._news.set()
                self._news.clear()
                if not done:
                    raise _Unfinished
                self._pause = _BACKOFF[0]
                await watcher.wait()
                watcher.take()
        finally:
            watcher.close()

    async def _look(self) -> bool:
        """Do what there is to do; whether that was all. Raises EtcdError."""
        self._read()
        for name in self._served.keys() - self._known.keys():
            await self._unserve(name)
        done = True
        for revision, crd in sorted((self._known[name] for name in self._todo), key=_age):
            if not await self._one(crd):
                done = False
            elif self._known.get(_name(crd), (0,))[0] == revision:
                self._todo.discard(_name(crd))
        return done

    async def _one(self, crd: Object) -> bool:
        """Do what there is to do for one definition; whether that was all. Raises EtcdError."""
        try:
            await self._serve(crd)
            await self._settle(crd)
            self._clean(crd)
        except EtcdError:
            raise
        except StatusError as error:  # an admission webhook that is away, perhaps
            log.warning("cannot write a definition's status", name=_name(crd), why=str(error))
            return False
        except Exception:  # the border: what is wrong with one definition must not keep the others from being served
            log.exception("a definition cannot be served", name=_name(crd))
            return False
        return True

    def _read(self) -> None:
        """Decode what has changed, and note which definitions have to be looked at because of it.

        Definitions are large, and there may be hundreds: what has not changed costs nothing.
        """
        entries, groups = self._resource.cache.entries, set[str]()
        for name in self._known.keys() - entries.keys():
            groups.add(_group(self._known.pop(name)[1]))
            self._todo.discard(name)
        for name, entry in entries.items():
            revision, before = self._known.get(name, (0, _NOTHING))
            if revision != entry.revision:
                crd = entry.decode()
                if crd["spec"] == before.get("spec"):
                    crd["spec"] = before["spec"]  # it is large, and the served kinds hold it
                self._known[name] = (entry.revision, crd)
                groups.add(_group(crd))
                self._todo.add(name)
        if groups:  # a name may have become free
            self._todo.update(name for name, (_, crd) in self._known.items() if _group(crd) in groups and _wants(crd))

    async def _settle(self, crd: Object) -> None:
        """Write the definition's status if it is not what it should be."""
        name, served = crd["metadata"]["name"], crd["metadata"]["name"] in self._served

        def transform(old: Object) -> Object:
            new: Object = orjson.loads(orjson.dumps(old))
            status.settle(new, self._others(old), served, metadata.now())
            return new

        if transform(crd) == crd:
            return
        try:
            await Update(
                self._state,
                self._resource,
                "",
                name,
                Author.server(),
                transform,
                Part.STATUS,
                subresource="status",
                retry=True,
            ).run()
        except (NotFound, Conflict):
            log.debug("a definition has changed meanwhile", name=name)

    def _others(self, crd: Object) -> list[Object]:
        """The other definitions of a group, as of now: names are given with an eye on those that are taken."""
        self._read()
        name, group = _name(crd), _group(crd)
        return [each for _, each in self._known.values() if _group(each) == group and _name(each) != name]

    async def _serve(self, crd: Object) -> None:
        name, spec = crd["metadata"]["name"], crd["spec"]
        family = (spec["group"], spec["names"]["plural"])
        if not _has_names(crd) or family in _BUILT_IN:
            return
        facts = [crd["metadata"]["uid"], spec, (crd.get("status") or {}).get("acceptedNames")]
        made_of = sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).digest()
        if self._served.get(name) != made_of:
            kinds = kinds_of(crd, conversion_of(crd, self._state.webhooks), lambda: self._guard(name))
            await self._state.serve(kinds)
            self._served[name] = made_of
            log.info("serving a custom resource", name=name)

    def _guard(self, name: str) -> Guard:
        """Holds an object's creation to the definition as it is now. Raises StatusError when that is going."""
        entry = self._resource.cache.entries.get(name)
        if entry is None or entry.terminating:
            raise StatusError(_TERMINATING, code=405, reason="MethodNotAllowed")
        return Guard(self._resource.storage_key("", name), entry.revision)

    async def _unserve(self, name: str) -> None:
        del self._served[name]
        plural, _, group = name.partition(".")
        self._state.unserve(group, plural)
        log.info("a custom resource is gone", name=name)

    def _clean(self, crd: Object) -> None:
        """See to it that a deleted definition's objects go, and then the definition."""
        name = crd["metadata"]["name"]
        if not crd["metadata"].get("deletionTimestamp") or name in self._cleaning:
            return
        task = asyncio.create_task(clean_up(self._state, self._resource, crd, Author.server()), name=f"clean up {name}")
        self._cleaning[name] = task
        task.add_done_callback(lambda done: self._cleaning.pop(name, None))


def _name(crd: Object) -> str:
    return str(crd["metadata"]["name"])


def _group(crd: Object) -> str:
    return str(crd["spec"]["group"])


def _has_names(crd: Object) -> bool:
    """Whether the kind may be served: it has its names, or had them once and asks for others now."""
    return is_true(crd, NAMES_ACCEPTED) or is_true(crd, ESTABLISHED)


def _wants(crd: Object) -> bool:
    """Whether a definition waits for a name that another has."""
    return not is_true(crd, NAMES_ACCEPTED)


def _age(known: tuple[int, Object]) -> tuple[str, str]:
    return known[1]["metadata"].get("creationTimestamp") or "", _name(known[1])
