"""A control plane for the tests of real clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.control import ControlPlane


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server with controllers and scheduler, on an etcd of its own: a module may do with it what it wants."""
    with ControlPlane(tmp_path_factory.mktemp("plane"), daemons=("controllers", "scheduler")) as running:
        yield running
