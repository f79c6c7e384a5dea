"""`pytheas up`: from a bare machine to a running cluster with the sample on it. Running it again is cheap."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

from cluster import identities, machine, packages, sample, systemd
from cluster.daemons import Daemon, Machine, control_plane, engine, node
from cluster.layout import Layout, Network, Ports
from cluster.supervisord import Supervisord
from cluster.systemd import Systemd
from cluster.terminal import Failed, console, step
from cluster.waiting import wait_healthy

PROGRAM = Path(sys.executable).parent / "pytheas"
"""The bundled CLI."""


def up(layout: Layout, network: Network, ports: Ports, *, example: bool = True) -> None:
    """Bring the cluster up on this machine.

    Raises:
        Failed: a step could not be done.
    """
    if not machine.is_root():
        raise Failed("a node makes network namespaces, mounts and iptables rules: run this as root")
    here = machine.here()
    install()
    layout.make()
    changed = _prepare(layout, network, ports, here)
    daemons = [*_engine(layout), *control_plane(layout, network, ports, here), *node(layout, network, ports, here)]
    _start(layout, daemons, changed)
    _wait(layout, daemons, here)
    if example:
        _run_example(layout, here)


def install(needed: tuple[packages.Package, ...] = packages.NEEDED) -> None:
    """Install the Debian packages that are missing, and say which."""
    names = packages.missing(needed)
    if not names:
        return
    console.print(f"Debian packages that are missing here: {', '.join(names)}")
    with step("install them"):
        packages.install(names)


def _prepare(layout: Layout, network: Network, ports: Ports, here: Machine) -> set[str]:
    """Certificates, kubeconfigs and configuration files; the names of the daemons whose configuration is new."""
    with step("certificates and configuration") as notes:
        server = f"https://{here.address}:{ports.apiserver}"
        addresses = (here.name, here.address)
        identities.control_plane(layout, network, addresses, server)
        identities.node(layout, layout, here.name, addresses, server)
        changed = {
            daemon.name
            for daemon in (*control_plane(layout, network, ports, here), *node(layout, network, ports, here))
            if write_config(layout, daemon)
        }
        notes.append(f"kubeconfig {layout.kubeconfig('admin')}")
    return changed


def write_config(layout: Layout, daemon: Daemon) -> bool:
    """Write a daemon's configuration file. True when there was another one before, or none."""
    path = daemon.config_file(layout)
    text = f"# Written by `pytheas up`; changes are lost.\n{yaml.safe_dump(daemon.config, sort_keys=False)}"
    if path.exists() and path.read_text() == text:
        return False
    path.write_text(text)
    return True


def _engine(layout: Layout) -> list[Daemon]:
    """The engine to keep running ourselves: none where somebody else does."""
    ours = engine(layout)
    if not systemd.present() and (Supervisord(layout).keeps(ours.name) or not machine.engine_answers()):
        return [ours]
    if not machine.engine_answers():
        subprocess.run(["systemctl", "enable", "--now", "docker.service"], capture_output=True, check=False)
    return []


def _start(layout: Layout, daemons: list[Daemon], changed: set[str]) -> None:
    supervisor = Systemd() if systemd.present() else Supervisord(layout)
    with step(f"start {', '.join(daemon.name for daemon in daemons)}"):
        supervisor.apply(daemons, changed)


def _wait(layout: Layout, daemons: list[Daemon], here: Machine) -> None:
    for daemon in daemons:
        if daemon.health:
            with step(f"{daemon.name} is healthy"):
                wait_healthy(layout, daemon)
    with step(f"node {here.name} is ready"):
        for what in ("create", "condition=Ready"):  # a kubelet is healthy a moment before its node is known
            pytheas(layout, "wait", f"--for={what}", f"node/{here.name}", "--timeout=60s")


def _run_example(layout: Layout, here: Machine) -> None:
    with step(f"image {sample.IMAGE}"):
        sample.build()
    manifest = sample.EXAMPLES / "hello.yaml"
    with step(f"apply {manifest.relative_to(sample.EXAMPLES.parent)}"):
        pytheas(layout, "apply", "-f", str(manifest))
    console.print()
    sys.stdout.flush()
    pytheas(layout, "rollout", "status", "deployment/hello", "--timeout=120s", show=True)
    console.print()
    pytheas(layout, "get", "pods", "-l", "app=hello", "-o", "wide", show=True)
    console.print()
    pytheas(layout, "get", "service", "hello", show=True)
    service = json.loads(pytheas(layout, "get", "service", "hello", "-o", "json"))["spec"]
    port = service["ports"][0]
    console.print("\nThe cluster is up. Try:\n")
    console.print(
        f"  curl http://{service['clusterIP']}:{port['port']}/        # the Service's own address, from this machine"
    )
    console.print(f"  curl http://{here.address}:{port['nodePort']}/      # its port on the node, from anywhere")
    console.print(f"  export KUBECONFIG={layout.kubeconfig('admin')}   # for kubectl, helm and every other client")
    console.print(f"  {PROGRAM} get pods -A")


def pytheas(layout: Layout, *words: str, show: bool = False) -> str:
    """Run the bundled CLI as the administrator.

    Raises:
        Failed: with what the command said.
    """
    argv = [str(PROGRAM), *words, "--kubeconfig", str(layout.kubeconfig("admin"))]
    done = subprocess.run(
        argv, text=True, check=False, stdout=None if show else subprocess.PIPE, stderr=subprocess.PIPE
    )
    if done.returncode:
        raise Failed(f"pytheas {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout or ""
