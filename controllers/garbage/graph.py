"""Who owns whom: every object of the cluster by uid, with the references between them. Pure, no I/O.

Each change returns the uids that deserve a look because of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from api.types import meta_v1
from client.resources import Resource
from controllers import objects

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"

_REMEMBERED_GONE = 10_000


@dataclass(slots=True)
class Item:
    """An object, as far as ownership goes."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    version: str
    owners: tuple[meta_v1.OwnerReference, ...]
    finalizers: tuple[str, ...]
    deleting: bool

    @classmethod
    def of(cls, resource: Resource, obj: objects.Object) -> Item:
        metadata = objects.meta(obj)
        return cls(
            resource,
            metadata.namespace or "",
            metadata.name or "",
            metadata.uid or "",
            metadata.resourceVersion or "",
            tuple(metadata.ownerReferences or ()),
            tuple(metadata.finalizers or ()),
            metadata.deletionTimestamp is not None,
        )

    @property
    def waits_for_dependents(self) -> bool:
        """Deleted in the foreground: it goes after its dependents."""
        return self.deleting and FOREGROUND in self.finalizers

    @property
    def leaves_orphans(self) -> bool:
        return self.deleting and ORPHAN in self.finalizers

    def reference_to(self, owner: str) -> meta_v1.OwnerReference | None:
        return next((ref for ref in self.owners if ref.uid == owner), None)

    def blocks(self, owner: str) -> bool:
        """Whether that owner, deleted in the foreground, must wait for this object."""
        reference = self.reference_to(owner)
        return reference is not None and bool(reference.blockOwnerDeletion)


class Graph:
    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._dependents: dict[str, set[str]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, uid: str) -> Item | None:
        return self._items.get(uid)

    def dependents(self, uid: str) -> list[Item]:
        return [self._items[each] for each in self._dependents.get(uid, ())]

    def is_gone(self, uid: str) -> bool:
        """Whether it was seen to go. A uid never comes back."""
        return uid in self._gone

    def put(self, item: Item) -> set[str]:
        """A new or changed object."""
        old = self._items.get(item.uid)
        self._items[item.uid] = item
        self._gone.pop(item.uid, None)
        before = {ref.uid for ref in old.owners} if old else set()
        now = {ref.uid for ref in item.owners}
        for owner in before - now:
            self._unlink(owner, item.uid)
        for owner in now - before:
            self._dependents.setdefault(owner, set()).add(item.uid)
        looks = self._waiting_owners(before | now)
        if any(self._is_doubtful(owner) for owner in now):
            looks.add(item.uid)
        if item.leaves_orphans or item.waits_for_dependents:
            looks.add(item.uid)
        if item.waits_for_dependents and not (old and old.waits_for_dependents):
            looks |= self._dependents.get(item.uid, set())
        return looks

    def remove(self, uid: str) -> set[str]:
        """An object that is gone."""
        item = self._items.pop(uid, None)
        if item is None:
            return set()
        self._gone[uid] = None
        if len(self._gone) > _REMEMBERED_GONE:
            self._gone.popitem(last=False)
        owners = {ref.uid for ref in item.owners}
        for owner in owners:
            self._unlink(owner, uid)
        return self._waiting_owners(owners) | self._dependents.get(uid, set())

    def _is_doubtful(self, owner: str) -> bool:
        """Whether an object with this owner may have to go: the owner is not known to be there and to stay."""
        found = self._items.get(owner)
        return found is None or found.waits_for_dependents

    def _waiting_owners(self, owners: Iterable[str]) -> set[str]:
        return {uid for uid in owners if (owner := self._items.get(uid)) is not None and owner.waits_for_dependents}

    def _unlink(self, owner: str, dependent: str) -> None:
        members = self._dependents.get(owner)
        if members is not None:
            members.discard(dependent)
            if not members:
                del self._dependents[owner]
