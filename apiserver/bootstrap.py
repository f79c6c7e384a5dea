"""What every cluster has from the start: its own namespaces, and the Service under which pods reach the API server.

Each API server says in etcd that it lives (a key with a lease); the endpoints of that Service are those that do. So the
servers need not know of each other, and one that died is left out after a while.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

import orjson

from api.errors import AlreadyExists, Conflict, NotFound, StatusError
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.write import Author, Update, create
from apiserver.registry.kind import Object
from apiserver.registry.priorityclass import SYSTEM
from apiserver.storage import keys
from apiserver.storage.etcd import EtcdError, prefix_end, put
from daemon.log import logger

log = logger(__name__)

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
PERIOD = 10.0
LIFETIME = 30
_NAME = "kubernetes"


async def keep_basics(state: State, host: str, port: int) -> None:
    """Make what is missing, and keep the endpoints right until cancelled. `host` is the address others reach."""
    await state.feed.filled.wait()
    while True:
        try:
            await _make_namespaces(state)
            await _make_priority_classes(state)
            await _make_service_range(state)
            await _make_service(state, port)
            if reachable(host):
                await _announce(state, host, port)
        except (EtcdError, StatusError) as error:
            log.warning("could not keep the cluster's basics; trying again", why=str(error), retry_in=PERIOD)
        await asyncio.sleep(PERIOD)


def basics_there(state: State) -> str | None:
    """For the readiness page."""
    missing = [name for name in NAMESPACES if name not in state.resource("namespaces").cache.entries]
    if missing:
        return f"namespaces are missing yet: {', '.join(missing)}"
    there = f"default/{_NAME}" in state.resource("services").cache.entries
    return None if there else "the Service default/kubernetes is missing yet"


def reachable(host: str) -> bool:
    """Whether pods can reach the address: an endpoint must not be the loopback."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_link_local)


async def _make_namespaces(state: State) -> None:
    resource = state.resource("namespaces")
    for name in NAMESPACES:
        if name not in resource.cache.entries:
            await _create(state, resource, "", {"metadata": {"name": name}})


async def _make_priority_classes(state: State) -> None:
    """The classes of the system's own pods."""
    resource = state.resource("priorityclasses", "scheduling.k8s.io")
    for name, (value, description) in SYSTEM.items():
        if name not in resource.cache.entries:
            obj = {"metadata": {"name": name}, "value": value, "description": description}
            await _create(state, resource, "", obj)


async def _make_service_range(state: State) -> None:
    """Where services get their addresses from, for clients that ask; the flag is what counts."""
    resource = state.resource("servicecidrs", "networking.k8s.io")
    if _NAME not in resource.cache.entries:
        networks = str(state.settings["service_cluster_ip_range"]).split(",")
        spec = {"cidrs": [str(ipaddress.ip_network(each.strip())) for each in networks]}
        await _create(state, resource, "", {"metadata": {"name": _NAME}, "spec": spec})


async def _make_service(state: State, port: int) -> None:
    resource = state.resource("services")
    if f"default/{_NAME}" in resource.cache.entries:
        return
    networks = str(state.settings["service_cluster_ip_range"]).split(",")
    address = str(ipaddress.ip_network(networks[0].strip())[1])
    service = {
        "metadata": {"name": _NAME, "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": address,
            "clusterIPs": [address],
            "ipFamilyPolicy": "SingleStack",
            "sessionAffinity": "None",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
        },
    }
    await _create(state, resource, "default", service)


async def _announce(state: State, host: str, port: int) -> None:
    """Say that this server lives, and list all that do."""
    lease = await state.etcd.grant(LIFETIME)
    me = orjson.dumps([host, port])
    await state.etcd.txn([], [put(keys.SERVERS + f"{host}:{port}".encode(), me, lease)])
    answer = await state.etcd.range(keys.SERVERS, prefix_end(keys.SERVERS))
    servers: list[list[Any]] = sorted(orjson.loads(item.value) for item in answer.kvs)
    await _set(state, state.resource("endpoints"), endpoints(servers))
    await _set(state, state.resource("endpointslices", "discovery.k8s.io"), endpoint_slice(servers))


def endpoints(servers: list[list[Any]]) -> Object:
    """The Endpoints of the servers, each a pair of address and port."""
    ports = sorted({port for _, port in servers})
    subsets = [
        {
            "addresses": [{"ip": host} for host, its_port in servers if its_port == port],
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
        }
        for port in ports
    ]
    labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    return {"metadata": {"name": _NAME, "labels": labels}, "subsets": subsets}


def endpoint_slice(servers: list[list[Any]]) -> Object:
    """The same as an EndpointSlice; a slice has one set of ports, so all servers are expected to use the same."""
    port = servers[0][1] if servers else 443
    family = "IPv6" if servers and ":" in servers[0][0] else "IPv4"
    return {
        "metadata": {"name": _NAME, "labels": {"kubernetes.io/service-name": _NAME}},
        "addressType": family,
        "endpoints": [{"addresses": [host], "conditions": {"ready": True}} for host, its in servers if its == port],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }


async def _set(state: State, resource: Resource, wanted: Object) -> None:
    """Bring an object of ours to what is wanted, if it is not so already."""

    def transform(old: Object) -> Object:
        new: Object = orjson.loads(orjson.dumps({**wanted, "metadata": old["metadata"]}))
        new["metadata"]["labels"] = dict(wanted["metadata"]["labels"])
        return new

    try:
        await Update(state, resource, "default", _NAME, Author.server(), transform, retry=True).run()
    except NotFound:
        await _create(state, resource, "default", wanted)
    except Conflict:
        log.debug("another server was faster", resource=resource.kind.plural)


async def _create(state: State, resource: Resource, namespace: str, obj: Object) -> None:
    try:
        await create(state, resource, namespace, obj, Author.server())
    except AlreadyExists:
        log.debug("another server was faster", resource=resource.kind.plural)
