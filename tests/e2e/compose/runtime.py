#!/usr/bin/env python3
"""runc for a machine that lacks some capabilities itself.

Docker 20.10 gives a privileged container every capability that the kernel knows, and runc fails on those that the
machine was not given. This asks for the rest only; on a machine that has them all it changes nothing.
"""

import json
import os
import sys
from pathlib import Path

NAMES = [
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
]
"""capabilities(7), in the order of their numbers."""


def present() -> set[str]:
    """The capabilities of this machine, by the names that OCI uses."""
    lines = Path("/proc/self/status").read_text().splitlines()
    mask = int(next(line for line in lines if line.startswith("CapBnd:")).split()[1], 16)
    return {f"CAP_{name}" for number, name in enumerate(NAMES) if mask >> number & 1}


def trim(path: Path, keys: tuple[str, ...]) -> None:
    document = json.loads(path.read_text())
    process = document
    for key in keys:
        process = process[key]
    have = present()
    for kind, names in (process.get("capabilities") or {}).items():
        process["capabilities"][kind] = [name for name in names or () if name in have]
    path.write_text(json.dumps(document))


def main() -> None:
    words = sys.argv[1:]
    if "create" in words or "run" in words:
        trim(Path(words[words.index("--bundle") + 1]) / "config.json", ("process",))
    elif "exec" in words and "--process" in words:
        trim(Path(words[words.index("--process") + 1]), ())
    os.execvp("runc", ["runc", *words])


if __name__ == "__main__":
    main()
