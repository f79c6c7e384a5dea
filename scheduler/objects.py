"""Pods and nodes with only the fields that the scheduler reads.

It keeps a copy of every pod and node of the cluster and decodes each of their changes; these structs take half the time
and memory of the whole ones. A field that a plugin needs is added here first.
"""

from __future__ import annotations

import msgspec

from api.types import core_v1, meta_v1
from client.resources import Resource, register


class _Part(msgspec.Struct, omit_defaults=True):
    pass


class Resources(_Part):
    requests: dict[str, str] | None = None


class Port(_Part):
    containerPort: int = 0
    hostIP: str | None = None
    hostPort: int | None = None
    protocol: str | None = None


class Container(_Part):
    name: str = ""
    ports: list[Port] | None = None
    resources: Resources | None = None
    restartPolicy: str | None = None


class Affinity(_Part):
    nodeAffinity: core_v1.NodeAffinity | None = None


class Gate(_Part):
    name: str = ""


class ClaimName(_Part):
    claimName: str = ""


class Volume(_Part):
    name: str = ""
    persistentVolumeClaim: ClaimName | None = None
    ephemeral: _Part | None = None


class PodSpec(_Part):
    containers: list[Container] = []
    initContainers: list[Container] | None = None
    affinity: Affinity | None = None
    hostNetwork: bool | None = None
    nodeName: str | None = None
    nodeSelector: dict[str, str] | None = None
    overhead: dict[str, str] | None = None
    preemptionPolicy: str | None = None
    priority: int | None = None
    resources: Resources | None = None
    schedulerName: str | None = None
    schedulingGates: list[Gate] | None = None
    tolerations: list[core_v1.Toleration] | None = None
    volumes: list[Volume] | None = None


class ContainerStatus(_Part):
    name: str = ""
    allocatedResources: dict[str, str] | None = None
    resources: Resources | None = None


class PodStatus(_Part):
    phase: str | None = None
    containerStatuses: list[ContainerStatus] | None = None
    initContainerStatuses: list[ContainerStatus] | None = None
    conditions: list[core_v1.PodCondition] | None = None


class Pod(_Part):
    apiVersion: str | None = None
    kind: str | None = None
    metadata: meta_v1.ObjectMeta | None = None
    spec: PodSpec | None = None
    status: PodStatus | None = None


class NodeSpec(_Part):
    taints: list[core_v1.Taint] | None = None
    unschedulable: bool | None = None


class NodeStatus(_Part):
    allocatable: dict[str, str] | None = None
    capacity: dict[str, str] | None = None


class Node(_Part):
    apiVersion: str | None = None
    kind: str | None = None
    metadata: meta_v1.ObjectMeta | None = None
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


register(Pod, Resource("", "v1", "Pod", "pods"))
register(Node, Resource("", "v1", "Node", "nodes", namespaced=False))
