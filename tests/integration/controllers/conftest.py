"""A real etcd, API server and controllers, the real kubectl, and nodes that are only objects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.control import ControlPlane
from tests.harness.kubectl import Kubectl
from tests.integration.controllers.simulation import Simulation

FLAGS = ("--node-monitor-grace-period", "5m", "--node-startup-grace-period", "5m", "--orphaned-pod-gc-delay", "1s")


@pytest.fixture(scope="module")
def flags() -> tuple[str, ...]:
    """A module overrides this to run the controllers with others."""
    return FLAGS


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory, flags: tuple[str, ...]) -> Iterator[ControlPlane]:
    folder = tmp_path_factory.mktemp("controllers")
    with ControlPlane(folder, daemons=("controllers",), flags={"controllers": flags}) as running:
        yield running


@pytest.fixture(scope="module")
def kube(plane: ControlPlane) -> Kubectl:
    return Kubectl(plane.admin_conf)


@pytest.fixture(scope="module")
def simulation(plane: ControlPlane) -> Iterator[Simulation]:
    with Simulation(plane.admin_conf) as running:
        yield running


@pytest.fixture
def namespace(kube: Kubectl, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own, gone after it."""
    name = request.node.name.replace("_", "-")[:60].strip("-")
    kube("create", "namespace", name)
    yield Kubectl(kube.kubeconfig, name)
    kube("delete", "namespace", name, "--wait=false")
