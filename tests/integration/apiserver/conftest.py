"""A control plane with an etcd of its own, which some of these tests kill."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import CORE, Api, connect

TOKENS = 'let-me-in,somebody,17,"readers,system:serviceaccounts"\nroot-token,boss,1,"system:masters"\n'


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder = tmp_path_factory.mktemp("apiserver")
    tokens = folder / "tokens.csv"
    tokens.write_text(TOKENS)
    with ControlPlane(folder, flags={"apiserver": ("--token-auth-file", str(tokens))}) as running:
        yield running


@pytest.fixture
async def api(plane: ControlPlane) -> AsyncIterator[Api]:
    """The administrator, with a namespace of its own."""
    async with connect(plane) as client:
        made = await client.send("POST", f"{CORE}/namespaces", {"metadata": {"name": client.namespace}})
        assert made.code == 201, made.message
        yield client
