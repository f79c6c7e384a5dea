"""Takes away the chains that the portmap plugin leaves in the nat table when its last port is gone.

They are the plugin's, and other runtimes on the machine may use it too: while any port is still mapped, all stay.
"""

from __future__ import annotations

import asyncio
import shlex

PREFIX = "CNI-HOSTPORT-"
PORTS = f"{PREFIX}DNAT"
_DEADLINE = 10.0


class TableError(Exception):
    """iptables refused."""


def removals(rules: str) -> list[list[str]]:
    """The iptables commands (after `-t nat`) that remove the chains, given `iptables -t nat -S`; none if still in
    use."""
    lines = [shlex.split(line) for line in rules.splitlines()]
    chains = [words[1] for words in lines if words[0] == "-N" and words[1].startswith(PREFIX)]
    added = [words for words in lines if words[0] == "-A"]
    if any(words[1] == PORTS for words in added):
        return []
    jumps = [["-D", *words[1:]] for words in added if words[-1] in chains]
    return [*jumps, *(["-F", each] for each in chains), *(["-X", each] for each in chains)]


async def remove_chains() -> None:
    """Raises TableError."""
    for command in removals(await _nat("-S")):
        await _nat(*command)


async def _nat(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *("iptables", "-w", "5", "-t", "nat", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), _DEADLINE)
    if process.returncode:
        raise TableError(err.decode(errors="replace").strip())
    return out.decode()
