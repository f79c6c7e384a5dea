"""Kernel settings: set where needed, put back where nobody else can miss them."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.sysctl import NEEDED, Sysctls


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for key in NEEDED:
        (tmp_path / "sys" / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys" / key).write_text("0\n")
    return tmp_path / "sys"


def values(root: Path) -> dict[str, str]:
    return {key: (root / key).read_text().strip() for key in NEEDED}


def test_set_and_put_back_except_what_others_rely_on(root: Path, tmp_path: Path) -> None:
    sysctls = Sysctls(tmp_path / "state" / "sysctls.json", root)
    assert sysctls.ensure() == []
    assert set(values(root).values()) == {"1"}
    assert Sysctls(tmp_path / "state" / "sysctls.json", root).ensure() == []
    sysctls.restore()
    assert values(root) == {key: "1" if key.endswith("ip_forward") else "0" for key in NEEDED}
    assert not (tmp_path / "state" / "sysctls.json").exists()


def test_what_was_right_already_is_left_alone(root: Path, tmp_path: Path) -> None:
    for key in NEEDED:
        (root / key).write_text("1\n")
    sysctls = Sysctls(tmp_path / "sysctls.json", root)
    sysctls.ensure()
    sysctls.restore()
    assert set(values(root).values()) == {"1"}


def test_a_setting_that_cannot_be_made_is_told(root: Path, tmp_path: Path) -> None:
    (root / "net/bridge/bridge-nf-call-iptables").unlink()
    asked: list[str] = []
    (problem,) = Sysctls(tmp_path / "sysctls.json", root, asked.append).ensure()
    assert asked == ["br_netfilter"]
    assert problem.startswith("net.bridge.bridge-nf-call-iptables is not 1 (")


def test_a_module_is_loaded_for_the_setting_it_brings(root: Path, tmp_path: Path) -> None:
    path = root / "net/bridge/bridge-nf-call-iptables"
    path.unlink()

    def bring(name: str) -> None:
        path.write_text("0\n")

    sysctls = Sysctls(tmp_path / "sysctls.json", root, bring)
    assert sysctls.ensure() == []
    assert path.read_text() == "1"


def test_an_unreadable_state_file_is_forgotten(root: Path, tmp_path: Path) -> None:
    (tmp_path / "sysctls.json").write_text("{")
    sysctls = Sysctls(tmp_path / "sysctls.json", root)
    sysctls.restore()
    assert set(values(root).values()) == {"0"}
