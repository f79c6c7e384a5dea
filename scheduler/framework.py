"""The plugin interface: the extension points of Kubernetes' scheduling framework, each for all nodes at once.

A plugin subclasses one or more of the classes below; `Profile` collects, for each extension point, the plugins that
have it, in their order. A plugin that looks at a pod's wishes and the `Snapshot` answers with one numpy array over
the nodes (`Mask` for a filter, scores for a score); one which must look at nodes one by one does so on the rows that
are left. Nothing here does I/O, except `Bind`, and `Permit` and `Reserve` if they need to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import NamedTuple, TypeVar

from scheduler.podinfo import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.tables import Floats, Mask

MAX_SCORE = 100.0


class Happening(Flag):
    """What may happen in the cluster that makes a rejected pod worth another look."""

    NONE = 0
    NODE_ADDED = auto()
    NODE_CHANGED = auto()
    POD_GONE = auto()
    POD_CHANGED = auto()
    VOLUME_CHANGED = auto()
    ANY = NODE_ADDED | NODE_CHANGED | POD_GONE | POD_CHANGED | VOLUME_CHANGED


@dataclass(frozen=True)
class Rejection:
    """One reason, and the nodes which it keeps the pod from. `final`: taking other pods away would not change that."""

    plugin: str
    reason: str
    nodes: tuple[str, ...]
    final: bool = False


class Reason(NamedTuple):
    """A sentence for the user, the nodes it is true of, and whether taking other pods away would not change it."""

    sentence: str
    nodes: Mask
    final: bool = False


class Plugin(ABC):  # noqa: B024 - what all extension points have in common
    """`name` is what shows in metrics and verdicts."""

    name: str = ""


class QueueSort(Plugin):
    @abstractmethod
    def key(self, pod: PodInfo, since: float) -> tuple[float, ...]:
        """Pods are taken in the order of this key; `since` is when the pod began to wait."""


class PreFilter(Plugin):
    @abstractmethod
    def pre_filter(self, pod: PodInfo, nodes: Snapshot) -> str | None:
        """A sentence when the pod fits nowhere, whatever the nodes; None to go on."""


class Filter(Plugin):
    helped_by: Happening = Happening.ANY

    @abstractmethod
    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        """Where the pod may be, as far as this plugin is concerned. None: anywhere. Must not change the array later."""

    @abstractmethod
    def explain(self, pod: PodInfo, nodes: Snapshot, rejected: Mask) -> Iterable[Reason]:
        """Why not on these nodes, which `filter` rejected: each is in one reason's mask at least."""


class PostFilter(Plugin):
    @abstractmethod
    def post_filter(self, pod: PodInfo, nodes: Snapshot, rejections: Sequence[Rejection]) -> str:
        """The pod fits nowhere: what could be done (preemption); a sentence for the user, or ""."""


class Score(Plugin):
    weight: float = 1.0

    @abstractmethod
    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Floats | None:
        """0 to 100 for each node (what it says of infeasible ones does not matter). None: all the same."""


class Reserve(Plugin):
    @abstractmethod
    def reserve(self, pod: PodInfo, node: str) -> str | None:
        """Set aside what the pod needs there. A sentence when that fails: the pod is then scheduled again."""

    def unreserve(self, pod: PodInfo, node: str) -> None:
        """Undo `reserve`. Must cope with being called without it."""


class Permit(Plugin):
    @abstractmethod
    async def permit(self, pod: PodInfo, node: str) -> str | None:
        """Return None to let the pod be bound (after waiting, if need be), or a sentence to refuse it."""


class Bind(Plugin):
    @abstractmethod
    async def bind(self, pod: PodInfo, node: str) -> bool:
        """Write the binding; False leaves it to the next plugin. Raises `api.errors.StatusError` or `Unreachable`."""


P = TypeVar("P", bound=Plugin)


@dataclass(frozen=True)
class Profile:
    """The plugins of one schedulerName, by extension point."""

    name: str
    queue_sort: QueueSort
    pre_filters: tuple[PreFilter, ...] = ()
    filters: tuple[Filter, ...] = ()
    post_filters: tuple[PostFilter, ...] = ()
    scores: tuple[Score, ...] = ()
    reserves: tuple[Reserve, ...] = ()
    permits: tuple[Permit, ...] = ()
    binds: tuple[Bind, ...] = field(default=())

    @staticmethod
    def of(name: str, plugins: Iterable[Plugin]) -> Profile:
        """Raises ValueError unless exactly one plugin sorts the queue."""
        plugins = tuple(plugins)

        def having(kind: type[P]) -> tuple[P, ...]:
            return tuple(plugin for plugin in plugins if isinstance(plugin, kind))

        sorters = having(QueueSort)  # type: ignore[type-abstract]
        if len(sorters) != 1:
            raise ValueError(f"profile {name!r} has {len(sorters)} plugins that sort the queue, and needs one")
        return Profile(
            name=name,
            queue_sort=sorters[0],
            pre_filters=having(PreFilter),  # type: ignore[type-abstract]
            filters=having(Filter),  # type: ignore[type-abstract]
            post_filters=having(PostFilter),  # type: ignore[type-abstract]
            scores=having(Score),  # type: ignore[type-abstract]
            reserves=having(Reserve),  # type: ignore[type-abstract]
            permits=having(Permit),  # type: ignore[type-abstract]
            binds=having(Bind),  # type: ignore[type-abstract]
        )
