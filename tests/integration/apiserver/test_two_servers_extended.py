"""Extensions with two API servers on one etcd: both know of them, and neither undoes what the other did."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import CORE, Api, config_map, connect
from tests.integration.apiserver.test_aggregation import NAME, ROOT, SERVICES, answers, extension
from tests.integration.apiserver.webhooks import configured, deny, hook, webhook_server


@pytest.fixture(scope="module")
def other(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A second API server, which shows the first one's certificate to the servers behind it."""
    shown = plane.layout.pki / "front-proxy-client"
    flags = ("--proxy-client-cert-file", f"{shown}.crt", "--proxy-client-key-file", f"{shown}.key")
    folder = tmp_path_factory.mktemp("other")
    with ControlPlane(folder, etcd_url=plane.etcd_url, flags={"apiserver": flags}) as running:
        yield running


async def test_both_ask_the_same_webhooks(api: Api, other: ControlPlane, tmp_path: Path) -> None:
    async with connect(other) as second, webhook_server(tmp_path) as hooks:
        second.namespace = api.namespace
        async with configured(api, "Validating", hook(api, hooks.on("/no", deny("no")))):
            await second.get(f"{CORE}/namespaces/{api.namespace}")  # waits until the other one has caught up
            refused = await second.create("configmaps", config_map())
            assert refused.message == 'admission webhook "one.webhooks.test" denied the request: no'
        await second.get(f"{CORE}/namespaces/{api.namespace}")
        assert (await second.create("configmaps", config_map())).code == 201


async def test_both_answer_for_the_group_and_agree(
    api: Api, plane: ControlPlane, other: ControlPlane, tmp_path: Path
) -> None:
    async with extension(api, plane, tmp_path), connect(other) as second:
        assert (await answers(second, f"{ROOT}/nodes/n1", 200)).body["usage"]["cpu"] == "250m"
        before = (await api.get(f"{SERVICES}/{NAME}")).version
        async with asyncio.timeout(5):
            while f"{ROOT[1:]}" not in (await second.get("/openapi/v3")).body["paths"]:  # noqa: ASYNC110 - asked only
                await asyncio.sleep(0.05)
        assert (await second.get(f"{SERVICES}/{NAME}")).version == before


async def test_both_authorities_are_told(api: Api, plane: ControlPlane, other: ControlPlane) -> None:
    path = f"{CORE}/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    async with asyncio.timeout(10):
        while True:
            known = (await api.get(path)).body["data"]["requestheader-client-ca-file"]
            if all((each.layout.pki / "front-proxy-ca.crt").read_text() in known for each in (plane, other)):
                return
            await asyncio.sleep(0.05)
