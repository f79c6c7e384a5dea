"""The systemd units: valid, restarted for ever, as locked up as their work allows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from cluster.daemons import Machine, control_plane, node
from cluster.layout import Layout, Network, Ports
from cluster.systemd import UNITS, unit
from tests.harness.process import SCRIPTS

NAMES = sorted(path.name for path in UNITS.glob("*.service"))

# The exposure that systemd-analyze gives, tenths at most; the kubelet must be able to do everything to its machine.
EXPOSURE = {
    "pytheas-etcd.service": 25,
    "pytheas-apiserver.service": 27,
    "pytheas-scheduler.service": 27,
    "pytheas-controllers.service": 27,
    "pytheas-proxy.service": 45,
}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as `pytheas up` installs them from this checkout."""
    for name in NAMES:
        text = (UNITS / name).read_text().replace("/opt/pytheas/bin", str(SCRIPTS))
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_daemon_has_a_unit() -> None:
    layout, network, ports, machine = Layout(), Network(), Ports(), Machine("n", "127.0.0.1")
    daemons = [*control_plane(layout, network, ports, machine), *node(layout, network, ports, machine)]
    assert sorted(unit(daemon) for daemon in daemons) == NAMES


def test_units_start_daemons_as_everything_else_does() -> None:
    layout, network, ports, machine = Layout(), Network(), Ports(), Machine("n", "127.0.0.1")
    for daemon in [*control_plane(layout, network, ports, machine), *node(layout, network, ports, machine)]:
        text = (UNITS / unit(daemon)).read_text()
        command = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
        assert command is not None
        program, *arguments = command[1].split()
        assert (Path(program).name, arguments) == (Path(daemon.argv(layout)[0]).name, daemon.argv(layout)[1:])


def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    argv = [
        "systemd-analyze",
        "verify",
        "--man=no",
        "--recursive-errors=no",
        *(str(installed / name) for name in NAMES),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "pytheas" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_daemon_that_ends_is_started_again_for_ever(name: str) -> None:
    text = (UNITS / name).read_text()
    assert "Restart=always" in text
    assert "StartLimitIntervalSec=0" in text


@pytest.mark.parametrize("name", EXPOSURE)
def test_daemons_can_do_little_besides_their_work(installed: Path, name: str) -> None:
    argv = ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE[name]}", str(installed / name)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, "\n".join(done.stdout.splitlines()[-1:]) + done.stderr
