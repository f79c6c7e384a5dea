"""kr8s' own tests, against a cluster with a real node: they run pods, read logs, scale, wait, watch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import Hold
from tests.clients.foreign import fetch
from tests.clients.foreign.suite import pytest_suite
from tests.harness.cluster import Cluster
from tests.harness.process import SCRIPTS

BASE = ("-p", "tests.clients.foreign.kr8s_base", "-o", "asyncio_mode=auto", "--timeout=100", "-n", "3")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster("pyr", nodes=1, prefix="172.29.31", registry=True) as running:
        yield running


@pytest.mark.timeout(600)
def test_kr8s(cluster: Cluster, tmp_path: Path, hold: Hold) -> None:
    shutil.copytree(fetch.source("kr8s") / "kr8s", tmp_path / "kr8s")
    # The tests' clusters run their control plane in pods of kube-system; ours does not.
    labels = "--labels=component=kube-apiserver"
    cluster.kubectl("run", "something", "-n", "kube-system", "--image=busybox:1", labels, "--command", "sleep", "3600")
    cluster.kubectl("wait", "pod/something", "-n", "kube-system", "--for=condition=Ready", "--timeout=60s", seconds=70)
    environment = {
        "KUBECONFIG": str(cluster.control.admin_conf),
        "KUBECTL": str(SCRIPTS / "kubectl"),
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "PATH": f"{SCRIPTS}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    }
    hold("kr8s", pytest_suite(tmp_path, ["kr8s"], *BASE, env=environment, seconds=500))
