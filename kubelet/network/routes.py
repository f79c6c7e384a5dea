"""Routes to the other nodes' pods, through the nodes themselves (host gateway).

They carry a protocol number of our own, 80, by which they are told from everybody else's and found again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Iterable, Mapping

from api.types import core_v1
from daemon.log import logger

log = logger(__name__)

PROTOCOL = "80"
_DEADLINE = 10.0


class RouteError(Exception):
    """The kernel (or `ip`) refused."""


def wanted(nodes: Iterable[core_v1.Node], own_name: str) -> dict[str, str]:
    """Pod range → the node's address, for every other node that has both."""
    routes = {}
    for node in nodes:
        metadata, spec, status = node.metadata, node.spec, node.status
        if metadata is None or metadata.name == own_name or spec is None or not spec.podCIDR:
            continue
        addresses = [each.address for each in (status.addresses or ()) if each.type == "InternalIP"] if status else []
        if addresses:
            routes[spec.podCIDR] = addresses[0]
    return routes


def changes(have: Mapping[str, str], want: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """(routes to set, ranges whose route goes)."""
    put = {cidr: via for cidr, via in want.items() if have.get(cidr) != via}
    return put, [cidr for cidr in have if cidr not in want]


async def present() -> dict[str, str]:
    """Our routes in the kernel."""
    listed = json.loads(await _ip("-j", "route", "show", "proto", PROTOCOL) or "[]")
    return {each["dst"]: each.get("gateway", "") for each in listed}


async def apply(want: Mapping[str, str]) -> None:
    """Make the kernel's routes of ours just these. A route that can't be set is logged, and tried again next time."""
    put, drop = changes(await present(), want)
    for cidr, via in put.items():
        try:
            await _ip("route", "replace", str(ipaddress.ip_network(cidr)), "via", via, "proto", PROTOCOL)
            log.info("route set", pods=cidr, via=via)
        except (RouteError, ValueError) as error:
            log.warning("no route to another node's pods", pods=cidr, via=via, error=str(error))
    for cidr in drop:
        await _ip("route", "del", cidr, "proto", PROTOCOL)
        log.info("route removed", pods=cidr)


async def delete_link(name: str) -> None:
    """Remove a link, if it is there (asked of the kernel: /sys may show another namespace's). Raises RouteError."""
    links = json.loads(await _ip("-j", "link", "show") or "[]")
    if any(each.get("ifname") == name for each in links):
        await _ip("link", "del", name)


async def _ip(*argv: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "ip", *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), _DEADLINE)
    if process.returncode:
        raise RouteError(err.decode(errors="replace").strip())
    return out.decode()
