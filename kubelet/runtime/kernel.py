"""What this machine's kernel can enforce, and what it lets us do: read once, from where the kernel tells it."""

from __future__ import annotations

from pathlib import Path

from kubelet.pod.capabilities import NAMES

_APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
_STATUS = Path("/proc/self/status")
NATIVE_BOUNDS = 23
"""The first version of Docker that asks for no capability that the machine doesn't have."""
KNOWN = NAMES[: NAMES.index("AUDIT_READ") + 1]
"""The capabilities that Docker knows before that version."""


def apparmor_enabled(parameter: Path = _APPARMOR) -> bool:
    try:
        return parameter.read_text().startswith("Y")
    except OSError:
        return False


def bounded_capabilities(engine_version: str, status: Path = _STATUS) -> tuple[str, ...]:
    """The capabilities of this machine if it lacks some and the engine would ask for those, too; else nothing."""
    major = engine_version.partition(".")[0]
    if major.isdigit() and int(major) >= NATIVE_BOUNDS:
        return ()
    line = next(each for each in status.read_text().splitlines() if each.startswith("CapBnd:"))
    mask = int(line.split()[1], 16)
    present = tuple(name for number, name in enumerate(KNOWN) if mask >> number & 1)
    return () if present == KNOWN else present
