"""A Docker engine of the tests' own for single containers (etcd): it makes no bridge and no rule on the machine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from tests.harness.host import remove_cgroups, run
from tests.harness.images import binary_tree
from tests.harness.process import Process

ETCD_IMAGE = "pytheas/etcd:test"


class Engine(AbstractContextManager["Engine"]):
    """A dockerd whose containers can only use the host's network (`network_mode="host"`) or none."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pytheas-engine-"))
        self.url = f"unix://{self.folder}/docker.sock"
        argv = ["dockerd", "-H", self.url, "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec"]
        argv += ["--pidfile", f"{self.folder}/docker.pid", "--bridge", "none", "--iptables=false", "--ip-masq=false"]
        argv += ["--ip-forward=false", "--cgroup-parent", f"/{self.folder.name}"]
        self.process = Process("dockerd", argv, self.folder)

    def __enter__(self) -> Engine:
        self.process.start()
        self.process.wait_for("dockerd", lambda: "Server Version" in run("docker", "-H", self.url, "info"))
        return self

    def load_etcd(self) -> str:
        """Make an image from the machine's etcd; its name."""
        argv = ["docker", "-H", self.url, "import", "-", ETCD_IMAGE]
        subprocess.run(argv, input=binary_tree("/usr/bin/etcd"), check=True, capture_output=True)
        return ETCD_IMAGE

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop()
        run("umount", f"{self.folder}/exec/netns/default", check=False)  # dockerd leaves it, and it keeps the folder
        remove_cgroups(self.folder.name)
        shutil.rmtree(self.folder, ignore_errors=True)
