"""pytheas-controllers: the process that runs the control loops."""

from __future__ import annotations

import sys

from client import kubeconfig
from client.leader import LeaderElector, identity
from client.rest import Client
from controllers.manager import CONTROLLERS, Manager
from controllers.options import Options
from daemon import health, log, run
from daemon.options import parse

LEASE = "kube-controller-manager"


async def serve(options: Options) -> None:
    host, port = health.split_bind(options.health_bind)
    async with Client(kubeconfig.load(options.kubeconfig), user_agent="pytheas-controllers") as client:
        manager = Manager(client, options)
        async with health.serve(host, port, {"ping": lambda: None}, ready={"informers": manager.trouble}) as bound:
            if not options.leader_elect:
                await manager.run()
                return
            times = (options.lease_duration, options.renew_deadline, options.retry_period)
            await LeaderElector(client, LEASE, identity(bound), *times).run(manager.run)


def main() -> None:
    options = parse(Options, prog="pytheas-controllers", description="Run Pytheas' controllers: " + _names())
    log.setup(options.log_level)
    sys.exit(run.main(lambda: serve(options)))


def _names() -> str:
    return ", ".join(sorted(controller.name for controller in CONTROLLERS)) + "."


if __name__ == "__main__":
    main()
