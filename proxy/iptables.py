"""The iptables commands, and the choice between the two kernel interfaces they may speak to.

`iptables-nft` and `iptables-legacy` keep separate rules, and a packet meets both. Rules of one node must not be spread
over the two, so the proxy joins whatever is in use already (Docker's rules, or an older proxy's).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Literal

Backend = Literal["nft", "legacy"]

LOCK_SECONDS = 5
"""How long a command waits for another user of the legacy tables' lock."""
DEADLINE = 60.0

_LEGACY_TABLES = Path("/proc/net/ip_tables_names")
"""The legacy tables in use in this network namespace; reading it loads none."""


class IptablesError(Exception):
    """A command that failed, with what it said."""


async def run(*argv: str, stdin: str = "") -> str:
    """Run a command to its end and return its standard output. Raises IptablesError."""
    # A file in memory, not a pipe: a command that ends before it has read everything cannot trip the writer.
    source = os.memfd_create("stdin", os.MFD_CLOEXEC)
    try:
        _fill(source, stdin.encode())
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=source, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError:
        raise IptablesError(f"{argv[0]} is not installed") from None
    finally:
        os.close(source)
    try:
        async with asyncio.timeout(DEADLINE):
            out, err = await process.communicate()
    except TimeoutError:
        raise IptablesError(f"{argv[0]} did not end within {DEADLINE:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise IptablesError(f"{argv[0]} failed ({process.returncode}): {_said(err)}")
    return out.decode()


def _fill(descriptor: int, content: bytes) -> None:
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)


def _said(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines()]
    return "; ".join(line for line in lines if line and "--help" not in line)


class Iptables:
    """One backend's commands for IPv4."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._command = f"iptables-{backend}"

    async def restore(self, text: str) -> None:
        """Make the changes of `text`, each table's at once; chains it does not name stay as they are."""
        await run(f"{self._command}-restore", "--noflush", "--wait", str(LOCK_SECONDS), stdin=text)

    async def save(self, table: str) -> str:
        return await run(f"{self._command}-save", "-t", table)

    async def list_chain(self, table: str, chain: str) -> str:
        """The rules of one chain as `-A` lines. Raises IptablesError when there is no such chain."""
        return await run(self._command, "--wait", str(LOCK_SECONDS), "-t", table, "-S", chain)


async def backends_in_use() -> list[Iptables]:
    """The installed backends that hold rules, or may."""
    found = [Iptables("nft")] if shutil.which("iptables-nft-restore") else []
    if shutil.which("iptables-legacy-restore") and _legacy_tables():
        found.append(Iptables("legacy"))
    return found


async def detect() -> Iptables:
    """The backend whose rules exist; with none at all, the one that plain `iptables` is. Raises IptablesError."""
    present = [backend for backend in ("nft", "legacy") if shutil.which(f"iptables-{backend}-restore")]
    if not present:
        raise IptablesError(
            "iptables is not installed: neither iptables-nft-restore nor iptables-legacy-restore is found"
        )
    if present == ["nft"]:
        return Iptables("nft")
    if present == ["legacy"]:
        return Iptables("legacy")
    legacy = await run("iptables-legacy-save") if _legacy_tables() else ""
    nft = await run("iptables-nft-save")
    return Iptables(prefer(nft, legacy, default=await _default()))


def prefer(nft: str, legacy: str, default: Backend) -> Backend:
    """Decide from what the two `save` commands print: a proxy's or kubelet's chains first, then the number of rules."""
    for marker in (":KUBE-SERVICES ", ":KUBE-IPTABLES-HINT ", ":KUBE-KUBELET-CANARY "):
        if (marker in nft) != (marker in legacy):
            return "nft" if marker in nft else "legacy"
    counts = tuple(sum(line.startswith("-A") for line in text.splitlines()) for text in (nft, legacy))
    if counts[0] == counts[1]:
        return default
    return "nft" if counts[0] > counts[1] else "legacy"


def _legacy_tables() -> bool:
    try:
        return bool(_LEGACY_TABLES.read_text().strip())
    except FileNotFoundError:
        return False


async def _default() -> Backend:
    if shutil.which("iptables") is None:
        return "nft"
    return "legacy" if "legacy" in await run("iptables", "--version") else "nft"
