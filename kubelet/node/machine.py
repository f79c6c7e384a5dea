"""What the machine under the node is: read from /proc, /sys and uname. Blocking, and quick."""

from __future__ import annotations

import os
import platform
import socket
from dataclasses import dataclass
from pathlib import Path

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x"}


@dataclass(frozen=True)
class Machine:
    cpus: int
    memory: int
    disk: int
    """Bytes of the file system that the kubelet's root lies on."""
    machine_id: str
    system_uuid: str
    boot_id: str
    kernel: str
    os_image: str
    architecture: str
    swap: int = 0


def read(root: Path) -> Machine:
    disk = os.statvfs(root)
    uname = platform.uname()
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        disk=disk.f_frsize * disk.f_blocks,
        machine_id=_first("/etc/machine-id", "/var/lib/dbus/machine-id"),
        system_uuid=_first("/sys/class/dmi/id/product_uuid", "/etc/machine-id"),
        boot_id=_first("/proc/sys/kernel/random/boot_id"),
        kernel=uname.release,
        os_image=_os_image(),
        architecture=_ARCHITECTURES.get(uname.machine, uname.machine),
        swap=_swap(_first("/proc/meminfo")),
    )


def host_name() -> str:
    return socket.gethostname().lower()


def default_address() -> str:
    """The address from which this machine would reach others: that of its default route, else loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: connecting a datagram socket only looks up the route
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _first(*paths: str) -> str:
    for path in paths:
        try:
            text = Path(path).read_text().strip()
        except OSError:
            continue
        if text:
            return text
    return ""


def _swap(meminfo: str) -> int:
    kib = [line.split()[1] for line in meminfo.splitlines() if line.startswith("SwapTotal:")]
    return int(kib[0]) * 1024 if kib else 0


def _os_image() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"
