"""delete: at once, after a grace period, or when the last finalizer has gone.

The first delete marks the object (deletionTimestamp); who must still do something about it then does it and takes its
finalizer away or deletes again with no grace period, and with the last of these the object goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson

from api import schema as schemas
from api.errors import BadRequest, Conflict, Invalid, NotFound
from api.field import FieldError, invalid, not_supported, quote
from api.metadata import parse_time, rfc3339
from apiserver.admission.attributes import Attributes
from apiserver.admission.chain import admit, check
from apiserver.endpoints.http import flag
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.write import ATTEMPTS, Author
from apiserver.registry.kind import Object
from apiserver.storage.cache import Entry
from apiserver.storage.store import Lost

_DEFINITION = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
AT_ONCE = 16
"""How many objects of a collection are deleted at a time."""
ORPHAN, FOREGROUND, BACKGROUND = "Orphan", "Foreground", "Background"
_FINALIZERS = {ORPHAN: "orphan", FOREGROUND: "foregroundDeletion"}


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """The DeleteOptions object. `grace` is in seconds; `uid` and `version` are preconditions; `cascades` is whether the
    client has asked, in the old way, for the dependents to go."""

    grace: int | None = None
    propagation: str = ""
    uid: str = ""
    version: str = ""
    dry_run: bool = False
    cascades: bool = False

    def shown(self) -> Object:
        """The options as admission sees them."""
        preconditions = {"uid": self.uid, "resourceVersion": self.version}
        shown: Object = {
            "gracePeriodSeconds": self.grace,
            "preconditions": {key: value for key, value in preconditions.items() if value},
            "propagationPolicy": self.propagation,
            "dryRun": ["All"] if self.dry_run else [],
        }
        kept = {key: value for key, value in shown.items() if value or value == 0}
        return {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", **kept}


@dataclass(frozen=True, slots=True)
class Deleted:
    """The outcome: the object's wire bytes, its uid, and whether it is gone."""

    raw: bytes
    uid: str
    gone: bool


def read_options(body: Object, query: Mapping[str, str]) -> DeleteOptions:
    """From the body, and for what it leaves open from the query. Raises BadRequest, Invalid."""
    if problem := schemas.type_error(schemas.load(_DEFINITION), "DeleteOptions", "v1", body):
        raise BadRequest(problem)
    grace = body.get("gracePeriodSeconds")
    if grace is None and query.get("gracePeriodSeconds"):
        grace = _integer(query["gracePeriodSeconds"])
    if grace is not None and grace < 0:
        grace = 1
    propagation = body.get("propagationPolicy") or query.get("propagationPolicy") or ""
    orphan = body.get("orphanDependents")
    if orphan is None and "orphanDependents" in query:
        orphan = flag(query, "orphanDependents")
    dry_run = body.get("dryRun") or ([query["dryRun"]] if query.get("dryRun") else [])
    errors = _wrong(propagation, orphan, dry_run)
    if errors:
        raise Invalid("DeleteOptions", "meta.k8s.io", "", errors)
    if orphan is not None:
        propagation = ORPHAN if orphan else BACKGROUND
    preconditions = body.get("preconditions") or {}
    uid, version = preconditions.get("uid") or "", preconditions.get("resourceVersion") or ""
    return DeleteOptions(grace, propagation, uid, version, bool(dry_run), orphan is False)


