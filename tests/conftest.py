"""Fixtures that every kind of test may use. What is missing on the machine is an error here, never a skip."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import PurePath

import pytest
import uvloop
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.harness.control import ControlPlane
from tests.harness.engine import Engine
from tests.harness.kubectl import Kubectl

# A shell's background job ignores SIGINT, and so would everything that is started here and then interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"  # its image is in a registry; the fixtures stop what they start


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ratchet-update", action="store_true", help="write tests/clients/ratchet/ anew from this run")


class _Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Which tests stay in one process when several share the work: those of a file, for its fixtures; those of a folder
    of end-to-end or client tests, since a cluster's bridge and addresses are there once."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePath(nodeid.partition("::")[0])
        return str(file.parent if file.parts[1] in ("e2e", "clients") else file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Together:
    return _Together(config, log)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], object]]:
    """The daemons' own event loop: asyncio's does not always close a connection whose handshake was cut off."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A Docker engine for single containers."""
    with Engine() as running:
        yield running


@pytest.fixture(scope="module")
def etcd_url(engine: Engine) -> Iterator[str]:
    """A real etcd, started through testcontainers from an image made here."""
    from tests.harness.etcd import etcd_container

    with etcd_container(engine) as url:
        yield url


@pytest.fixture(scope="module")
def control_plane(etcd_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server on a fresh etcd."""
    with ControlPlane(tmp_path_factory.mktemp("control"), etcd_url=etcd_url) as plane:
        yield plane


@pytest.fixture(scope="module")
def kubectl(control_plane: ControlPlane) -> Kubectl:
    """The real kubectl, as the administrator of `control_plane`."""
    return Kubectl(control_plane.admin_conf)
