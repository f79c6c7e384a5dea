"""The audit log tells what the policy asks for."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.control import ControlPlane
from tests.harness.process import SCRIPTS, wait_until
from tests.integration.apiserver.api import CORE, Object, config_map, connect
from tests.integration.apiserver.webhooks import configured, hook, webhook_server

POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  resources: [{group: coordination.k8s.io}]
- level: Metadata
  resources: [{group: "", resources: [secrets]}]
- level: RequestResponse
  users: [kubernetes-admin]
  resources: [{group: "", resources: [configmaps]}]
  verbs: [create, patch, delete]
- level: Metadata
  nonResourceURLs: [/version*, /api]
- level: Request
  verbs: [watch, get]
  namespaces: [default]
- level: Metadata
  users: [""]
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit") / "logs" / "audit.log"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory, log: Path) -> Iterator[ControlPlane]:
    policy = log.parent.parent / "policy.yaml"
    policy.write_text(POLICY)
    flags = ("--audit-policy-file", str(policy), "--audit-log-path", str(log))
    with ControlPlane(tmp_path_factory.mktemp("plane"), flags={"apiserver": flags}) as running:
        yield running


def events(log: Path, uri: str, count: int = 1) -> list[Any]:
    """At least so many events on a URI: an event is written when its answer has gone."""
    found: list[Any] = []

    def there() -> bool:
        lines = log.read_text().splitlines()
        found[:] = [event for event in map(json.loads, lines) if uri in event["requestURI"]]
        return len(found) >= count

    wait_until("the audit log to tell", there)
    return found


async def test_what_was_asked_and_answered(plane: ControlPlane, log: Path) -> None:
    path = f"{CORE}/namespaces/default/configmaps"
    async with connect(plane) as admin:
        made = await admin.send("POST", f"{path}?fieldManager=me", config_map("told", data={"a": "b"}))
        await admin.send("POST", f"{path}?fieldManager=me", config_map("told"))
    created, refused = events(log, "configmaps?fieldManager=me", 2)
    assert created["apiVersion"] == "audit.k8s.io/v1"
    assert (created["kind"], created["level"], created["stage"]) == ("Event", "RequestResponse", "ResponseComplete")
    assert created["verb"] == "create"
    assert created["user"] == {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}
    assert created["sourceIPs"] == ["127.0.0.1"]
    assert created["userAgent"].startswith("Python/")
    where = created["objectRef"]
    assert where == {"resource": "configmaps", "namespace": "default", "name": "told", "apiVersion": "v1"}
    assert created["responseStatus"] == {"metadata": {}, "code": 201}
    assert created["requestObject"]["data"] == {"a": "b"}
    assert created["responseObject"]["metadata"]["uid"] == made.body["metadata"]["uid"]
    assert "managedFields" not in created["responseObject"]["metadata"]
    assert created["annotations"]["authorization.k8s.io/decision"] == "allow"
    assert made.headers["audit-id"] == created["auditID"]
    assert created["requestReceivedTimestamp"] <= created["stageTimestamp"]
    status = refused["responseStatus"]
    assert (status["code"], status["reason"], status["status"]) == (409, "AlreadyExists", "Failure")


def _is_private(log: Path) -> None:
    assert "do-not-tell" not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


async def test_secrets_and_bodies_stay_out_of_metadata_events(plane: ControlPlane, log: Path) -> None:
    secret = {"metadata": {"name": "quiet"}, "stringData": {"password": "do-not-tell"}}
    async with connect(plane) as admin:
        await admin.send("POST", f"{CORE}/namespaces/default/secrets", secret)
        await admin.get("/version")
        await admin.get("/apis")
    (told,) = events(log, "/secrets")
    assert (told["level"], told["objectRef"]["name"]) == ("Metadata", "quiet")
    assert events(log, "/apis", 0) == []
    _is_private(log)


async def test_watches_are_told_when_they_begin_and_end(plane: ControlPlane, log: Path) -> None:
    async with connect(plane) as admin:
        path = f"{CORE}/namespaces/default/services"
        async with admin.watch(path, "&timeoutSeconds=1") as watched:
            await watched.rest()
    assert [event["stage"] for event in events(log, path, 2)] == ["ResponseStarted", "ResponseComplete"]


async def test_who_was_refused_and_in_whose_name(plane: ControlPlane, log: Path) -> None:
    async with connect(plane, identity="") as nobody:
        await nobody.get(f"{CORE}/namespaces/kube-public/configmaps/nothing")
    (told,) = events(log, "kube-public/configmaps/nothing")
    assert (told["user"], told["responseStatus"]["code"]) == ({}, 401)
    async with connect(plane) as admin:
        await admin.get(f"{CORE}/namespaces/default/pods/nothing", Impersonate_User="alice")
    (told,) = events(log, "pods/nothing")
    assert told["user"]["username"] == "kubernetes-admin"
    assert told["impersonatedUser"]["username"] == "alice"
    assert told["annotations"]["authorization.k8s.io/decision"] == "forbid"


def test_a_policy_that_makes_no_sense_is_said_at_once(plane: ControlPlane, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Loud}]\n")
    argv = [*plane.apiserver.argv, "--audit-policy-file", str(policy)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, cwd=SCRIPTS.parent.parent, check=False)
    assert done.returncode == 1
    assert "rules[0].level: 'Loud' is none of None, Metadata, Request, RequestResponse" in done.stderr


async def test_what_webhooks_did_is_told(plane: ControlPlane, log: Path, tmp_path: Path) -> None:
    def noting(asked: Object) -> Object:
        return {"allowed": True, "auditAnnotations": {"seen": "yes"}}

    async with connect(plane) as api, webhook_server(tmp_path) as hooks:
        api.namespace = "default"
        one = hook(api, hooks.on("/note", noting))
        gone = hook(api, {"url": "https://localhost:1/"}, "gone.webhooks.test", failurePolicy="Ignore")
        async with configured(api, "Mutating", one, gone):
            assert (await api.create("configmaps", config_map("noted"))).code == 201
    annotations = events(log, "/api/v1/namespaces/default/configmaps")[-1]["annotations"]
    assert annotations["one.webhooks.test/seen"] == "yes"
    told = json.loads(annotations["mutation.webhook.admission.k8s.io/round_0_index_0"])
    assert told == {"configuration": "default-mutating", "webhook": "one.webhooks.test", "mutated": False}
    assert annotations["failed-open.mutating.webhook.admission.k8s.io/round_0_index_1"] == "gone.webhooks.test"
