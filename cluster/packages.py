"""The Debian packages a machine needs: told by what is missing, so that another way of installing counts as well."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cluster.terminal import Failed

CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))


@dataclass(frozen=True)
class Package:
    """A package and the files of which one shows that what it brings is there."""

    name: str
    files: tuple[str, ...]


NEEDED = (
    Package("docker.io", ("dockerd",)),
    Package("etcd-server", ("etcd",)),
    Package("iptables", ("iptables-restore",)),
    Package("conntrack", ("conntrack",)),
    Package("iproute2", ("ip",)),
    Package("kmod", ("modprobe",)),
    Package("containernetworking-plugins", tuple(str(folder / "bridge") for folder in CNI_FOLDERS)),
    Package("catatonit", ("catatonit",)),
    Package("busybox-static", ("busybox",)),
    Package("curl", ("curl",)),
)

FOR_TESTS = (
    Package("docker-compose", ("docker-compose",)),
    Package("debootstrap", ("debootstrap",)),
    Package("systemd", ("systemd-analyze",)),
    Package("wrk", ("wrk",)),
    Package("faketime", ("faketime",)),
    Package("dbus-daemon", ("dbus-daemon",)),
)


def missing(packages: tuple[Package, ...] = NEEDED) -> list[str]:
    """The names of the packages to install."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    return [package.name for package in packages if not any(shutil.which(file, path=path) for file in package.files)]


def install(names: list[str]) -> None:
    """Install packages with apt-get.

    Raises:
        Failed: with what apt-get said.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update",), ("install", "-y", "--no-install-recommends", *names)):
        done = subprocess.run(["apt-get", "-q", *words], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = "\n".join((done.stderr or done.stdout).splitlines()[-5:])
            raise Failed(
                f"apt-get {' '.join(words)} failed; install {', '.join(names)} by hand, then try again.\n{said}"
            )
    if "etcd-server" in names and Path("/run/systemd/system").exists():
        # The package starts an etcd of its own on the port of ours.
        subprocess.run(["systemctl", "disable", "--now", "etcd.service"], capture_output=True, check=False)
