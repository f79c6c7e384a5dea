"""create and update: the one path that every write of every kind takes, from the decoded object to the transaction.

An update starts from the cache's copy, which may be behind. Whatever goes wrong with that copy (a lost race, a refusal)
is tried again with etcd's own before the client hears of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import orjson

from api.apply import Writer, keep_times
from api.equality import equal
from api.errors import AlreadyExists, Conflict, Invalid, NotFound, ServerTimeout, StatusError
from api.metadata import rfc3339
from apiserver.admission import namespaces
from apiserver.admission.attributes import Attributes, Operation
from apiserver.admission.chain import admit, check
from apiserver.auth.user import SERVER, User
from apiserver.endpoints.http import Request
from apiserver.endpoints.objectmeta import (
    check_namespace,
    fill_for_create,
    fill_for_update,
    grow_generation,
    metadata_of,
    single_owners,
)
from apiserver.endpoints.options import DEFAULT, WriteOptions
from apiserver.endpoints.ownership import manager_of, note, own_changed, own_new, sensible
from apiserver.endpoints.state import ReservedNames, Resource, State
from apiserver.quota.ledger import FREE, Charge
from apiserver.registry.kind import Context, Object
from apiserver.registry.metadata import validate_metadata, validate_metadata_update
from apiserver.storage.cache import Entry
from apiserver.storage.etcd import TooLarge
from apiserver.storage.store import GuardChanged, Lost, Reserved

ATTEMPTS = 8
"""How often a write is tried when others are faster."""

Transform = Callable[[Object], Object]
"""Makes the new object of the old one, which it leaves as it is and shares nothing with."""


@dataclass(slots=True)
class Author:
    """Who writes, and how."""

    user: User
    options: WriteOptions = DEFAULT
    warnings: list[str] = field(default_factory=list)
    manager: str = ""
    """Who will own what is written, in managedFields."""
    tracked: bool = True
    """Whether managedFields are kept at all: not when the object were too large with them."""
    annotations: dict[str, str] = field(default_factory=dict)
    """What admission wants in the audit log."""

    @classmethod
    def of(cls, request: Request, options: WriteOptions) -> Author:
        """The author of a request."""
        manager = options.field_manager or manager_of(request.header(b"user-agent"))
        author = cls(request.user, options, request.warnings, manager)
        if request.audit is not None:
            author.annotations = request.audit.annotations
        return author

    @classmethod
    def server(cls) -> Author:
        """The author of what the server does by itself; a new one for each write, since it collects warnings."""
        return cls(SERVER, manager="kube-apiserver")

    def attributes(
        self, operation: Operation, resource: Resource, namespace: str, name: str, subresource: str = ""
    ) -> Attributes:
        """What admission is told of the write."""
        return Attributes(
            operation,
            resource,
            namespace,
            name,
            self.user,
            subresource,
            self.options.dry_run,
            self.options.shown("CreateOptions" if operation == "create" else "UpdateOptions"),
            self.warnings,
            self.annotations,
        )


class Part(Enum):
    """What an update may change."""

    MAIN = auto()
    STATUS = auto()
    SERVER = auto()
    """The server's own doing (a binding, a finalize), which the kind's rules for clients do not hold for."""


async def create(
    state: State, resource: Resource, namespace: str, obj: Object, author: Author, *, applied: bool = False
) -> bytes:
    """Store a new object; its wire bytes. `obj` is changed. Raises StatusError, EtcdError.

    `applied`: it comes from a server-side apply, and has its managedFields.
    """
    check_namespace(obj, resource, namespace)
    generated = not obj["metadata"].get("name")
    draft = orjson.dumps(obj)
    for attempt in range(ATTEMPTS):
        known, reserved = state.feed.revision, ReservedNames(state.feed)
        try:
            return await _create_once(state, resource, namespace, obj, author, reserved, applied)
        except Lost as lost:
            name = obj["metadata"]["name"]
            if not generated or attempt == ATTEMPTS - 1:
                raise AlreadyExists(resource.kind.resource, name) from lost
        except (Reserved, GuardChanged):
            await state.feed.fresh()
        except TooLarge:
            if applied or not author.tracked:
                raise
            author.tracked = False
        except StatusError:
            if not await _was_behind(state, known, reserved):
                raise
        obj = orjson.loads(draft)
    raise ServerTimeout(resource.kind.resource, "create", retry_after=1)


async def _was_behind(state: State, known: int, reserved: ReservedNames) -> bool:
    """Whether a refusal that looked at the reserved names as of revision `known` may have been out of date."""
    if not reserved.asked:
        return False
    await state.feed.fresh()
    return state.feed.revision > known


async def _create_once(
    state: State,
    resource: Resource,
    namespace: str,
    obj: Object,
    author: Author,
    reserved: ReservedNames,
    applied: bool,
) -> bytes:
    kind, strategy, options = resource.kind, resource.kind.strategy, author.options
    context = state.context(author.user, namespace, options.dry_run, reserved)
    managed = obj["metadata"].get("managedFields")
    fill_for_create(obj, resource, context.now)
    author.warnings += single_owners(obj)
    strategy.default(obj)
    if applied:
        note(obj, managed)
    elif author.tracked:
        own_new(obj, managed, kind, author.manager)
    attributes = author.attributes("create", resource, namespace, obj["metadata"].get("name") or "")
    await _admit(state, attributes, obj, None)
    strategy.prepare_for_create(obj, context)
    strategy.allocate(obj, None, context)
    if errors := [*validate_metadata(obj, kind), *strategy.validate(obj, context)]:
        raise Invalid(kind.kind, kind.group, obj["metadata"].get("name") or "", errors)
    await check(state, attributes, obj, None)
    author.warnings.extend(strategy.warnings(obj))
    name = obj["metadata"]["name"]
    value, key = await resource.stored(obj), resource.storage_key(namespace, name)
    async with state.quotas.charge(attributes, obj) as charge:
        if author.options.dry_run:
            if await state.store.get(key):
                raise AlreadyExists(kind.resource, name)
            return resource.encoding.store(obj)
        guards = (namespaces.guard(state, attributes), *charge.guards) if kind.namespaced else ()
        guards = (*guards, *strategy.guards())
        with resource.writing(namespace, name, value, obj):
            revision = await state.store.create(key, value, strategy.reservations(obj), strategy.lifetime, guards)
        charge.done(revision)
    state.quotas.changed(resource, namespace, obj, None)
    return resource.encoding.wire(value, revision) if resource.alone else resource.wire(obj, revision)


@dataclass(frozen=True, slots=True)
class Face:
    """How an object is seen through a subresource with a kind of its own (a Scale), and changed through it."""

    of: Callable[[Object], Object]
    into: Callable[[Object, Object], Object]
    """The object, and what it shall look like: the object that does, which shares nothing with either."""


@dataclass(slots=True)
class Update:
    """One update under way: what it changes, and how the new object is made of the old one."""

    state: State
    resource: Resource
    namespace: str
    name: str
    author: Author
    transform: Transform
    part: Part = Part.MAIN
    subresource: str = ""
    """Through which the object is written, when it is not written itself."""
    applied: bool = False
    """Whether `transform` is a server-side apply, which sets the managedFields."""
    face: Face | None = None
    """What is sent and admitted in place of the object, if it is not the object itself."""
    silent: bool = False
    """Whether the change has been admitted as something else already, and nobody comes to own it (a binding)."""
    retry: bool = False
    """Whether `transform` may be asked again when somebody else was faster (a patch)."""

    async def run(self) -> bytes:
        """The object's wire bytes after the update. Raises StatusError, EtcdError."""
        key = self.resource.storage_key(self.namespace, self.name)
        entry = self.resource.cache.entries.get(self.resource.key(self.namespace, self.name))
        known = await self._shown(entry) if entry is not None else None
        certain = False
        if known is None:
            known, certain = await self.resource.decode(await self.state.store.get(key)), True
        for _ in range(ATTEMPTS):
            if known is None:
                raise NotFound(self.resource.kind.resource, self.name)
            as_of, reserved = self.state.feed.revision, ReservedNames(self.state.feed)
            try:
                return await self._once(key, known, reserved)
            except Lost as lost:
                if not self.retry and certain:
                    raise Conflict(self.resource.kind.resource, self.name) from lost
                known, certain = await self.resource.decode(lost.current), True
            except (Reserved, GuardChanged):
                await self.state.feed.fresh()
            except TooLarge:
                if self.applied or not self.author.tracked:
                    raise
                self.author.tracked = False
            except StatusError:
                behind = await _was_behind(self.state, as_of, reserved)
                current = await self.resource.decode(await self.state.store.get(key))
                if not behind and (certain or _version(current) == _version(known)):
                    raise
                known, certain = current, True
        raise Conflict(self.resource.kind.resource, self.name)

    async def _shown(self, entry: Entry) -> Object:
        obj: Object = entry.decode() if self.resource.alone else orjson.loads(await self.resource.show(entry.raw))
        return obj

    async def _once(self, key: bytes, old: Object, reserved: ReservedNames) -> bytes:
        context = self.state.context(self.author.user, self.namespace, self.author.options.dry_run, reserved)
        new = self.transform(old)
        managed = metadata_of(new).get("managedFields")
        fill_for_update(new, old, self.resource)
        self.author.warnings += single_owners(new)
        if self.part is Part.STATUS:
            new = _status_of(new, old)
        if self.part is Part.MAIN:
            self.resource.kind.strategy.default(new)
        await self._own(new, old, managed, context)
        if self.silent:
            return await self._store(key, new, old, FREE)
        attributes = self.author.attributes("update", self.resource, self.namespace, self.name, self.subresource)
        new = await self._admitted(attributes, new, old)
        if self.part is Part.STATUS:
            new = self._status_only(new, old, context)
        elif self.part is Part.MAIN:
            self._main(new, old, context)
        await check(self.state, attributes, *self._faces(new, old))
        async with self.state.quotas.charge(attributes, new, old) as charge:
            return await self._store(key, new, old, charge)

    def _faces(self, new: Object, old: Object) -> tuple[Object, Object]:
        """What admission sees of the two."""
        return (new, old) if self.face is None else (self.face.of(new), self.face.of(old))

    async def _admitted(self, attributes: Attributes, new: Object, old: Object) -> Object:
        """The new object as admission leaves it."""
        if self.face is None:
            await _admit(self.state, attributes, new, old)
            return new
        shown, before = self._faces(new, old)
        given = orjson.dumps(shown)
        await _admit(self.state, attributes, shown, before)
        return new if orjson.dumps(shown) == given else self.face.into(new, shown)

    async def _own(self, new: Object, old: Object, managed: Any, context: Context) -> None:
        """Keep the managedFields right."""
        if self.applied:
            note(new, managed)
        elif not self.author.tracked:
            note(new, None)
        elif not self.silent:
            writer = Writer(self.author.manager, rfc3339(context.now))
            await own_changed(new, old, managed, self.resource, self.subresource, writer, self.state.catalog)
        else:
            note(new, old["metadata"].get("managedFields"))

    def _status_only(self, new: Object, old: Object, context: Context) -> Object:
        strategy, kind = self.resource.kind.strategy, self.resource.kind
        kept = _status_of(new, old)
        note(kept, new["metadata"].get("managedFields"))
        strategy.prepare_for_status_update(kept, old, context)
        if errors := strategy.validate_status_update(kept, old, context):
            raise Invalid(kind.kind, kind.group, self.name, errors)
        return kept

    def _main(self, new: Object, old: Object, context: Context) -> None:
        kind = self.resource.kind
        strategy = kind.parts.get(self.subresource) or kind.strategy
        strategy.prepare_for_update(new, old, context)
        strategy.allocate(new, old, context)
        if strategy.has_generation:
            grow_generation(new, old)
        if errors := [*validate_metadata_update(new, old, kind), *strategy.validate_update(new, old, context)]:
            raise Invalid(kind.kind, kind.group, self.name, errors)
        self.author.warnings.extend(strategy.update_warnings(new, old))

    async def _store(self, key: bytes, new: Object, old: Object, charge: Charge) -> bytes:
        keep_times(new, old)
        strategy, resource = self.resource.kind.strategy, self.resource
        revision = int(old["metadata"]["resourceVersion"])
        value = resource.encoding.store(new)
        held = set(strategy.reservations(old))
        if may_go(new, old, self.resource):
            if not self.author.options.dry_run:
                revision = await self.state.store.delete(key, revision, held)
                self.state.quotas.changed(resource, self.namespace, None, old)
            return resource.encoding.wire(value, revision)
        if equal(new, old) or self.author.options.dry_run:
            return resource.encoding.wire(value, revision)
        wanted, kept = set(strategy.reservations(new)), value if resource.alone else await resource.stored(new)
        take, free = wanted - held, held - wanted
        update = self.state.store.update(key, kept, revision, take, free, strategy.lifetime, charge.guards)
        with resource.writing(self.namespace, self.name, kept, new):
            revision = await update
        charge.done(revision)
        self.state.quotas.changed(resource, self.namespace, new, old)
        return resource.encoding.wire(value, revision)


def may_go(new: Object, old: Object, resource: Resource) -> bool:
    """Whether an update takes away the last thing that kept a deleted object."""
    meta = new["metadata"]
    if not old["metadata"].get("deletionTimestamp") or meta.get("finalizers"):
        return False
    return not meta.get("deletionGracePeriodSeconds") and not resource.kind.strategy.held(new)


async def _admit(state: State, attributes: Attributes, obj: Object, old: Object | None) -> None:
    """Let admission change the object, but not break what is noted of its owners."""
    managed = obj["metadata"].get("managedFields")
    await admit(state, attributes, obj, old)
    meta = metadata_of(obj)
    if (now := meta.get("managedFields")) is not managed and not sensible(now):
        note(obj, managed)


def _status_of(new: Object, old: Object) -> Object:
    """The old object with the new one's status."""
    kept = {**old, "metadata": dict(old["metadata"])}
    kept.pop("status", None)
    if "status" in new:
        kept["status"] = new["status"]
    return kept


def _version(obj: Object | None) -> str:
    return str(obj["metadata"]["resourceVersion"]) if obj else ""
