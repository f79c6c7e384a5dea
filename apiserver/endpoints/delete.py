"""delete: at once, after a grace period, or when the last finalizer has gone.

The first delete marks the object (deletionTimestamp); who must still do something about it then does it and takes its
finalizer away or deletes again with no grace period, and with the last of these the object goes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from api.errors import BadRequest, Conflict, Invalid, NotFound
from api.field import FieldError, invalid, not_supported
from api.metadata import parse_time, rfc3339
from apiserver.admission.attributes import Attributes
from apiserver.admission.chain import admit, check
from apiserver.endpoints.http import flag
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.write import ATTEMPTS, Author
from apiserver.registry.kind import Object
from apiserver.storage.store import Lost

ORPHAN, FOREGROUND, BACKGROUND = "Orphan", "Foreground", "Background"
_FINALIZERS = {ORPHAN: "orphan", FOREGROUND: "foregroundDeletion"}


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """The DeleteOptions object. `grace` is in seconds; `uid` and `version` are preconditions."""

    grace: int | None = None
    propagation: str = ""
    uid: str = ""
    version: str = ""
    dry_run: bool = False

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
    grace = body.get("gracePeriodSeconds")
    if grace is None and query.get("gracePeriodSeconds"):
        grace = _integer("gracePeriodSeconds", query["gracePeriodSeconds"])
    propagation = body.get("propagationPolicy") or query.get("propagationPolicy") or ""
    orphan = body.get("orphanDependents")
    if orphan is None and "orphanDependents" in query:
        orphan = flag(query, "orphanDependents")
    dry_run = body.get("dryRun") or ([query["dryRun"]] if query.get("dryRun") else [])
    errors = _wrong(grace, propagation, orphan, dry_run)
    if errors:
        raise Invalid("DeleteOptions", "meta.k8s.io", "", errors)
    if orphan is not None:
        propagation = ORPHAN if orphan else BACKGROUND
    preconditions = body.get("preconditions") or {}
    uid, version = preconditions.get("uid") or "", preconditions.get("resourceVersion") or ""
    return DeleteOptions(grace, propagation, uid, version, bool(dry_run))


def _wrong(grace: Any, propagation: str, orphan: bool | None, dry_run: list[str]) -> list[FieldError]:
    errors = []
    if propagation and orphan is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(invalid("propagationPolicy", propagation, text))
    elif propagation not in ("", ORPHAN, FOREGROUND, BACKGROUND):
        errors.append(not_supported("propagationPolicy", propagation, (FOREGROUND, BACKGROUND, ORPHAN, "nil")))
    if dry_run not in ([], ["All"]):
        errors.append(not_supported("dryRun", dry_run, ("All",)))
    if grace is not None and (isinstance(grace, bool) or not isinstance(grace, int)):
        errors.append(invalid("gracePeriodSeconds", grace, "must be an integer"))
    return errors


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadRequest(f'{name}: invalid value "{text}": must be an integer') from error


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
        self._set_propagation(new, old)
        waits = self._mark(new, old, context.now)
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
        if options.uid and options.uid != meta.get("uid"):
            what = f"UID in precondition: {options.uid}, UID in object meta: {meta.get('uid')}"
        elif options.version and options.version != meta["resourceVersion"]:
            what = (
                f"ResourceVersion in precondition: {options.version}, "
                f"ResourceVersion in object meta: {meta['resourceVersion']}"
            )
        else:
            return
        raise Conflict(self.resource.kind.resource, self.name, f"Precondition failed: {what}")

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
            if self.resource.kind.strategy.has_generation:
                meta["generation"] = (meta.get("generation") or 0) + 1
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


def without_preconditions(options: DeleteOptions) -> DeleteOptions:
    """The same options without preconditions, for the objects of a whole collection."""
    return replace(options, uid="", version="")
