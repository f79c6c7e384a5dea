"""A Service's backends, worked out from its pods: addresses, ports and conditions. What both forms are built from."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from api.types import core_v1
from controllers import objects, pods

SERVICE_NAME = "kubernetes.io/service-name"
HEADLESS = "service.kubernetes.io/headless"
LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"

IPV4, IPV6 = "IPv4", "IPv6"


@dataclass(frozen=True, order=True)
class Port:
    """A port of a backend: the Service's name for it, the pod's number."""

    name: str
    protocol: str
    number: int
    app_protocol: str = ""


Ports = tuple[Port, ...]


@dataclass(frozen=True)
class Backend:
    """One pod's address of one family."""

    address: str
    ports: Ports
    ready: bool
    serving: bool
    terminating: bool
    node: str
    hostname: str
    pod: str
    namespace: str
    uid: str


def is_selecting(service: core_v1.Service) -> bool:
    """Whether its backends are pods of ours to find: not without a selector, not a mere DNS alias."""
    spec = service.spec
    return spec is not None and bool(spec.selector) and spec.type != "ExternalName"


def is_headless(service: core_v1.Service) -> bool:
    return service.spec is not None and service.spec.clusterIP == "None"


def families(service: core_v1.Service) -> tuple[str, ...]:
    spec = service.spec
    if spec is not None and spec.ipFamilies:
        return tuple(spec.ipFamilies)
    address = (spec.clusterIP if spec else None) or ""
    return (IPV6,) if ":" in address else (IPV4,)


def publishes_unready(service: core_v1.Service) -> bool:
    return bool(service.spec and service.spec.publishNotReadyAddresses)


def backends(service: core_v1.Service, candidates: Iterable[core_v1.Pod], family: str) -> Iterator[Backend]:
    """The pods (they match the selector already) that have an address of this family and have not ended."""
    unready_too = publishes_unready(service)
    for pod in candidates:
        address = address_of(pod, family)
        if not address or pods.is_terminal(pod):
            continue
        ports = ports_of(service, pod)
        if not ports and service.spec and service.spec.ports:
            continue  # none of the Service's named ports exists in this pod
        serving, terminating = pods.is_ready(pod), objects.deleting(pod)
        yield Backend(
            address=address,
            ports=ports,
            ready=unready_too or (serving and not terminating),
            serving=serving,
            terminating=terminating,
            node=pods.node_name(pod),
            hostname=hostname_of(service, pod),
            pod=objects.name(pod),
            namespace=objects.namespace(pod),
            uid=objects.uid(pod),
        )


@lru_cache(maxsize=8192)
def family_of(address: str) -> str:
    """IPv4, IPv6, or nothing for what is no address."""
    try:
        return IPV6 if ipaddress.ip_address(address).version == 6 else IPV4
    except ValueError:
        return ""


def address_of(pod: core_v1.Pod, family: str) -> str:
    status = pod.status
    if status is None:
        return ""
    listed: list[str | None] = [item.ip for item in status.podIPs or ()]
    listed.append(status.podIP)
    return next((address for address in listed if address and family_of(address) == family), "")


def ports_of(service: core_v1.Service, pod: core_v1.Pod) -> Ports:
    found = []
    for port in (service.spec.ports if service.spec else None) or ():
        protocol = port.protocol or "TCP"
        number = target_port(port, pod, protocol)
        if number:
            found.append(Port(port.name or "", protocol, number, port.appProtocol or ""))
    return tuple(sorted(found))


def target_port(port: core_v1.ServicePort, pod: core_v1.Pod, protocol: str) -> int:
    """The number of the pod's port that this port of a Service means; 0 if the pod has none of that name."""
    target = port.targetPort
    if target is None or target in (0, ""):
        return port.port
    if isinstance(target, int):
        return target
    spec = pod.spec
    for container in [*(spec.containers or ()), *_sidecars(spec)] if spec else ():
        for offered in container.ports or ():
            if offered.name == target and (offered.protocol or "TCP") == protocol:
                return int(offered.containerPort)
    return 0


def _sidecars(spec: core_v1.PodSpec) -> Iterator[core_v1.Container]:
    return (container for container in spec.initContainers or () if container.restartPolicy == "Always")


def hostname_of(service: core_v1.Service, pod: core_v1.Pod) -> str:
    """The pod's own name below the Service's, when it asked for one."""
    spec = pod.spec
    if spec is None or not spec.hostname or spec.subdomain != objects.name(service):
        return ""
    return spec.hostname


def facts(pod: core_v1.Pod) -> tuple[object, ...]:
    """All of a pod that its Services' backends depend on."""
    status, spec = pod.status, pod.spec
    return (
        (status.podIP, status.podIPs) if status else None,
        pods.is_ready(pod),
        pods.is_terminal(pod),
        objects.deleting(pod),
        (spec.nodeName, spec.hostname, spec.subdomain) if spec else None,
    )
