"""What the API server knows of a kind: one declaration from which routes, discovery, tables and storage keys follow.

A file beside this one declares one kind and ends in `KIND = Kind(...)`; `registry/__init__.py` collects them. The
generic path in `endpoints/` never asks which kind it serves: it asks the kind's `Strategy`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from api import schema as schemas
from api.field import FieldError
from api.names import dns1123_subdomain
from api.schema import Schema
from apiserver.registry.conversion import Convert

if TYPE_CHECKING:
    from apiserver.endpoints.state import State
    from apiserver.storage.store import Guard

Object = dict[str, Any]

Live = Callable[["State", str, str], Awaitable[Sequence[Object]]]
"""Makes objects that are not kept, given the server's state, the namespace and the name; both may be empty: all."""

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
"""What can be done to the objects of most kinds."""


@dataclass(frozen=True)
class Column:
    """A printer column. `cell` gets the object and the time now; it returns the table's cell (str, int, None)."""

    name: str
    cell: Callable[[Object, datetime], Any]
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0  # above 0: only in `-o wide`


@dataclass(frozen=True)
class Context:
    """What a strategy may know of the request beyond the object."""

    now: datetime
    namespace: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dry_run: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Server-wide settings: `service_cluster_ip_range`, `service_node_port_range`, …"""
    reserved: Callable[[str], Collection[str]] = lambda prefix: frozenset()
    """The names reserved under a prefix (`clusterips/`, `nodeports/`), from the cache; see `Strategy.reservations`."""
    kinds: Callable[[], Iterable[Kind]] = tuple
    """All kinds that are served now, built-in and custom."""


class Strategy:
    """How one kind behaves. Every method has the behaviour of a plain kind; a kind overrides what differs.

    Objects are plain JSON dicts. `default` and the `prepare_*` methods change the object they are given, in place; the
    others change nothing. The generic path itself keeps `metadata` right (uid, generation, resourceVersion,
    timestamps), so that no strategy has to.
    """

    allow_create_on_update = False
    """Whether a PUT to a missing name creates it."""
    allow_unconditional_update = True
    """Whether a PUT without resourceVersion is taken."""
    has_generation = False
    """Whether metadata.generation starts at 1 and grows with each change of anything but metadata and status."""
    any_finalizers = False
    """Whether a finalizer may be any qualified name, and not only one with a domain and a path, or of a known few."""
    returns_deleted = False
    """Whether a delete that is done at once answers with the object (a pod, a service) instead of a Status."""
    orphans = False
    """Whether what it owns stays when it is deleted, if the client does not say (the oldest controllers)."""
    orphans_warning = ""
    """What such a client is told."""
    lifetime: int | None = None
    """Seconds after its last write when etcd forgets an object (an event), or None for one that stays."""

    def validate_name(self, name: str) -> list[str]:
        """Why `name` is no good (each a sentence), or nothing."""
        return dns1123_subdomain(name)

    def default(self, obj: Object) -> None:
        """Fill the defaults that Kubernetes fills, on every write."""

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        """Drop what a client may not set (status), set what the server owns."""

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        """The same for an update of the main resource (status is kept from `old`)."""

    def prepare_for_status_update(self, new: Object, old: Object, ctx: Context) -> None:
        """The same for an update of the status subresource (all but status is already kept from `old`)."""

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        """What is wrong with a new object."""
        return []

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        """What is wrong with an update: the object itself, and immutable fields that changed."""
        return self.validate(new, ctx)

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        return []

    def warnings(self, obj: Object) -> list[str]:
        """Sentences for the `Warning` header: deprecated or suspicious, but taken."""
        return []

    def update_warnings(self, new: Object, old: Object) -> list[str]:
        """The same, of a change."""
        return self.warnings(new)

    def grace_period(self, obj: Object, asked: int | None) -> int | None:
        """Seconds of graceful deletion, or None for a kind that goes at once. `asked` is the delete option, if any."""
        return None

    def prepare_for_delete(self, obj: Object, ctx: Context) -> None:
        """Change the object as its deletion begins (a namespace's phase becomes Terminating)."""

    def held(self, obj: Object) -> bool:
        """Whether something besides metadata.finalizers keeps a deleted object (a namespace's spec.finalizers)."""
        return False

    def reservations(self, obj: Object) -> Iterable[str]:
        """Names that no two objects may hold at once: `clusterips/10.96.0.7`, `nodeports/TCP/30080`.

        Storage creates them in the same etcd transaction as the object, and frees them with it, so a name is never held
        twice and never leaks.
        """
        return ()

    def guards(self) -> Iterable[Guard]:
        """What must still be as it is when a new object is stored. Raises StatusError if it is not so now."""
        return ()

    def allocate(self, obj: Object, old: Object | None, ctx: Context) -> None:
        """Choose free names for what the client left open. Called again when another writer was faster."""

    def fields(self, obj: Object) -> Mapping[str, str]:
        """This object's values of the fields a field selector may name besides metadata.name and metadata.namespace."""
        return {}

    field_names: tuple[str, ...] = ()
    """The keys of `fields`, known without an object, so that a selector can be refused."""

    def unselectable(self, field: str) -> str:
        """What is said to a selector of a field that is none of these."""
        if self.field_names:
            return f"field label not supported: {field}"
        return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'

    revive: Callable[[Object], bool] | None = None
    """Brings an object as it is stored up to date, in place, and says whether it had to (new defaults)."""
    field_aliases: Mapping[str, str] = {}
    """Of a version that is not kept: what the version that is calls the fields, where it calls them otherwise."""


class StatusStrategy(Strategy):
    """A kind whose status is not its clients' to write: empty when it is made, kept when the rest changes."""

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)


