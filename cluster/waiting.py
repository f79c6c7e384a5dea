"""Waiting for daemons to answer: a health URL on loopback, with a bound and a sentence when it is reached."""

from __future__ import annotations

import ssl
import time
import urllib.request
from pathlib import Path

from cluster.daemons import Daemon
from cluster.layout import Layout
from cluster.terminal import Failed


def wait_healthy(layout: Layout, daemon: Daemon, seconds: float = 60) -> None:
    """Wait until the daemon's health URL answers 200.

    Raises:
        Failed: it does not within `seconds`; tells the last answer and where the log is.
    """
    deadline = time.monotonic() + seconds
    said = "it does not answer"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(daemon.health, timeout=3, context=_trust(layout)) as answer:
                if answer.status == 200:
                    return
        except OSError as error:
            said = str(error)
        time.sleep(0.1)
    raise Failed(
        f"{daemon.name} is not healthy after {seconds:.0f} s: {said}. Its log: {log_hint(layout, daemon.name)}"
    )


def log_hint(layout: Layout, name: str) -> str:
    """Where a person finds a daemon's log."""
    return f"{layout.log}/{name}.log" if (layout.etc / "supervisord.conf").exists() else f"journalctl -u pytheas-{name}"


def _trust(layout: Layout) -> ssl.SSLContext | None:
    authority: Path = layout.pki / "ca.crt"
    if not authority.exists():
        return None
    context = ssl.create_default_context(cafile=str(authority))
    admin = layout.pki / "admin.crt"
    if admin.exists():
        context.load_cert_chain(admin, layout.pki / "admin.key")
    return context
