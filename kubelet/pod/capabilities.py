"""The capabilities that a container asks for, as Docker's create call wants them.

Docker and Kubernetes agree on the names but not on what wins: for Kubernetes a drop does, whatever was added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from api.types import core_v1

ALL = "ALL"
NAMES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
)
"""capabilities(7), in the order of their numbers."""


def changes(asked: core_v1.Capabilities | None, present: Sequence[str]) -> tuple[list[str], list[str]]:
    """What Docker is to add to its own choice and to drop from it. `present`: see `everything`."""
    added, dropped = _names(asked.add if asked else None), _names(asked.drop if asked else None)
    kept = [name for name in added if name not in dropped]
    if ALL in dropped:
        return [name for name in kept if name != ALL], [ALL]
    if ALL in kept:
        return [name for name in everything(present) if name not in dropped], dropped
    return kept, dropped


def everything(present: Sequence[str]) -> list[str]:
    """All capabilities; those of this machine alone where Docker would ask for more than it has."""
    return list(present) or [ALL]


def _names(given: Iterable[str] | None) -> list[str]:
    """As Docker writes them, each once: in capitals, and without the prefix that manual pages have."""
    return list(dict.fromkeys(name.upper().removeprefix("CAP_") for name in given or ()))
