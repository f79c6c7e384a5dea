"""A cluster reduced to what a rollout is about: one Deployment, its ReplicaSets, their pods.

The real decisions of both controllers act on it, one at a time and in any order, each seeing statuses as old as they
may be in a real cluster. Pods become ready when the test says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from api.types import apps_v1, core_v1
from controllers.deployment import limits, rollout, status
from controllers.deployment.view import View, size
from controllers.replicaset import decide as pods_decide
from controllers.replicaset.status import status as set_status
from tests.unit.controllers import make


@dataclass
class Replica:
    pod: core_v1.Pod
    owner: str

    @property
    def ready(self) -> bool:
        assert self.pod.status is not None
        assert self.pod.status.conditions is not None
        return self.pod.status.conditions[0].status == "True"


@dataclass(repr=False)
class World:
    deployment: apps_v1.Deployment
    sets: dict[str, apps_v1.ReplicaSet] = field(default_factory=dict)
    pods: list[Replica] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __repr__(self) -> str:
        sets = ", ".join(f"{name}: {size(each)} asked, {len(self.of(name))} there" for name, each in self.sets.items())
        return f"<{self.least} to {self.most} pods wanted; {sets}; {self.available} available>"

    # -- what the invariants are about

    @property
    def total(self) -> int:
        return len(self.pods)

    @property
    def available(self) -> int:
        return sum(each.ready for each in self.pods)

    @property
    def staying(self) -> int:
        """The available pods, but for those that became ready when it had been decided that they go."""
        return sum(min(sum(each.ready for each in self.of(name)), size(item)) for name, item in self.sets.items())

    @property
    def most(self) -> int:
        return limits.replicas(self.deployment) + limits.max_surge(self.deployment)

    @property
    def least(self) -> int:
        return limits.replicas(self.deployment) - limits.max_unavailable(self.deployment)

    def of(self, name: str) -> list[Replica]:
        return [each for each in self.pods if each.owner == name]

    # -- the world as a user or a kubelet changes it

    def add_set(self, image: str, replicas: int, ready: int = 0, unready: int = 0, **annotations: str) -> None:
        name = f"web-{image.rpartition(':')[2]}"
        marks = {f"deployment.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
        age = 1000.0 - len(self.sets)
        made = make.replica_set(name, replicas=replicas, image=image, owner=self.deployment, age=age, annotations=marks)
        self.sets[name] = made
        for index in range(ready + unready):
            self._add_pod(name, ready=index < ready)
        self.observe(name)

    def change(self, **spec: Any) -> None:
        """What a user changes in the Deployment's spec."""
        assert self.deployment.spec is not None
        self.deployment = msgspec.structs.replace(
            self.deployment, spec=msgspec.structs.replace(self.deployment.spec, **spec)
        )

    def set_image(self, image: str) -> None:
        self.change(template=make.template(image))

    def become_ready(self, index: int = 0) -> bool:
        """A pod that was not ready is, and its ReplicaSet has noted it: nobody can spare what nobody knows of."""
        waiting = [each for each in self.pods if not each.ready]
        if not waiting:
            return False
        each = waiting[index % len(waiting)]
        self._set_ready(each, ready=True)
        self.observe(each.owner)
        return True

    def fail(self, index: int) -> None:
        """A pod is ready no more, and its ReplicaSet has noted it."""
        running = [each for each in self.pods if each.ready]
        if running:
            each = running[index % len(running)]
            self._set_ready(each, ready=False)
            self.observe(each.owner)

    # -- one step of one controller

    def roll(self) -> bool:
        """The Deployment controller; returns whether it did anything."""
        view = View.of(self.deployment, self.sets.values(), bool(self._old_pods()))
        actions = rollout.decide(view)
        made: str | None = None
        for action in actions:
            made = self._apply(action) or made
        new = status.status(view, make.NOW, made)
        self.deployment = msgspec.structs.replace(self.deployment, status=new)
        return bool(actions)

    def fill(self, name: str) -> bool:
        """The ReplicaSet controller; returns whether it did anything."""
        current, mine = self.sets[name], self.of(name)
        action = pods_decide.decide(current, [each.pod for each in mine], [each.pod for each in self.pods], make.NOW)
        before = self.observe(name)
        match action:
            case pods_decide.Create(count):
                for _ in range(count):
                    self._add_pod(name, ready=False)
            case pods_decide.Delete(gone):
                uids = {each.metadata.uid for each in gone if each.metadata is not None}
                self.pods = [each for each in self.pods if _uid(each) not in uids]
            case None:
                return before
        return True

    def observe(self, name: str) -> bool:
        """The ReplicaSet controller writes the status of what it sees."""
        current = self.sets[name]
        new = set_status(current, [each.pod for each in self.of(name)], None, make.NOW)
        self.sets[name] = msgspec.structs.replace(current, status=new)
        return new != current.status

    # -- the rest

    def _old_pods(self) -> list[Replica]:
        current = View.of(self.deployment, self.sets.values()).current
        name = current.metadata.name if current is not None and current.metadata is not None else ""
        return [each for each in self.pods if each.owner != name]

    def _apply(self, action: rollout.Action) -> str | None:
        match action:
            case rollout.Create(new):
                assert new.metadata is not None
                assert self.deployment.spec is not None
                image = self.deployment.spec.template.spec.containers[0].image or ""  # type: ignore[union-attr]
                name = f"web-{image.rpartition(':')[2]}"
                metadata = make.meta(name, age=1000.0 - len(self.sets), labels=new.metadata.labels)
                metadata = msgspec.structs.replace(
                    metadata, annotations=new.metadata.annotations, ownerReferences=make.controlled_by(self.deployment)
                )
                self.sets[name] = msgspec.structs.replace(new, metadata=metadata, status=None)
                self.log.append(f"create {name} with {size(new)}")
                return name
            case rollout.Change(target, replicas, annotations):
                self._change(target, replicas, annotations)
            case rollout.Remove(target):
                assert target.metadata is not None
                del self.sets[target.metadata.name or ""]
                self.log.append(f"remove {target.metadata.name}")
        return None

    def _change(self, target: apps_v1.ReplicaSet, replicas: int, annotations: dict[str, str]) -> None:
        assert target.metadata is not None
        assert target.spec is not None
        name, generation = target.metadata.name or "", target.metadata.generation or 0
        if replicas != size(target):
            generation += 1
            self.log.append(f"scale {name} {size(target)} → {replicas}")
        self.sets[name] = msgspec.structs.replace(
            self.sets[name],
            metadata=msgspec.structs.replace(
                target.metadata,
                generation=generation,
                annotations={**(target.metadata.annotations or {}), **annotations},
            ),
            spec=msgspec.structs.replace(target.spec, replicas=replicas),
        )

    def _add_pod(self, owner: str, *, ready: bool) -> None:
        name = f"{owner}-{next(self._numbers)}"
        self.pods.append(Replica(make.pod(name, ready=ready, owner=self.sets[owner]), owner))

    def _set_ready(self, each: Replica, *, ready: bool) -> None:
        assert each.pod.metadata is not None
        changed = make.pod(each.pod.metadata.name or "", ready=ready, owner=self.sets[each.owner])
        each.pod = msgspec.structs.replace(changed, metadata=each.pod.metadata)


def _uid(each: Replica) -> str | None:
    return each.pod.metadata.uid if each.pod.metadata else None
