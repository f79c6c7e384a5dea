"""Applying a configuration to an object: what it becomes, and who then owns what.

`kubectl` is a manager with a past: it used to apply from the client's side, and left what it applied in an annotation.
When it turns to the server, what that annotation says and is still so is no conflict; and as long as the annotation is
there, it is kept up to date for clients that still go by it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from api.apply.conflict import ApplyConflict
from api.apply.entries import APPLY, Entry, arranged, entry, identity, with_fields
from api.apply.fieldset import LEAF, Tree, difference, intersection, union
from api.apply.managers import Object, Scope, Writer, taken
from api.apply.shapes import shape_of
from api.apply.typed import GONE, Shape
from api.equality import equal
from api.errors import BadRequest, StatusError

BEFORE_FIRST_APPLY = "before-first-apply"
KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_ANNOTATIONS_LIMIT = 256 * 1024
_NAMED: Tree = {"f:metadata": {"f:name": LEAF}}
"""What every configuration says, whoever it belongs to."""


@dataclass(frozen=True, slots=True)
class Apply:
    """One configuration to apply."""

    config: Object
    scope: Scope
    writer: Writer
    force: bool = False
    served: Collection[str] = ()
    """The versions that there are of the object; what is owned in any other is forgotten. Nothing: this one only."""

    def to(self, live: Object | None) -> Object:
        """The object after the apply, with its managedFields. Raises ApplyConflict, BadRequest, StatusError."""
        self._check()
        entries = self._known(live) if live is not None else []
        before = _without_managers(live) if live is not None else {}
        try:
            return self._merged(before, entries, self.force)
        except ApplyConflict as conflict:
            if self.writer.manager != KUBECTL:
                raise
            return self._upgraded(before, entries, conflict)

    def _check(self) -> None:
        """Raises BadRequest, StatusError."""
        meta = self.config.get("metadata")
        if isinstance(meta, dict) and meta.get("managedFields") is not None:
            raise BadRequest("metadata.managedFields must be nil")
        problems = list(self._shape.problems(self.config, ""))
        if problems:
            text = str(problems[0]) if len(problems) == 1 else "errors:\n" + "\n".join(f"  {each}" for each in problems)
            raise StatusError(f"failed to create typed patch object ({self._name}): {text}")

    @property
    def _shape(self) -> Shape:
        return shape_of(self.scope.schema)

    @property
    def _name(self) -> str:
        meta = self.config.get("metadata")
        meta = meta if isinstance(meta, dict) else {}
        kind = type_of(self.config.get("apiVersion") or "", self.config.get("kind") or "")
        return f"{meta.get('namespace') or ''}/{meta.get('name') or ''}; {kind}"

    def _known(self, live: Object) -> list[Entry]:
        """The live object's entries. What was there before anybody was tracked gets an owner of its own."""
        if stored := live["metadata"].get("managedFields"):
            known = self.served or (self.scope.api_version,)
            return [item for item in stored if item["apiVersion"] in known]
        added = self.scope.own(self._shape.born(_without_managers(live)))
        return taken([], added, LEAF, self.scope, Writer(BEFORE_FIRST_APPLY, self.writer.time))

    def _merged(self, live: Object, entries: list[Entry], force: bool) -> Object:
        wanted = self.scope.own(self._shape.fields(self.config))
        mine = entry(self.writer.manager, APPLY, self.scope.api_version, self.scope.subresource, wanted)
        before = next((item for item in entries if identity(item) == identity(mine)), None)
        others = [item for item in entries if item is not before]
        new = self._shape.merge(live, self.config) if live else self.config
        if before is not None:
            new = self._pruned(new, before["fieldsV1"], wanted, others)
        left = self._without_lost(live, new, others, force)
        if before is not None and equal(new, live) and {**mine, "time": before.get("time")} == before:
            left.append(before)
        else:
            left.append(with_fields(mine, wanted, self.writer.time))
        return _with_managers(new, self._last_applied(new), arranged(left))

    def _pruned(self, merged: Object, before: Tree, wanted: Tree, others: list[Entry]) -> Object:
        owned = union(wanted, _NAMED)
        for item in others:
            owned = union(owned, item["fieldsV1"])
        left = self._shape.prune(merged, before, owned)
        return {} if left is GONE else left

    def _without_lost(self, live: Object, new: Object, others: list[Entry], force: bool) -> list[Entry]:
        """The others' entries without what they no longer own. Raises ApplyConflict."""
        added, modified, removed = self._shape.diff(live, new)
        changed, lost = self.scope.own(union(added or LEAF, modified or LEAF)), removed or LEAF
        fought = [(item, intersection(item["fieldsV1"], changed)) for item in others]
        if not force and any(tree for _, tree in fought):
            raise ApplyConflict(fought)
        return [with_fields(item, difference(difference(item["fieldsV1"], tree), lost)) for item, tree in fought]

    def _upgraded(self, live: Object, entries: list[Entry], conflict: ApplyConflict) -> Object:
        """What `kubectl apply` put there from the client's side is no conflict. Raises ApplyConflict."""
        allowed = self._last_applied_fields(live)
        rest = [(item, difference(tree, allowed)) for item, tree in conflict.fields]
        if any(tree for _, tree in rest):
            raise ApplyConflict(rest)
        return self._merged(live, entries, force=True)

    def _last_applied_fields(self, live: Object) -> Tree:
        """The fields of the configuration applied last that still are as it says."""
        try:
            applied = orjson.loads(annotations_of(live).get(LAST_APPLIED) or "")
        except orjson.JSONDecodeError:
            return LEAF
        if not isinstance(applied, dict) or any(self._shape.problems(applied, "")):
            return LEAF
        fields = self._shape.fields(applied) or LEAF
        for change in self._shape.diff(applied, live):
            fields = difference(fields, change or LEAF)
        return fields

    def _last_applied(self, new: Object) -> str | None:
        """What the annotation of `kubectl apply` shall say, on an object that has it; None to leave it alone."""
        if self.writer.manager != KUBECTL or not annotations_of(new).get(LAST_APPLIED):
            return None
        meta = dict(self.config["metadata"])
        annotations = {key: value for key, value in annotations_of(self.config).items() if key != LAST_APPLIED}
        if "annotations" in meta:
            meta["annotations"] = annotations
        text = orjson.dumps({**self.config, "metadata": meta}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
        size = sum(len(key) + len(value) for key, value in annotations.items()) + len(text)
        return text if size <= _ANNOTATIONS_LIMIT else ""


def type_of(api_version: str, kind: str) -> str:
    """A type as messages name it: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`."""
    return f"{api_version if '/' in api_version else '/' + api_version}, Kind={kind}"


def annotations_of(obj: Object) -> dict[str, str]:
    meta = obj.get("metadata")
    found: Any = meta.get("annotations") if isinstance(meta, dict) else None
    return found if isinstance(found, dict) else {}


def _without_managers(obj: Object) -> Object:
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


def _with_managers(obj: Object, last_applied: str | None, managed: list[Entry]) -> Object:
    meta = {**(obj.get("metadata") or {}), "managedFields": managed}
    if last_applied is not None:
        meta["annotations"] = {**annotations_of(obj), LAST_APPLIED: last_applied}
    return {**obj, "metadata": meta}
