"""`pytheas down`: stop everything and take back what was done to the machine. State stays, unless purged."""

from __future__ import annotations

import shutil
import subprocess

from cluster import systemd
from cluster.daemons import Daemon, Machine, node
from cluster.layout import Layout, Network, Ports
from cluster.machine import here
from cluster.supervisord import Supervisord
from cluster.systemd import Systemd
from cluster.terminal import Failed, step


def down(layout: Layout, network: Network, ports: Ports, *, purge: bool = False) -> None:
    """Stop the cluster on this machine.

    Raises:
        Failed: a step could not be done.
    """
    supervisor = Systemd() if systemd.present() else Supervisord(layout)
    machine: Machine = here()
    for daemon in reversed(node(layout, network, ports, machine)):
        if not daemon.config_file(layout).exists():
            continue
        with step(f"stop {daemon.name} and undo what it did to this machine"):
            supervisor.stop(daemon.name)
            _clean_up(layout, daemon)
    with step("stop the other daemons"):
        supervisor.shut_down()
    if purge:
        with step("remove state, certificates and logs"):
            for folder in (layout.state, layout.etc, layout.log, layout.run):
                shutil.rmtree(folder, ignore_errors=True)


def _clean_up(layout: Layout, daemon: Daemon) -> None:
    argv = [*daemon.argv(layout), "--cleanup"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise Failed(f"{' '.join(argv)}: {done.stderr.strip()}")
