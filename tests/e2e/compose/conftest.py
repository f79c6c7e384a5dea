"""A host of its own on which docker-compose.yml is up, built on a Debian base image that is made here.

The image is built by an engine on the machine's own network, where packages can be had, and run by an engine inside the
host's network namespace, with bridges and rules of its own; both work on the same data.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.host import Host, Lan, run
from tests.harness.kubectl import Kubectl
from tests.harness.process import Process

ROOT = Path(__file__).parents[3]
BASE, IMAGE, PROJECT, SUBNET = "debian-base:bookworm", "pytheas:test", "pyc", "172.30.97"
TREE = Path("/var/cache/pytheas-tests/bookworm.tar")
RUNTIME = ("--add-runtime", f"trimmed={Path(__file__).with_name('runtime.py')}", "--default-runtime", "trimmed")


@dataclass(frozen=True)
class HostKubectl(Kubectl):
    """The real kubectl, run on a host."""

    prefix: tuple[str, ...] = ()

    def argv(self, *words: str) -> list[str]:
        return [*self.prefix, *super().argv(*words)]


@dataclass(frozen=True)
class Composed:
    """The project, up on its host."""

    host: Host
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "home" / "admin.conf"

    @property
    def kubectl(self) -> Kubectl:
        """The real kubectl on that host, as a user of it has it: by the port on its loopback."""
        return HostKubectl(self.kubeconfig, prefix=self.host.enter)

    def compose(self, *words: str) -> str:
        return _compose(self.host.docker, self.folder, *words)

    def docker(self, *words: str, check: bool = True) -> str:
        return run("docker", "-H", self.host.docker, *words, check=check)

    def inside(self, service: str, *words: str, check: bool = True) -> str:
        """Run a command in a service's container."""
        return self.docker("exec", f"{PROJECT}_{service}_1", *words, check=check)


@pytest.fixture(scope="package")
def composed() -> Iterator[Composed]:
    folder = Path(tempfile.mkdtemp(prefix="pytheas-compose-"))
    try:
        (folder / "home").mkdir()
        _build(folder)
        with Lan("pyclan", "172.31.97") as lan, Host("pychost", folder, lan, engine_data=folder / "data") as host:
            _start(host, folder)
            project = Composed(host, folder)
            try:
                project.compose("up", "--detach", "--no-build")
                yield project
            finally:
                project.compose("down", "--volumes", "--timeout", "20")
    finally:
        shutil.rmtree(folder)


def _build(folder: Path) -> None:
    socket = f"unix://{folder}/build.sock"
    argv = ["dockerd", "-H", socket, "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
    argv += ["--pidfile", f"{folder}/build.pid", "--bridge", "none", "--iptables=false", "--ip-masq=false"]
    argv += ["--ip-forward=false", "--cgroup-parent", f"/{folder.name}"]
    engine = Process("build-engine", argv, folder).start()
    try:
        engine.wait_for("the build engine", lambda: "Server Version" in run("docker", "-H", socket, "info"))
        with _tree().open("rb") as tree:
            subprocess.run(["docker", "-H", socket, "import", "-", BASE], stdin=tree, check=True, capture_output=True)
        _compose(socket, folder, "build", "certificates")
    finally:
        engine.stop(60)
        run("umount", f"{folder}/exec/netns/default", check=False)  # dockerd leaves it, and it keeps the folder


def _tree() -> Path:
    """A minimal Debian that reaches packages as this machine does; made once, then kept."""
    if TREE.exists():
        return TREE
    TREE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pytheas-debian-", dir=TREE.parent) as folder:
        root = Path(folder) / "root"
        run("debootstrap", "--variant=minbase", "bookworm", str(root))
        _let_pip_reach_packages(root)
        run("tar", "-C", str(root), "-cf", f"{folder}/tree.tar", ".")
        os.replace(f"{folder}/tree.tar", TREE)
    return TREE


def _let_pip_reach_packages(root: Path) -> None:
    """The certificates that this machine trusts, and its package index if it is not the usual one."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    lines = ["[global]"]
    if bundle.exists():
        (root / "etc/pip-ca.crt").write_bytes(bundle.read_bytes())
        lines.append("cert = /etc/pip-ca.crt")
    index = subprocess.run(["pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
    if index.returncode == 0:
        lines.append(f"index-url = {index.stdout.strip()}")
    (root / "etc/pip.conf").write_text("\n".join(lines) + "\n")


def _start(host: Host, folder: Path) -> None:
    argv = ["dockerd", "-H", host.docker, "--data-root", f"{folder}/data", "--exec-root", "/run/docker"]
    argv += ["--pidfile", "/run/docker.pid", "--cgroup-parent", f"/{host.name}", *RUNTIME]
    host.engine = host.process("dockerd", argv).start()
    host.engine.wait_for("dockerd", lambda: "Server Version" in run("docker", "-H", host.docker, "info"))


def _compose(docker: str, folder: Path, *words: str) -> str:
    settings = {
        "DOCKER_HOST": docker,
        "PYTHEAS_BASE": BASE,
        "PYTHEAS_BUILD_NETWORK": "host",
        "PYTHEAS_HOME": f"{folder}/home",
        "PYTHEAS_IMAGE": IMAGE,
        "PYTHEAS_SUBNET": SUBNET,
    }
    done = subprocess.run(
        ["docker-compose", "--project-name", PROJECT, "--project-directory", str(ROOT), *words],
        env={**os.environ, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    said = "\n".join((done.stderr + done.stdout).splitlines()[-30:])
    assert done.returncode == 0, f"docker-compose {' '.join(words)}: {said}"
    return done.stdout
