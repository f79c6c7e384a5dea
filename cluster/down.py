"""`pytheas down`: stop everything and take back what was done to the machine. State stays, unless purged."""

from __future__ import annotations

import os
import shutil
import subprocess

from cluster import systemd
from cluster.daemons import Daemon, Machine, engine, node
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
    docker = engine(layout)
    ours = isinstance(supervisor, Supervisord) and supervisor.keeps(docker.name)
    with step("stop the other daemons"):
        supervisor.shut_down()
        for path in docker.leaves if ours else ():
            _unmount(path)
    if purge:
        with step("remove state, certificates and logs"):
            for folder in (layout.state, layout.etc, layout.log, layout.run):
                shutil.rmtree(folder, ignore_errors=True)


def _unmount(path: str) -> None:
    if os.path.ismount(path):
        done = subprocess.run(["umount", path], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(done.stderr.strip())


def _clean_up(layout: Layout, daemon: Daemon) -> None:
    argv = [*daemon.argv(layout), "--cleanup"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise Failed(f"{' '.join(argv)}: {done.stderr.strip()}")