def at(obj: Any, path: Iterable[str]) -> Any:
    """What stands at a path of keys; None if there is nothing."""
    for key in path:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj


@dataclass(frozen=True)
class Scale:
    """Where the scale subresource finds its numbers (JSON paths as tuples of keys)."""

    replicas: tuple[str, ...] = ("spec", "replicas")
    status_replicas: tuple[str, ...] = ("status", "replicas")
    selector: tuple[str, ...] = ("spec", "selector")
    """A LabelSelector object, a plain map of labels (ReplicationController), or text (a custom kind)."""


@dataclass(frozen=True)
class Kind:
    """One kind. `subresources` names the others it serves beside status and scale (`log`, `binding`, `eviction`, …):
    their handlers are in `endpoints/`."""

    group: str
    version: str
    kind: str
    plural: str
    definition: str
    """The schema's name in the OpenAPI definitions, e.g. `io.k8s.api.apps.v1.Deployment`."""
    namespaced: bool = True
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    strategy: Strategy = field(default_factory=Strategy)
    status: bool = False
    scale: Scale | None = None
    subresources: tuple[str, ...] = ()
    parts: Mapping[str, Strategy] = field(default_factory=dict, hash=False)
    """The subresources that are ways to write a part of the object, each with the strategy of an update through it."""
    columns: tuple[Column, ...] = ()
    """Columns after NAME and before AGE; an empty tuple prints NAME and AGE only."""
    table: Literal["named", "plain"] = "named"
    """`named`: Name first and Age last are added; `plain`: `columns` is the whole table (Event)."""
    list_kind: str = ""
    """What a list of it is called, if not `{kind}List`."""
    deprecation: str = ""
    """A sentence for the Warning header of every answer, if the version is deprecated."""
    own_schema: Schema | None = None
    """A custom kind's schema; a built-in kind's is found by `definition`."""
    stored_as: tuple[str, str] | None = None
    """Group and plural under which the objects are kept, if they are another resource's, too (Event)."""
    kept: bool = True
    """Whether objects are kept in this version: true for one of a resource's versions."""
    served: bool = True
    convert: Convert | None = None
    """How objects of another version are made this one's, and the other way round; None: only the name differs."""
    live: Live | None = None
    """Of a kind that is not kept: makes the objects for each get and list."""

    @property
    def list_name(self) -> str:
        return self.list_kind or f"{self.kind}List"

    @property
    def schema(self) -> Schema:
        return self.own_schema or schemas.load(self.definition)

    @property
    def family(self) -> tuple[str, str]:
        """What all versions of a resource have in common: the group and plural of its place in storage."""
        return self.stored_as or (self.group, self.plural)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """`deployments.apps`, or `pods`: as Status messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural
