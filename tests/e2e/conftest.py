"""The clusters of the end-to-end tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.harness.cluster import Cluster
from tests.harness.kubectl import Kubectl

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Two nodes, shared by the tests that break nothing."""
    with Cluster("pye", nodes=2, prefix="172.29.10") as running:
        yield running


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own, which goes with it."""
    name = f"test-{next(_numbers)}"
    cluster.kubectl("create", "namespace", name)
    yield replace(cluster.kubectl, namespace=name)
    cluster.kubectl("delete", "namespace", name, "--timeout=60s", seconds=90)


@pytest.fixture
def curl(cluster: Cluster) -> Callable[..., str]:
    """curl on a node (the first, unless `node` says another)."""

    def run(url: str, *, node: int = 0, check: bool = True) -> str:
        return cluster.nodes[node].host.run("curl", "-sS", "--max-time", "5", url, check=check).strip()

    return run
