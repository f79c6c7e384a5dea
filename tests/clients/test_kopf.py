"""kopf's end-to-end tests: each example operator runs while kubectl creates, changes and deletes its objects."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.conftest import Hold
from tests.clients.foreign import fetch
from tests.clients.foreign.suite import pytest_suite
from tests.harness.control import ControlPlane
from tests.harness.process import SCRIPTS

ROOT = Path(__file__).parents[2]
WORKERS = 4
BASE = ("-p", "tests.clients.foreign.kopf_base", "--timeout=100", "-n", str(WORKERS))


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ControlPlane]]:
    with ExitStack() as stack:
        made = [ControlPlane(tmp_path_factory.mktemp("kopf"), daemons=("controllers",)) for _ in range(WORKERS)]
        yield [stack.enter_context(plane) for plane in made]


@pytest.mark.timeout(600)
def test_kopf(planes: list[ControlPlane], tmp_path: Path, hold: Hold) -> None:
    source = fetch.source("kopf")
    shutil.copytree(source / "examples", tmp_path / "examples")
    shutil.copytree(source / "tests" / "e2e", tmp_path / "tests" / "e2e")
    shutil.copy(source / "peering.yaml", tmp_path)
    environment = {
        "KUBECONFIGS": ":".join(str(plane.admin_conf) for plane in planes),
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "PATH": f"{SCRIPTS}:/usr/local/bin:/usr/bin:/bin",
    }
    tests = ["tests/e2e", *sorted(str(each.relative_to(tmp_path)) for each in tmp_path.glob("examples/*/test_*.py"))]
    hold("kopf", pytest_suite(tmp_path, tests, *BASE, env=environment, seconds=500))
