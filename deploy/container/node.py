"""What a node's container runs: its engine, kubelet and proxy under a supervisor, and the sample image once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from cluster import machine, sample
from cluster.layout import Layout

CGROUPS = Path("/sys/fs/cgroup")
LAYOUT = Layout()
ENGINE_SECONDS = 60.0


def main() -> None:
    LAYOUT.make()
    share_mounts()
    make_room_for_cgroups()
    subprocess.Popen([sys.executable, __file__, "sample"])
    supervisord = str(Path(sys.executable).parent / "supervisord")
    os.chdir("/")
    # In this process's place: it is the container's first, which signals reach and which orphans come to.
    os.execv(supervisord, [supervisord, "--nodaemon", "-c", str(LAYOUT.etc / "supervisord.conf")])


def share_mounts() -> None:
    """Let what the kubelet mounts reach the containers."""
    subprocess.run(["mount", "--make-rshared", "/"], check=True)


def make_room_for_cgroups() -> None:
    """With cgroup v2, a group that holds processes hands no controllers to groups below it: move them into a leaf."""
    controllers = CGROUPS / "cgroup.controllers"
    if not controllers.exists():
        return
    leaf = CGROUPS / "init"
    leaf.mkdir(exist_ok=True)
    for process in (CGROUPS / "cgroup.procs").read_text().split():
        (leaf / "cgroup.procs").write_text(process)
    enable = " ".join(f"+{name}" for name in controllers.read_text().split())
    (CGROUPS / "cgroup.subtree_control").write_text(enable)


def build_sample() -> None:
    """Build the sample application's image as soon as the engine answers, so that examples/hello.yaml can run here."""
    deadline = time.monotonic() + ENGINE_SECONDS
    while not machine.engine_answers():
        if time.monotonic() > deadline:
            sys.stderr.write(f"the engine did not answer within {ENGINE_SECONDS:.0f} s; {sample.IMAGE} is not built\n")
            return
        time.sleep(0.5)
    sample.build()


if __name__ == "__main__":
    if sys.argv[1:] == ["sample"]:
        build_sample()
    else:
        main()
