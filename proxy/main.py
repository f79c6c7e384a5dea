"""`pytheas-proxy`: one per node; see `proxy/__init__.py` for how it is made."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from client import kubeconfig
from client.informer import Informer
from client.rest import Client
from daemon import health
from daemon.duration import Duration
from daemon.fatal import Fatal
from daemon.log import logger, setup
from daemon.options import Common, option, parse
from daemon.run import freeze
from daemon.run import main as run_daemon
from proxy import objects
from proxy.applier import Applier
from proxy.iptables import Iptables, IptablesError, backends_in_use, detect
from proxy.model import HEADLESS_LABEL, OTHER_PROXY_LABEL, NodeView, slice_service_key
from proxy.syncer import BY_SERVICE, Periods, Syncer
from proxy.sysctl import Sysctls

log = logger(__name__)


@dataclass(frozen=True)
class Options(Common):
    kubeconfig: str = option("", help="how to reach the API server; kubectl's rules when not given")
    node_name: str = option("", help="the node this proxy runs on: its endpoints are the local ones")
    node_ip: str = option("", help="the node's address, to recognise flows to its node ports")
    cluster_cidr: str = option(
        "10.244.0.0/16", help="all pods' addresses: sources outside are masqueraded, and so are pods that leave it"
    )
    health_bind: str = option("127.0.0.1:10256", help="where /healthz, /readyz and /metrics are served")
    iptables: str = option("auto", help="which kernel interface to use", choices=("auto", "nft", "legacy"))
    audit_period: Duration = option(Duration(30), help="how often to look whether our rules are still in place")
    sync_period: Duration = option(Duration(3600), help="how often to write all rules, changed or not")
    state_dir: Path = option(Path("/run/pytheas"), help="where the kernel settings of before are kept")
    cleanup: bool = option(False, help="remove all rules and settings that a proxy made here, and exit")


async def clean_up(sysctls: Sysctls) -> None:
    """Remove our chains from both backends, whichever was in use, and put the kernel settings back."""
    for iptables in await backends_in_use():
        for kept in sorted(await Applier(iptables).remove_all()):
            log.warning("somebody else's rules lead to this chain: left in place, empty", chain=kept)
    sysctls.restore()


async def choose_backend(wanted: str) -> Iptables:
    """Find the backend, and take rules of an earlier proxy out of the other one. Raises Fatal."""
    try:
        chosen = await detect() if wanted == "auto" else Iptables("legacy" if wanted == "legacy" else "nft")
        for other in await backends_in_use():
            if other.backend != chosen.backend:
                await Applier(other).remove_all()
    except IptablesError as error:
        raise Fatal(str(error)) from error
    return chosen


def _slice_index(piece: objects.EndpointSlice) -> Iterable[str]:
    return (slice_service_key(piece),)


async def serve(options: Options) -> None:
    sysctls = Sysctls(options.state_dir / "proxy-sysctls.json")
    if options.cleanup:
        await clean_up(sysctls)
        return
    for problem in sysctls.ensure():
        log.error("a kernel setting is missing", problem=problem)
    if shutil.which("conntrack") is None:
        log.warning("conntrack is not installed: UDP flows to endpoints that left end only by time")
    iptables = await choose_backend(options.iptables)
    node = NodeView(options.node_name, options.cluster_cidr, options.node_ip)
    log.info("starting", node=node.name, cluster_cidr=node.cluster_cidr, iptables=iptables.backend)
    async with Client(kubeconfig.load(options.kubeconfig or None), user_agent="pytheas-proxy") as client:
        await _run(client, node, iptables, options)


async def _run(client: Client, node: NodeView, iptables: Iptables, options: Options) -> None:
    services = Informer(client, objects.Service, labels=f"!{OTHER_PROXY_LABEL}")
    slices = Informer(
        client,
        objects.EndpointSlice,
        labels=f"!{HEADLESS_LABEL},!{OTHER_PROXY_LABEL}",
        indexers={BY_SERVICE: _slice_index},
    )
    periods = Periods(audit=float(options.audit_period), whole=float(options.sync_period))
    syncer = Syncer(services, slices, node, Applier(iptables), periods)
    host, port = health.split_bind(options.health_bind)
    async with (
        health.serve(host, port, {"rules": syncer.trouble}, ready={"first-rules": syncer.unready}),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(services.run())
        group.create_task(slices.run())
        group.create_task(syncer.run())
        freeze()


def main() -> None:
    options = parse(Options, prog="pytheas-proxy", description="Makes a node's kernel answer for the Services.")
    setup(options.log_level)
    sys.exit(run_daemon(lambda: serve(options)))


if __name__ == "__main__":
    main()
