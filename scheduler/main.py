"""`pytheas-scheduler`: flags, health, leader election around the scheduler."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from client import kubeconfig
from client.leader import LeaderElector, identity
from client.rest import Client
from daemon import health, log, run
from daemon.duration import Duration
from daemon.options import Common, option, parse
from scheduler.scheduler import Scheduler


@dataclass(frozen=True)
class Options(Common):
    kubeconfig: Path | None = option(None, help="where the API server is and who we are there (default: as kubectl)")
    leader_elect: bool = option(True, help="work only while holding the Lease kube-system/kube-scheduler")
    lease_duration: Duration = option(Duration(15), help="after so long without renewal another may take the Lease")
    renew_deadline: Duration = option(Duration(10), help="a leader that could not renew for so long stops")
    retry_period: Duration = option(Duration(2), help="how often the Lease is renewed, or asked for")
    health_bind: str = option("127.0.0.1:10259", help="where /healthz, /readyz and /metrics are served")
    scheduler_name: str = option("default-scheduler", help="schedule the pods that name this scheduler")


async def serve(options: Options) -> None:
    host, port = health.split_bind(options.health_bind)
    config = kubeconfig.load(options.kubeconfig)
    async with Client(config, user_agent="pytheas-scheduler") as client:
        scheduler = Scheduler(client, options.scheduler_name)
        ready = {"nodes": scheduler.nodes.trouble, "pods": scheduler.pods.trouble}
        async with health.serve(host, port, {"ping": lambda: None}, ready=ready) as bound, asyncio.TaskGroup() as group:
            group.create_task(scheduler.watch(), name="watch")
            group.create_task(_freeze_when_synced(scheduler), name="freeze")
            try:
                await _lead(options, client, scheduler, bound)
            finally:
                await scheduler.events.close()


async def _lead(options: Options, client: Client, scheduler: Scheduler, port: int) -> None:
    if not options.leader_elect:
        await scheduler.run()
        return
    name = "kube-scheduler" if options.scheduler_name == "default-scheduler" else options.scheduler_name
    times = (options.lease_duration, options.renew_deadline, options.retry_period)
    await LeaderElector(client, name, identity(port), *times).run(scheduler.run)


async def _freeze_when_synced(scheduler: Scheduler) -> None:
    await scheduler.nodes.synced()
    await scheduler.pods.synced()
    run.freeze()


def main() -> None:
    options = parse(Options, "pytheas-scheduler", "Gives every pod that has none the best node it fits on.")
    log.setup(options.log_level)
    sys.exit(run.main(lambda: serve(options)))


if __name__ == "__main__":
    main()
