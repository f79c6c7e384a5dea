"""Admission webhooks over real HTTPS: what they are told, what they may change, and the words of each failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.apiserver.api import STRATEGIC, TABLE, Api, Object, config_map, deployment, pod
from tests.integration.apiserver.behind import expose, own_address
from tests.integration.apiserver.webhooks import (
    CONFIGURATIONS,
    Answerer,
    WebhookServer,
    allow,
    configured,
    deny,
    hook,
    patch,
    rule,
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
        path = api.path("configmaps", "one")
        await api.create("configmaps", config_map(data={"a": "b"}))
        await api.get(path)  # the server has seen it: nothing is tried twice
        await api.patch(path, {"data": {"a": "c"}})
        await api.get(path)
        await api.delete(path)
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


async def test_what_a_webhook_adds_gets_its_defaults_and_loses_what_is_unknown(api: Api, hooks: WebhookServer) -> None:
    sidecar = {"name": "side", "image": "busybox", "madeUp": True}
    client = hooks.on("/side", patch({"op": "add", "path": "/spec/containers/-", "value": sidecar}))
    async with configured(api, "Mutating", hook(api, client, rules=[rule("pods", operations=("CREATE",))])):
        made = await api.create("pods", pod())
    assert made.code == 201, made.message
    added = made.body["spec"]["containers"][1]
    assert (added["name"], added["terminationMessagePath"]) == ("side", "/dev/termination-log")
    assert "madeUp" not in added


async def test_webhooks_see_what_those_before_them_did_and_may_look_again(api: Api, hooks: WebhookServer) -> None:
    def add(key: str) -> Answerer:
        return patch({"op": "add", "path": f"/metadata/labels/{key}", "value": "yes"})

    once = hook(api, hooks.on("/a", add("a")), "a.webhooks.test", reinvocationPolicy="IfNeeded")
    later = hook(api, hooks.on("/b", add("b")), "b.webhooks.test")
    async with configured(api, "Mutating", once, later):
        made = await api.create("configmaps", {"metadata": {"name": "one", "labels": {"x": "y"}}})
    assert made.body["metadata"]["labels"] == {"x": "y", "a": "yes", "b": "yes"}
    seen = [(asked["object"]["metadata"].get("labels") or {}).keys() for asked in hooks.asked]
    assert [sorted(labels) for labels in seen] == [["x"], ["a", "x"], ["a", "b", "x"]]


async def test_a_failure_closes_or_opens_as_the_policy_says(api: Api, hooks: WebhookServer) -> None:
    gone = {"url": "https://localhost:1/gone", "caBundle": hooks.bundle}
    async with configured(api, "Validating", hook(api, gone)):
        closed = await api.create("configmaps", config_map())
    assert (closed.code, closed.reason) == (500, "InternalError")
    why = 'Post "https://localhost:1/gone?timeout=10s": dial tcp localhost:1: connect: connection refused'
    called = 'failed calling webhook "one.webhooks.test": failed to call webhook: '
    assert closed.message == f"Internal error occurred: {called}{why}"
    async with configured(api, "Mutating", hook(api, gone, failurePolicy="Ignore")):
        assert (await api.create("configmaps", config_map())).code == 201


async def test_a_webhook_that_takes_too_long(api: Api, hooks: WebhookServer) -> None:
    hooks.delay = 5
    async with configured(api, "Validating", hook(api, hooks.on("/slow", allow), timeoutSeconds=1)):
        late = await api.create("configmaps", config_map())
    assert late.code == 500
    url = hooks.url("/slow?timeout=1s")
    assert late.message.endswith(f'failed to call webhook: Post "{url}": context deadline exceeded')


async def test_a_webhook_is_not_believed_without_its_authority(api: Api, hooks: WebhookServer, tmp_path: Path) -> None:
    async with webhook_server(tmp_path / "other") as other:
        client = {**hooks.on("/x", allow), "caBundle": other.bundle}
        async with configured(api, "Validating", hook(api, client)):
            refused = await api.create("configmaps", config_map())
    assert refused.code == 500
    assert refused.message.endswith("tls: failed to verify certificate: x509: certificate signed by unknown authority")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"uid": "other", "allowed": True}, 'expected response.uid="'),
        ({"allowed": True, "patch": "W10="}, "webhook returned response.patch but not response.patchType"),
        ({"allowed": True, "patchType": "JSONPatch"}, "webhook returned response.patchType but not response.patch"),
    ],
)
async def test_answers_that_make_no_sense(api: Api, hooks: WebhookServer, answer: Object, why: str) -> None:
    async with configured(api, "Mutating", hook(api, hooks.on("/odd", lambda asked: answer))):
        refused = await api.create("configmaps", config_map())
    assert refused.code == 500
    called = 'failed calling webhook "one.webhooks.test": received invalid webhook response: '
    assert refused.message.startswith(f"Internal error occurred: {called}{why}")


async def test_dry_runs_reach_only_webhooks_without_side_effects(api: Api, hooks: WebhookServer) -> None:
    async with configured(api, "Validating", hook(api, hooks.on("/dry", allow), sideEffects="NoneOnDryRun")):
        made = await api.create("configmaps", config_map(), "?dryRun=All")
    assert made.code == 201
    assert hooks.asked[0]["dryRun"] is True
    assert hooks.asked[0]["options"]["dryRun"] == ["All"]
    assert hooks.asked[0]["options"]["kind"] == "CreateOptions"


async def test_selectors_choose_by_labels_new_or_old(api: Api, hooks: WebhookServer) -> None:
    chosen = hook(api, hooks.on("/chosen", allow), objectSelector={"matchLabels": {"watched": "yes"}})
    async with configured(api, "Validating", chosen):
        await api.create("configmaps", config_map("plain"))
        await api.create("configmaps", {"metadata": {"name": "one", "labels": {"watched": "yes"}}})
        await api.get(api.path("configmaps", "one"))
        await api.patch(api.path("configmaps", "one"), {"metadata": {"labels": None}})
        await api.get(api.path("configmaps", "one"))
        await api.patch(api.path("configmaps", "one"), {"data": {"a": "b"}})
    assert [(asked["name"], asked["operation"]) for asked in hooks.asked] == [("one", "CREATE"), ("one", "UPDATE")]


async def test_match_conditions_choose_by_expression(api: Api, hooks: WebhookServer) -> None:
    conditions = [
        {"name": "not-mine", "expression": "request.userInfo.username != 'nobody'"},
        {"name": "has-data", "expression": "has(object.data) && object.data.size() > 1"},
    ]
    async with configured(api, "Validating", hook(api, hooks.on("/cel", allow), matchConditions=conditions)):
        await api.create("configmaps", config_map("small", data={"a": "b"}))
        await api.create("configmaps", config_map("large", data={"a": "b", "c": "d"}))
    assert [asked["name"] for asked in hooks.asked] == ["large"]
    broken = [{"name": "broken", "expression": "object.data.nothing == 'x'"}]
    async with configured(api, "Validating", hook(api, hooks.on("/cel", allow), matchConditions=broken)):
        refused = await api.create("configmaps", config_map())
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert "expression 'object.data.nothing == 'x'' resulted in error: no such key: " in refused.message


async def test_warnings_reach_the_client(api: Api, hooks: WebhookServer) -> None:
    warn = hooks.on("/warn", lambda asked: {"allowed": True, "warnings": ["mind the gap"]})
    async with configured(api, "Validating", hook(api, warn)):
        made = await api.create("configmaps", config_map())
    assert made.headers["warning"] == '299 - "mind the gap"'


async def test_a_webhook_behind_a_service(api: Api, tmp_path: Path) -> None:
    async with webhook_server(tmp_path, f"hook.{api.namespace}.svc") as hooks:
        hooks.on("/check", deny("seen"))
        await expose(api, "hook", hooks.port)
        service = {"namespace": api.namespace, "name": "hook", "path": "check"}
        client = {"service": {**service, "path": "/check"}, "caBundle": hooks.bundle}
        async with configured(api, "Validating", hook(api, client)):
            refused = await api.create("configmaps", config_map())
        assert refused.message == 'admission webhook "one.webhooks.test" denied the request: seen'
    missing = {"service": {"namespace": api.namespace, "name": "absent"}}
    async with configured(api, "Validating", hook(api, missing)):
        refused = await api.create("configmaps", config_map("two"))
    url = f"https://absent.{api.namespace}.svc:443/?timeout=10s"
    assert refused.message.endswith(f'failed to call webhook: Post "{url}": service "absent" not found')


async def test_a_webhook_behind_endpoints_made_by_hand(api: Api, tmp_path: Path) -> None:
    async with webhook_server(tmp_path, f"hook.{api.namespace}.svc") as hooks:
        port = {"name": "https", "port": 443, "protocol": "TCP"}
        await api.create("services", {"metadata": {"name": "hook"}, "spec": {"ports": [port]}})
        subset = {"addresses": [{"ip": own_address()}], "ports": [{**port, "port": hooks.port}]}
        made = await api.create("endpoints", {"metadata": {"name": "hook"}, "subsets": [subset]})
        assert made.code == 201, made.message
        hooks.on("/check", deny("seen"))
        service = {"namespace": api.namespace, "name": "hook", "path": "/check"}
        client = {"service": service, "caBundle": hooks.bundle}
        async with configured(api, "Validating", hook(api, client)):
            refused = await api.create("configmaps", config_map())
        assert refused.message == 'admission webhook "one.webhooks.test" denied the request: seen'


async def test_subresources_are_chosen_by_their_own_names(api: Api, hooks: WebhookServer) -> None:
    rules = [rule("deployments/status", group="apps")]
    async with configured(api, "Validating", hook(api, hooks.on("/sub", allow), rules=rules)):
        await api.create("deployments", deployment(), group="apps")
        status = api.path("deployments", "one", "status", group="apps")
        answer = await api.patch(status, {"status": {"observedGeneration": 1}}, STRATEGIC)
        assert answer.code == 200, answer.message
    assert [(asked["subResource"], asked["operation"]) for asked in hooks.asked] == [("status", "UPDATE")]


async def test_a_rule_for_one_version_is_for_its_equivalents(api: Api, hooks: WebhookServer) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
    scaler = {"metadata": {"name": "one"}, "spec": {"scaleTargetRef": target, "maxReplicas": 3}}
    rules = [rule("horizontalpodautoscalers", group="autoscaling", version="v2")]
    path = f"/apis/autoscaling/v1/namespaces/{api.namespace}/horizontalpodautoscalers"
    async with configured(api, "Validating", hook(api, hooks.on("/hpa", allow), rules=rules)):
        made = await api.send("POST", path, scaler)
    assert made.code == 201, made.message
    (asked,) = hooks.asked
    assert (asked["kind"]["version"], asked["requestKind"]["version"]) == ("v2", "v1")
    assert asked["object"]["apiVersion"] == "autoscaling/v2"
    assert asked["resource"]["version"] == "v2"
    async with configured(api, "Validating", hook(api, hooks.on("/hpa", allow), rules=rules, matchPolicy="Exact")):
        await api.delete(f"{path}/one")
    assert len(hooks.asked) == 1


async def test_nobody_can_lock_themselves_out(api: Api, hooks: WebhookServer) -> None:
    everything = hook(api, hooks.on("/no", deny()), rules=[rule("*/*", group="*", version="*")])
    del everything["namespaceSelector"]
    everything["objectSelector"] = {"matchLabels": {"only": "this-test"}}
    labelled = {"labels": {"only": "this-test"}}
    async with configured(api, "Validating", everything):
        path = f"{CONFIGURATIONS}/validatingwebhookconfigurations"
        made = await api.send("POST", path, {"metadata": {"name": "another", **labelled}})
        assert made.code == 201, made.message
        assert (await api.delete(f"{path}/another")).code == 200
        refused = await api.create("configmaps", {"metadata": {"name": "one", **labelled}})
        assert refused.code == 400


async def test_evictions_and_tokens_are_told_as_what_they_are(api: Api, hooks: WebhookServer) -> None:
    rules = [rule("pods/eviction", "pods/binding")]
    await api.create("pods", pod())
    async with configured(api, "Validating", hook(api, hooks.on("/pods", allow), rules=rules)):
        binding = {"target": {"kind": "Node", "name": "n1"}, "metadata": {"name": "one"}}
        bound = await api.send("POST", api.path("pods", "one", "binding"), binding)
        assert bound.code == 201, bound.message
        await api.send("POST", api.path("pods", "one", "eviction"), {"metadata": {"name": "one"}})
    told = [(asked["operation"], asked["subResource"], asked["kind"]["kind"]) for asked in hooks.asked]
    assert told == [("CREATE", "binding", "Binding"), ("CREATE", "eviction", "Eviction")]
    assert hooks.asked[1]["kind"]["group"] == "policy"


async def test_configurations_are_defaulted_and_checked(api: Api) -> None:
    path = f"{CONFIGURATIONS}/mutatingwebhookconfigurations"
    bare = {
        "name": "short",
        "clientConfig": {"url": "http://user@host/x?y#z"},
        "admissionReviewVersions": ["v9"],
        "rules": [{"operations": ["MAKE"], "apiGroups": ["*", "apps"], "apiVersions": [], "resources": ["a/*", "a/b"]}],
        "matchConditions": [{"name": "x", "expression": "1 +"}],
        "timeoutSeconds": 31,
    }
    refused = await api.send("POST", path, {"metadata": {"name": "bad"}, "webhooks": [bare]})
    assert refused.code == 422
    causes = {cause["field"]: cause["message"] for cause in refused.body["details"]["causes"]}
    why = "should be a domain with at least three segments separated by dots"
    assert causes["webhooks[0].name"] == f'Invalid value: "short": {why}'
    assert causes["webhooks[0].timeoutSeconds"].endswith("the timeout value must be between 1 and 30 seconds")
    assert causes["webhooks[0].sideEffects"] == "Required value: must specify one of None, NoneOnDryRun"
    assert causes["webhooks[0].rules[0].resources[1]"].endswith("if 'a/*' is present, must not specify a/b")
    assert "compilation failed" in causes["webhooks[0].matchConditions[0].expression"]
    assert causes["webhooks[0].admissionReviewVersions"].endswith("must include at least one of v1, v1beta1")
    service = {"service": {"namespace": "x", "name": "y"}}
    good: Object = {"name": "a.b.c", "clientConfig": service, "admissionReviewVersions": ["v1"], "sideEffects": "None"}
    good["rules"] = [rule("nothings")]
    made = await api.send("POST", path, {"metadata": {"name": "good"}, "webhooks": [good]})
    assert made.code == 201, made.message
    (filled,) = made.body["webhooks"]
    assert (filled["failurePolicy"], filled["matchPolicy"], filled["timeoutSeconds"]) == ("Fail", "Equivalent", 10)
    assert (filled["reinvocationPolicy"], filled["rules"][0]["scope"]) == ("Never", "*")
    assert filled["clientConfig"]["service"]["port"] == 443
    assert made.body["metadata"]["generation"] == 1
    await api.delete(f"{path}/good")


@pytest.mark.parametrize(
    ("operation", "code", "why"),
    [
        ({"op": "replace", "path": "/metadata/namespace", "value": "default"}, 400, "does not match the namespace"),
        ({"op": "replace", "path": "/kind", "value": "Secret"}, 500, "the patch makes a Secret of a ConfigMap"),
        ({"op": "replace", "path": "/data", "value": [1]}, 500, "cannot unmarshal array"),
        ({"op": "remove", "path": "/nothing"}, 500, "nonexistent key: nothing"),
    ],
)
async def test_patches_that_go_too_far(api: Api, hooks: WebhookServer, operation: Object, code: int, why: str) -> None:
    async with configured(api, "Mutating", hook(api, hooks.on("/far", patch(operation)))):
        refused = await api.create("configmaps", config_map(data={"a": "b"}))
    assert refused.code == code
    assert why in refused.message


async def test_what_is_the_servers_own_stays_so(api: Api, hooks: WebhookServer) -> None:
    mine = {"op": "replace", "path": "/metadata/uid", "value": "mine"}
    late = {"op": "add", "path": "/metadata/deletionTimestamp", "value": "2026-01-01T00:00:00Z"}
    async with configured(api, "Mutating", hook(api, hooks.on("/own", patch(mine, late)))):
        made = await api.create("configmaps", config_map())
    assert made.code == 201
    assert len(made.body["metadata"]["uid"]) == 36
    assert "deletionTimestamp" not in made.body["metadata"]


async def test_a_webhook_that_was_restarted_is_asked_again(api: Api, hooks: WebhookServer) -> None:
    async with configured(api, "Validating", hook(api, hooks.on("/again", allow))):
        assert (await api.create("configmaps", config_map("one"))).code == 201
        hooks.cut()
        assert (await api.create("configmaps", config_map("two"))).code == 201
    assert len(hooks.asked) == 2


async def test_custom_kinds_are_admitted_alike(api: Api, hooks: WebhookServer) -> None:
    spec = {"type": "object", "properties": {"size": {"type": "integer", "default": 3}, "color": {"type": "string"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    definition = {
        "metadata": {"name": "gears.webhooks.example.com"},
        "spec": {
            "group": "webhooks.example.com",
            "scope": "Namespaced",
            "names": {"plural": "gears", "singular": "gear", "kind": "Gear"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": schema},
                {"name": "v2", "served": True, "storage": False, "schema": schema},
            ],
        },
    }
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    made = await api.send("POST", path, definition)
    assert made.code == 201, made.message
    gears = f"/apis/webhooks.example.com/v1/namespaces/{api.namespace}/gears"
    async with asyncio.timeout(10):
        while (await api.get(gears)).code != 200:  # noqa: ASYNC110 - whether it is served can only be asked
            await asyncio.sleep(0.05)
    paint = {"op": "add", "path": "/spec", "value": {"color": "red", "unknown": 1}}
    rules = [rule("gears", group="webhooks.example.com", version="v2")]
    async with configured(api, "Mutating", hook(api, hooks.on("/paint", patch(paint)), rules=rules)):
        gear = {"apiVersion": "webhooks.example.com/v1", "kind": "Gear", "metadata": {"name": "one"}}
        made = await api.send("POST", gears, gear)
    assert made.code == 201, made.message
    assert made.body["apiVersion"] == "webhooks.example.com/v1"
    assert made.body["spec"] == {"color": "red", "size": 3}
    assert hooks.asked[0]["object"]["apiVersion"] == "webhooks.example.com/v2"
    await api.delete(f"{path}/gears.webhooks.example.com")


async def test_validating_webhooks_are_asked_at_once(api: Api, hooks: WebhookServer) -> None:
    hooks.delay = 0.5
    several = [hook(api, hooks.on(f"/{name}", allow), f"{name}.webhooks.test") for name in "abcd"]
    async with configured(api, "Validating", *several):
        begun = asyncio.get_running_loop().time()
        assert (await api.create("configmaps", config_map())).code == 201
        assert asyncio.get_running_loop().time() - begun < 1.9
    assert len(hooks.asked) == 4


async def test_configurations_in_a_table(api: Api, hooks: WebhookServer) -> None:
    path = f"{CONFIGURATIONS}/validatingwebhookconfigurations"
    async with configured(api, "Validating", hook(api, hooks.on("/x", allow))):
        table = (await api.get(f"{path}/{api.namespace}-validating", Accept=TABLE)).body
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Webhooks", "Age"]
    assert table["rows"][0]["cells"][:2] == [f"{api.namespace}-validating", 1]
