"""`make up` on a machine of its own, twice, then `make down`: the sample answers; the machine is as it was before."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.host import Host, Lan

ROOT = Path(__file__).parents[2]
BUILT_IN = {":INPUT", ":OUTPUT", ":FORWARD", ":PREROUTING", ":POSTROUTING"}
"""The kernel's own chains: nft makes them when a table is first used, and they stay."""


@pytest.fixture
def host() -> Iterator[Host]:
    folder = Path(tempfile.mkdtemp(prefix="pyu-"))
    try:
        with Lan("pyubr", "172.29.13") as lan, Host("pyu-1", folder, lan) as machine:
            yield machine
    finally:
        shutil.rmtree(folder)


def footprint(host: Host) -> dict[str, set[str]]:
    """What Pytheas could leave behind on a machine. Below /tmp the engines of tests beside this one come and go."""
    mounts = [line.split()[1] for line in host.run("cat", "/proc/self/mounts").splitlines()]
    chains = host.run("iptables-save") + host.run("iptables-legacy-save", check=False)
    return {
        "links": set(re.findall(r"^\d+: ([^:@]+)", host.run("ip", "-o", "link"), re.MULTILINE)),
        "routes": set(host.run("ip", "-4", "route", "show", "table", "all").splitlines()),
        "rules": {line for line in chains.splitlines() if line.startswith(("-A", "-N"))},
        "chains": {line.split()[0] for line in chains.splitlines() if line.startswith(":")} - BUILT_IN,
        "mounts": {each for each in mounts if not each.startswith(f"{tempfile.gettempdir()}/")},
        "namespaces": set(host.run("ip", "netns", "list").splitlines()),
    }


def changes(before: dict[str, set[str]], after: dict[str, set[str]]) -> list[str]:
    found = []
    for what, old in before.items():
        found += [f"{what}: gone: {each}" for each in sorted(old - after[what])]
        found += [f"{what}: left behind: {each}" for each in sorted(after[what] - old)]
    return found


def make(host: Host, target: str) -> str:
    return host.run("make", "-C", str(ROOT), target)


@pytest.mark.timeout(240)
def test_up_twice_and_down(host: Host) -> None:
    host.run("iptables", "-N", "SOMEBODYS")
    host.run("iptables", "-A", "FORWARD", "-j", "SOMEBODYS")
    host.run("ip", "link", "add", "somebodys0", "type", "bridge")
    before = footprint(host)

    said = make(host, "up")
    curls = re.findall(r"curl (http://\S+)", said)
    assert len(curls) == 2, said
    for url in curls:
        answers = {host.run("curl", "-sS", "--max-time", "5", url).split()[2] for _ in range(30)}
        assert len(answers) == 3, f"{url} was answered by {answers}"
    kubeconfig = host.run("stat", "-c", "%a %U", "/etc/pytheas/admin.conf").strip()
    assert kubeconfig == "600 root"

    said = make(host, "up")
    assert len(re.findall(r"curl (http://\S+)", said)) == 2, said

    make(host, "down")
    assert changes(before, footprint(host)) == []
    assert not [name for name in running(host) if "pytheas" in name], running(host)

    said = make(host, "up")  # the state was kept
    url = re.findall(r"curl (http://\S+)", said)[0]
    assert "Hello from" in host.run("curl", "-sS", "--max-time", "5", url)
    make(host, "purge")
    assert changes(before, footprint(host)) == []
    assert host.run("ls", "/etc/pytheas", "/var/lib/pytheas", check=False) == ""


def running(host: Host) -> list[str]:
    """The command lines of the processes in the host's network namespace."""
    found = host.run("readlink", "/proc/self/ns/net").strip()
    lines = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if str((process / "ns" / "net").readlink()) == found:
                    lines.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return lines
