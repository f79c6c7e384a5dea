"""A bridge that a killed run has left is cleared away; one in use is not touched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.harness.host import Lan, run

NAME = "pylanbr"
PREFIX = "172.29.77"


def test_the_bridge_of_a_killed_run_is_cleared_with_its_ports() -> None:
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    run("ip", "link", "add", NAME, "type", "bridge")
    run("ip", "link", "set", NAME, "alias", str(dead.pid))
    run("ip", "link", "add", "vpylan11", "type", "veth", "peer", "name", "vpylanpeer")
    run("ip", "link", "set", "vpylan11", "master", NAME)
    with Lan(NAME, PREFIX):
        assert not Path("/sys/class/net/vpylan11").exists()
        assert f"{PREFIX}.1/24" in run("ip", "addr", "show", "dev", NAME)
    assert not Path("/sys/class/net", NAME).exists()


def test_a_bridge_in_use_is_left_alone() -> None:
    with Lan(NAME, PREFIX):
        with pytest.raises(AssertionError, match="another run of the tests"):
            Lan(NAME, PREFIX).__enter__()
        assert Path("/sys/class/net", NAME).exists()
