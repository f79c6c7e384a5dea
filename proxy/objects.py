"""Services and EndpointSlices, as no more than what the proxy reads of them.

The same names and types as lightkube-models' structs. Leaving the rest out halves what a large cluster's endpoints
take in memory, and not loading the module with all core kinds spares every node 6 MB.
"""

from __future__ import annotations

import msgspec

from api.types import meta_v1
from client.resources import Resource, register


class ServicePort(msgspec.Struct):
    port: int
    name: str | None = None
    protocol: str | None = None
    nodePort: int | None = None


class ClientIPConfig(msgspec.Struct):
    timeoutSeconds: int | None = None


class SessionAffinityConfig(msgspec.Struct):
    clientIP: ClientIPConfig | None = None


class ServiceSpec(msgspec.Struct):
    type: str | None = None
    clusterIP: str | None = None
    clusterIPs: list[str] | None = None
    externalIPs: list[str] | None = None
    loadBalancerSourceRanges: list[str] | None = None
    ports: list[ServicePort] | None = None
    sessionAffinity: str | None = None
    sessionAffinityConfig: SessionAffinityConfig | None = None
    internalTrafficPolicy: str | None = None
    externalTrafficPolicy: str | None = None


class LoadBalancerIngress(msgspec.Struct):
    ip: str | None = None
    ipMode: str | None = None


class LoadBalancerStatus(msgspec.Struct):
    ingress: list[LoadBalancerIngress] | None = None


class ServiceStatus(msgspec.Struct):
    loadBalancer: LoadBalancerStatus | None = None


class Service(msgspec.Struct):
    apiVersion: str | None = None
    kind: str | None = None
    metadata: meta_v1.ObjectMeta | None = None
    spec: ServiceSpec | None = None
    status: ServiceStatus | None = None


class EndpointConditions(msgspec.Struct):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Endpoint(msgspec.Struct):
    addresses: list[str]
    conditions: EndpointConditions | None = None
    nodeName: str | None = None


class EndpointPort(msgspec.Struct):
    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class EndpointSlice(msgspec.Struct):
    addressType: str
    apiVersion: str | None = None
    kind: str | None = None
    metadata: meta_v1.ObjectMeta | None = None
    endpoints: list[Endpoint] | None = None
    ports: list[EndpointPort] | None = None


register(Service, Resource("", "v1", "Service", "services"))
register(EndpointSlice, Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"))
