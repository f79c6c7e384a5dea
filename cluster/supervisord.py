"""Keeping daemons running where no systemd does: PyPI `supervisor`, configured and driven from here."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from cluster.daemons import Daemon
from cluster.layout import Layout
from cluster.terminal import Failed

_SHUTDOWN_SECONDS = 120
_HEAD = """\
; Written by `pytheas up`; changes are lost.
[supervisord]
logfile={log}/supervisord.log
pidfile={run}/supervisor.pid
childlogdir={log}
logfile_maxbytes=5MB
user=root

[unix_http_server]
file={run}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{run}/supervisor.sock
"""

_PROGRAM = """
[program:{name}]
command={command}
priority={order}
autostart=true
autorestart=true
startsecs=1
startretries=1000000
stopsignal=TERM
stopwaitsecs=20
redirect_stderr=true
stdout_logfile={log}/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=3
"""


def render(layout: Layout, daemons: Sequence[Daemon]) -> str:
    """The whole configuration file."""
    parts = [_HEAD.format(log=layout.log, run=layout.run)]
    for daemon in daemons:
        command = " ".join(_quote(word) for word in daemon.argv(layout))
        parts.append(_PROGRAM.format(name=daemon.name, command=command, order=daemon.order, log=layout.log))
    return "".join(parts)


def _quote(word: str) -> str:
    """supervisord splits commands like a shell and expands %(…)s."""
    quoted = word.replace("%", "%%")
    return f'"{quoted}"' if " " in quoted else quoted


class Supervisord:
    """The supervisor of one layout."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._config = layout.etc / "supervisord.conf"

    def apply(self, daemons: Sequence[Daemon], changed: Collection[str]) -> None:
        """Keep exactly `daemons` running; restart those in `changed`, whose configuration is new.

        Raises:
            Failed: supervisord does not start, with what it said.
        """
        text = render(self._layout, daemons)
        same = self._config.exists() and self._config.read_text() == text
        if not same:
            self._config.write_text(text)
        if not self.running():
            self._start()
            return
        if not same:
            self._control("update")
        for name in changed:
            self._control("restart", name)

    def stop(self, name: str) -> None:
        """Stop one daemon and keep it stopped."""
        self._control("stop", name)

    def shut_down(self) -> None:
        """Stop every daemon, then the supervisor itself, and wait for its end."""
        if not self.running():
            return
        pid = int((self._layout.run / "supervisor.pid").read_text())
        descriptor = os.pidfd_open(pid)
        try:
            self._control("shutdown")
            if not select.select([descriptor], [], [], _SHUTDOWN_SECONDS)[0]:
                raise Failed(f"supervisord (pid {pid}) does not end; look into {self._layout.log}/supervisord.log")
        finally:
            os.close(descriptor)

    def keeps(self, name: str) -> bool:
        """Whether this supervisor runs and `name` is among its daemons."""
        return self.running() and f"[program:{name}]" in self._config.read_text()

    def running(self) -> bool:
        """Whether the supervisor answers on its socket."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._layout.run / "supervisor.sock"))
            except OSError:
                return False
        return True

    def _start(self) -> None:
        argv = [*_program("supervisord"), "-c", str(self._config)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise Failed(f"supervisord does not start: {done.stderr or done.stdout}")

    def _control(self, *words: str) -> str:
        argv = [*_program("supervisorctl"), "-c", str(self._config), *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def _program(name: str) -> list[str]:
    return [str(Path(sys.executable).parent / name)]
