"""Admission webhooks over real HTTPS: what they are told, what they may change, and the words of each failure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.apiserver.api import Api, config_map
from tests.integration.apiserver.webhooks import (
    WebhookServer,
    allow,
    configured,
    deny,
    hook,
    patch,
    webhook_server,
)


@pytest.fixture
async def hooks(tmp_path: Path) -> AsyncIterator[WebhookServer]:
    async with webhook_server(tmp_path) as server:
        yield server


async def test_a_webhook_changes_what_is_stored(api: Api, hooks: WebhookServer) -> None:
    client = hooks.on("/add", patch({"op": "add", "path": "/data", "value": {"added": "yes"}}))
    async with configured(api, "Mutating", hook(api, client)):
        made = await api.create("configmaps", config_map())
    assert made.code == 201, made.message
    assert made.body["data"] == {"added": "yes"}
    assert (await api.get(api.path("configmaps", "one"))).body == made.body


async def test_what_a_webhook_is_told(api: Api, hooks: WebhookServer) -> None:
    async with configured(api, "Validating", hook(api, hooks.on("/look", allow))):
        await api.create("configmaps", config_map(data={"a": "b"}))
        await api.patch(api.path("configmaps", "one"), {"data": {"a": "c"}})
        await api.delete(api.path("configmaps", "one"))
    created, updated, deleted = hooks.asked
    assert created["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert created["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (created["requestKind"], created["requestResource"]) == (created["kind"], created["resource"])
    assert (created["name"], created["namespace"], created["operation"]) == ("one", api.namespace, "CREATE")
    assert created["userInfo"]["username"] == "kubernetes-admin"
    assert "system:masters" in created["userInfo"]["groups"]
    assert created["dryRun"] is False
    assert created["object"]["data"] == {"a": "b"}
    assert created["oldObject"] is None
    assert updated["operation"] == "UPDATE"
    assert (updated["object"]["data"], updated["oldObject"]["data"]) == ({"a": "c"}, {"a": "b"})
    assert deleted["operation"] == "DELETE"
    assert deleted["object"] is None
    assert deleted["oldObject"]["data"] == {"a": "c"}


async def test_a_refusal_carries_the_webhooks_words_code_and_reason(api: Api, hooks: WebhookServer) -> None:
    client = hooks.on("/no", deny("not on a Sunday", code=403, reason="Forbidden"))
    async with configured(api, "Validating", hook(api, client)):
        refused = await api.create("configmaps", config_map())
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.message == 'admission webhook "one.webhooks.test" denied the request: not on a Sunday'
    assert (await api.get(api.path("configmaps", "one"))).code == 404


async def test_a_refusal_without_words(api: Api, hooks: WebhookServer) -> None:
    async with configured(api, "Mutating", hook(api, hooks.on("/no", deny()))):
        refused = await api.create("configmaps", config_map())
    assert (refused.code, refused.reason) == (400, "")
    assert refused.message == 'admission webhook "one.webhooks.test" denied the request without explanation'
