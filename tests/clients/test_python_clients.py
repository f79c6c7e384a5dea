"""The live tests of dynamic clients in Python: the official one, its asyncio twin, and kubernetes-asyncio."""

from __future__ import annotations

import shutil
from pathlib import Path

import kubernetes
import pytest

from tests.clients.conftest import Hold
from tests.clients.foreign import fetch
from tests.clients.foreign.suite import pytest_suite
from tests.harness.control import ControlPlane

BASE = ("-p", "tests.clients.foreign.e2e_base")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("client", ["kubernetes", "kubernetes_asyncio"])
def test_live_tests_of_the_dynamic_client(client: str, plane: ControlPlane, tmp_path: Path, hold: Hold) -> None:
    where = (
        Path(kubernetes.__file__).parent if client == "kubernetes" else fetch.source(client.replace("_", "-")) / client
    )
    shutil.copytree(where, tmp_path / client)
    tests = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.glob(f"{client}/**/dynamic/*test*.py"))
    env = {"KUBECONFIG": str(plane.admin_conf), "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    hold(f"{client}-dynamic", pytest_suite(tmp_path, tests, *BASE, env=env))
