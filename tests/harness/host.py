"""Hosts for the tests: a network and mount namespace with its own dockerd, joined by a bridge to the other hosts.

What a kubelet and a proxy do to "their" machine (links, routes, rules, mounts, /etc, /var and /run) stays in the
namespace and goes with it. `ip netns exec` would remount /sys and lose the cgroup mounts that runc needs, hence the
`nsenter` and a process that holds the namespaces open.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from tests.harness.process import Process, wait_until

CGROUPS = Path("/sys/fs/cgroup")

# Copy-on-write layers: what a daemon writes there is gone with the host.
_SCRIPT = """
mount --make-rprivate /
mount -t tmpfs tmpfs /run
for tree in etc var; do
    mkdir -p /run/layers/$tree/upper /run/layers/$tree/work
    mount -t overlay overlay -o lowerdir=/$tree,upperdir=/run/layers/$tree/upper,workdir=/run/layers/$tree/work /$tree
done
rm -rf /etc/pytheas /etc/cni /var/lib/pytheas /var/log/pytheas /var/lib/cni  # a cluster of the machine's own
mkdir -p /var/lib/docker
mount -t tmpfs tmpfs /var/lib/docker  # overlay2 does not work on an overlay
hostname "$0"
echo up
exec sleep infinity
"""


def run(*argv: str, check: bool = True, stdin: str | None = None) -> str:
    """Run a command of the test's own; its standard output, or an AssertionError with what it said."""
    done = subprocess.run(argv, capture_output=True, text=True, input=stdin, check=False)
    assert not check or done.returncode == 0, f"{' '.join(argv)}: {done.returncode}: {done.stderr or done.stdout}"
    return done.stdout


class Lan(AbstractContextManager["Lan"]):
    """A bridge that joins hosts. The test machine itself stands on it at `.1`, to reach them.

    It carries the id of the process that made it as its alias. One whose process was killed is cleared away by the
    next run with the same name; one that is in use is left alone.
    """

    def __init__(self, name: str, prefix: str = "172.29.0") -> None:
        self.name = name[:12]
        self.prefix = prefix
        self._next = 10

    def __enter__(self) -> Lan:
        self._clear_leftover()
        run("ip", "link", "add", self.name, "type", "bridge")
        run("ip", "link", "set", self.name, "alias", str(os.getpid()))
        run("ip", "addr", "add", f"{self.prefix}.1/24", "dev", self.name)
        run("ip", "link", "set", self.name, "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run("ip", "link", "del", self.name, check=False)

    def _clear_leftover(self) -> None:
        found = Path("/sys/class/net", self.name)
        if not found.exists():
            return
        maker = (found / "ifalias").read_text().strip()
        in_use = maker and Path("/proc", maker).exists()
        assert not in_use, f"another run of the tests, process {maker}, uses the bridge {self.name}"
        for port in (found / "brif").iterdir():
            run("ip", "link", "del", port.name)
        run("ip", "link", "del", self.name)

    def address(self) -> str:
        self._next += 1
        return f"{self.prefix}.{self._next}"


class Host(AbstractContextManager["Host"]):
    """One machine. `docker` is the URL of its engine; `enter` is the prefix that runs a command on it."""

    def __init__(self, name: str, folder: Path, lan: Lan, *, engine_data: Path | None = None) -> None:
        self.name = name
        self.folder = folder / name
        self.lan = lan
        self.address = lan.address()
        self.docker_socket = self.folder / "docker.sock"
        self.docker = f"unix://{self.docker_socket}"
        self._data = engine_data or self.folder / "docker"
        self._holder: subprocess.Popen[bytes] | None = None
        self.engine: Process | None = None

    @property
    def enter(self) -> tuple[str, ...]:
        assert self._holder is not None, f"host {self.name} is not up"
        return ("nsenter", "--target", str(self._holder.pid), "--net", "--mount", "--uts")

    def __enter__(self) -> Host:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "sh", "-ec", _SCRIPT, self.name],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"up\n", f"host {self.name}: its namespaces could not be made"
        self._join()
        return self

    def _join(self) -> None:
        assert self._holder is not None
        outer = f"v{self.name[:10]}{self.address.rpartition('.')[2]}"
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", str(self._holder.pid))
        run("ip", "link", "set", outer, "master", self.lan.name, "up")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "addr", "add", f"{self.address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        self.run("ip", "route", "add", "default", "via", f"{self.lan.prefix}.1")
        self.uplink = outer

    def run(self, *argv: str, check: bool = True, stdin: str | None = None) -> str:
        return run(*self.enter, *argv, check=check, stdin=stdin)

    def process(self, name: str, argv: Sequence[str], env: dict[str, str] | None = None) -> Process:
        """A daemon on this host, not started yet."""
        return Process(name, argv, self.folder, prefix=self.enter, env=env)

    def start_engine(self, *flags: str) -> None:
        """Start this host's dockerd and wait until it answers."""
        argv = ["dockerd", "-H", self.docker, "--data-root", str(self._data), "--exec-root", "/run/docker"]
        argv += ["--pidfile", "/run/docker.pid", "--bridge", "none", "--iptables=false", "--ip-masq=false"]
        argv += ["--cgroup-parent", f"/{self.name}", *flags]
        self.engine = self.process("dockerd", argv).start()
        self.engine.wait_for("dockerd", lambda: "Server Version" in run("docker", "-H", self.docker, "info"))

    def cut_off(self) -> None:
        run("ip", "link", "set", self.uplink, "down")

    def join_again(self) -> None:
        run("ip", "link", "set", self.uplink, "up")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.engine is not None and self.engine.alive():
            containers = run("docker", "-H", self.docker, "ps", "-aq", check=False).split()
            if containers:
                run("docker", "-H", self.docker, "rm", "-f", *containers, check=False)
            self.engine.stop()
        if self._holder is not None:
            self._end_everything()
        run("ip", "link", "del", self.uplink, check=False)
        remove_cgroups(self.name)
        if not self.engine_data_kept:
            shutil.rmtree(self._data, ignore_errors=True)

    @property
    def engine_data_kept(self) -> bool:
        return self._data.parent != self.folder

    def _end_everything(self) -> None:
        """Kill whatever still runs in this host's network namespace, then what held it open."""
        assert self._holder is not None
        mine = os.readlink(f"/proc/{self._holder.pid}/ns/net")
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self._holder.pid and _netns(entry) == mine:
                run("kill", "-KILL", entry.name, check=False)
        self._holder.kill()
        self._holder.wait()
        if self._holder.stdout is not None:
            self._holder.stdout.close()
        wait_until(f"the end of host {self.name}", lambda: True)


def _netns(process: Path) -> str | None:
    try:
        return os.readlink(process / "ns" / "net")
    except OSError:
        return None


def remove_cgroups(name: str) -> None:
    """Remove the cgroups that an engine started with `--cgroup-parent /NAME` left: the innermost first."""
    for top in (*CGROUPS.glob(f"*/{name}"), *CGROUPS.glob(name)):
        for folder in sorted((each for each in top.rglob("*") if each.is_dir()), key=lambda each: -len(each.parts)):
            folder.rmdir()
        top.rmdir()