def _wrong(propagation: str, orphan: bool | None, dry_run: list[str]) -> list[FieldError]:
    errors = []
    if propagation and orphan is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(invalid("propagationPolicy", propagation, text))
    elif propagation not in ("", ORPHAN, FOREGROUND, BACKGROUND):
        errors.append(not_supported("propagationPolicy", propagation, (FOREGROUND, BACKGROUND, ORPHAN, "nil")))
    if any(each != "All" for each in dry_run):
        errors.append(not_supported("dryRun", dry_run, ("All",)))
    return errors


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadRequest(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax") from error


async def delete(
    state: State,
    resource: Resource,
    namespace: str,
    name: str,
    options: DeleteOptions,
    author: Author,
    *,
    admitted: bool = False,
) -> Deleted:
    """Begin or finish an object's deletion. Raises StatusError, EtcdError.

    `admitted`: it has been admitted already, as something else (an eviction).
    """
    home, key = resource.home, resource.storage_key(namespace, name)
    entry = home.cache.entries.get(home.key(namespace, name))
    if entry is not None:
        old: Object | None = orjson.loads(await home.show(entry.raw))
    else:
        old = await home.decode(await state.store.get(key))
    for _ in range(ATTEMPTS):
        if old is None:
            raise NotFound(resource.kind.resource, name)
        try:
            deletion = _Deletion(state, home, namespace, name, options, author)
            deletion.check_preconditions(old)
            if not admitted:
                await _admit(state, resource, name, options, author, old)
            done = await deletion.once(key, old)
            return replace(done, raw=await resource.show(done.raw))
        except Lost as lost:
            old = await home.decode(lost.current)
        except Conflict:
            current = await home.decode(await state.store.get(key))
            if current is None or current["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]:
                raise
            old = current
    raise Conflict(resource.kind.resource, name)


async def _admit(
    state: State, resource: Resource, name: str, options: DeleteOptions, author: Author, old: Object
) -> None:
    """Let admission refuse. Raises StatusError."""
    meta = old["metadata"]
    attributes = Attributes(
        "delete",
        resource,
        meta.get("namespace") or "",
        name,
        author.user,
        "",
        options.dry_run,
        options.shown(),
        author.warnings,
        author.annotations,
    )
    if not resource.alone:
        old = orjson.loads(await resource.show(resource.home.wire(old, int(meta["resourceVersion"]))))
    await admit(state, attributes, None, old)
    await check(state, attributes, None, old)


@dataclass(frozen=True, slots=True)
class _Deletion:
    state: State
    resource: Resource
    namespace: str
    name: str
    options: DeleteOptions
    author: Author

    async def once(self, key: bytes, old: Object) -> Deleted:
        uid = old["metadata"].get("uid") or ""
        strategy, encoding = self.resource.kind.strategy, self.resource.encoding
        context = self.state.context(self.author.user, self.namespace, self.options.dry_run)
        revision = int(old["metadata"]["resourceVersion"])
        new: Object = orjson.loads(orjson.dumps(old))
        waits = self._mark(new, old, context.now)
        if not waits or new != old:  # a deletion that is under way, and to be left so, keeps its finalizers
            self._set_propagation(new, old)
        if not old["metadata"].get("deletionTimestamp"):
            strategy.prepare_for_delete(new, context)
        held = waits or bool(new["metadata"].get("finalizers")) or strategy.held(new)
        if held:
            if new != old and not self.options.dry_run:
                value, lifetime = encoding.store(new), strategy.lifetime
                revision = await self.state.store.update(key, value, revision, lifetime=lifetime)
            return Deleted(encoding.wire(encoding.store(new), revision), uid, gone=False)
        if not self.options.dry_run:
            revision = await self.state.store.delete(key, revision, strategy.reservations(old))
            self.state.quotas.changed(self.resource, self.namespace, None, old)
        return Deleted(encoding.wire(encoding.store(new), revision), uid, gone=True)

    def check_preconditions(self, old: Object) -> None:
        """Raises Conflict."""
        meta, options = old["metadata"], self.options
        for what, wanted, found, gone in (
            ("UID", options.uid, meta.get("uid"), "deleted and then recreated"),
            ("ResourceVersion", options.version, meta["resourceVersion"], "modified"),
        ):
            if wanted and wanted != found:
                why = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found})"
                kind = self.resource.kind
                resource = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
                raise Conflict(resource, self.name, f"{why}. The object might have been {gone}")

    def _set_propagation(self, new: Object, old: Object) -> None:
        """Orphan and Foreground are kept as finalizers, which the garbage collector takes away when it is done."""
        meta = new["metadata"]
        finalizers = meta.get("finalizers") or ()
        propagation = self.options.propagation
        if not propagation and not old["metadata"].get("deletionTimestamp"):
            propagation = self._default_propagation(finalizers)
        if not propagation:
            return
        wanted = _FINALIZERS.get(propagation)
        kept = [name for name in finalizers if name not in _FINALIZERS.values() or name == wanted]
        if wanted and wanted not in kept:
            kept.append(wanted)
        if kept:
            meta["finalizers"] = kept
        else:
            meta.pop("finalizers", None)

    def _default_propagation(self, finalizers: Collection[str]) -> str:
        strategy = self.resource.kind.strategy
        if not strategy.orphans or any(name in finalizers for name in _FINALIZERS.values()):
            return ""
        if strategy.orphans_warning and strategy.orphans_warning not in self.author.warnings:
            self.author.warnings.append(strategy.orphans_warning)
        return ORPHAN

    def _mark(self, new: Object, old: Object, now: datetime) -> bool:
        """Set or shorten the time of deletion; whether there is a grace period to wait for."""
        meta = new["metadata"]
        grace = self.resource.kind.strategy.grace_period(old, self.options.grace)
        if not meta.get("deletionTimestamp"):
            meta["deletionTimestamp"] = rfc3339(now + timedelta(seconds=grace or 0))
            meta["deletionGracePeriodSeconds"] = grace or 0
            if meta.get("generation"):
                meta["generation"] += 1
            return bool(grace)
        running = meta.get("deletionGracePeriodSeconds") or 0
        if grace is None or not running:
            return False
        if self.options.grace is None:
            return True  # no wish of its own: the period that runs goes on
        if grace < running:
            begun = parse_time(meta["deletionTimestamp"]) - timedelta(seconds=running)
            meta["deletionTimestamp"] = rfc3339(max(begun + timedelta(seconds=grace), now))
            meta["deletionGracePeriodSeconds"] = grace
            return bool(grace)
        return True


async def delete_all(
    state: State, resource: Resource, entries: Sequence[Entry], options: DeleteOptions, author: Author
) -> list[bytes]:
    """Delete the objects of a collection, some at a time; what they were, but for those that others deleted first.

    Raises StatusError, EtcdError.
    """

    async def one(entry: Entry) -> bytes | None:
        try:
            return (await delete(state, resource, entry.namespace, entry.name, options, author)).raw
        except NotFound:
            return None

    raws: list[bytes] = []
    for start in range(0, len(entries), AT_ONCE):
        done = await asyncio.gather(*map(one, entries[start : start + AT_ONCE]))
        raws += [raw for raw in done if raw is not None]
    return raws
