"""A node of these tests' own: it is broken on purpose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.kubelet.conftest import Lab, pod
from tests.harness.cluster import Cluster

__all__ = ["cluster", "lab", "pod"]


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    # The node comes back from each fault: nobody is to move its pods meanwhile.
    flags = {"controllers": ("--node-monitor-grace-period", "10m")}
    with Cluster("pykf", nodes=1, prefix="172.29.14", flags=flags) as running:
        running.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
        yield running


@pytest.fixture
def lab(cluster: Cluster) -> Iterator[Lab]:
    made = Lab(cluster)
    yield made
    made.clear()
