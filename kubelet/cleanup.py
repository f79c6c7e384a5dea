"""`--cleanup`: takes away everything that this node's kubelet made on the machine, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from daemon.log import logger
from kubelet.cgroups.tree import Tree
from kubelet.network import conf, host_ports, pod_range, routes
from kubelet.network.cni import Cni, CniError
from kubelet.node.machine import host_name
from kubelet.options import Options
from kubelet.pod.resources import GUARANTEED, tier_parent
from kubelet.runtime.container import from_summary
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError
from kubelet.volumes import mount
from kubelet.volumes.folders import PodFolder
from kubelet.volumes.tree import remove

log = logger(__name__)


async def clean_up(options: Options) -> None:
    """Containers, CNI's allocations, the bridge, mounts, cgroups, routes, folders. What can't be removed is logged."""
    node = options.node_name or host_name()
    cache = options.cni_cache_dir or options.root_dir / "cni"
    cni = Cni(options.cni_conf_dir, options.cni_bin_dir, cache, options.pod_cidr)
    await _containers(options, node, cni)
    for network_id in cni.known():
        await _free(cni, network_id, "")
    await _links_and_routes()
    await asyncio.to_thread(_folders, options.root_dir, cache)
    pod_range.forget(options.root_dir)
    await asyncio.to_thread(_cgroups, options.cgroup_root)
    log.info("cleaned up", node=node)


async def _containers(options: Options, node: str, cni: Cni) -> None:
    engine = Engine(options.docker_host)
    try:
        await engine.connect()
        listed = await engine.containers(node)
        for each in listed:
            record = from_summary(each)
            if record.is_sandbox:
                await _free(cni, record.network_id, await _netns(engine, each["Id"]))
        await asyncio.gather(*(engine.remove(each["Id"]) for each in listed))
        log.info("containers removed", count=len(listed))
    except EngineError as error:
        log.warning("Docker's containers stay", error=str(error))
    finally:
        engine.close()


async def _netns(engine: Engine, container_id: str) -> str:
    try:
        pid = (await engine.inspect(container_id))["State"]["Pid"]
    except EngineError:
        return ""
    return f"/proc/{pid}/ns/net" if pid else ""


async def _free(cni: Cni, sandbox_id: str, netns: str) -> None:
    try:
        await cni.delete(sandbox_id, netns)
    except CniError as error:
        log.warning("a sandbox's network stays", sandbox=sandbox_id[:12], error=str(error))


async def _links_and_routes() -> None:
    try:
        await routes.apply({})
        await routes.delete_link(conf.BRIDGE)
        await host_ports.remove_chains()
    except (routes.RouteError, host_ports.TableError, OSError, ValueError) as error:
        log.warning("a link, route or chain stays", error=str(error))


def _folders(root: Path, cache: Path) -> None:
    pods = root / "pods"
    try:
        for each in pods.iterdir() if pods.is_dir() else ():
            PodFolder(root, each.name).remove()
        for point in mount.mounts_below(root / "netns"):
            mount.unmount(point)
        for folder in (pods, root / "netns", cache):
            remove(folder)
    except OSError as error:
        # Whatever is still mounted there keeps its content.
        log.error("a mount stays, and so does its folder", error=str(error))


def _cgroups(root: str) -> None:
    for driver in ("systemd", "cgroupfs"):
        tree = Tree.of(driver)
        tree.remove(tree.path(tier_parent(root, GUARANTEED, driver)))
