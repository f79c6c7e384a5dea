"""Keeping daemons running with systemd: the units of `deploy/systemd`, pointed at this installation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from cluster.daemons import Daemon
from cluster.terminal import Failed

UNITS = Path(__file__).parents[1] / "deploy" / "systemd"
_TARGET = Path("/etc/systemd/system")
_PACKAGED_BIN = "/opt/pytheas/bin"


def present() -> bool:
    """Whether systemd runs this machine (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


class Systemd:
    """Drives `pytheas-NAME.service`."""

    def apply(self, daemons: Sequence[Daemon], changed: Collection[str]) -> None:
        """Install the units, start them now and at each boot; restart those in `changed`.

        Raises:
            Failed: systemctl refuses, with what it said.
        """
        new = False
        for daemon in daemons:
            text = (UNITS / unit(daemon)).read_text().replace(_PACKAGED_BIN, str(Path(sys.executable).parent))
            target = _TARGET / unit(daemon)
            if not target.exists() or target.read_text() != text:
                target.write_text(text)
                new = True
        if new:
            _systemctl("daemon-reload")
        _systemctl("enable", "--now", *(unit(daemon) for daemon in daemons))
        again = [unit(daemon) for daemon in daemons if daemon.name in changed]
        if again:
            _systemctl("restart", *again)

    def stop(self, name: str) -> None:
        _systemctl("stop", f"pytheas-{name}.service")

    def shut_down(self) -> None:
        """Stop and disable every unit of ours."""
        units = [path.name for path in _TARGET.glob("pytheas-*.service")]
        if units:
            _systemctl("disable", "--now", *units)


def unit(daemon: Daemon) -> str:
    return f"pytheas-{daemon.name}.service"


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"systemctl {' '.join(words)}: {done.stderr.strip()}")
