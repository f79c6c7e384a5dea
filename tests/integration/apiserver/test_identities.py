"""Who is let in, as whom, and what the daemons may do."""

from __future__ import annotations

import pytest

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import CORE, Api, config_map, connect, pod

REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def whoami(api: Api) -> tuple[str, list[str]]:
    answer = await api.send("POST", REVIEW, {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    info = answer.body["status"]["userInfo"]
    return info["username"], info["groups"]


async def test_nobody_is_let_in_without_an_identity(plane: ControlPlane) -> None:
    async with connect(plane, identity="") as nobody:
        for path in (f"{CORE}/namespaces", "/apis", "/openapi/v3", "/metrics"):
            answer = await nobody.get(path)
            assert (answer.code, answer.reason, answer.message) == (401, "Unauthorized", "Unauthorized")
        for path in ("/healthz", "/livez", "/readyz", "/version"):
            assert (await nobody.get(path)).code == 200
    async with connect(plane, identity="", token="wrong") as liar:
        for path in (f"{CORE}/namespaces", "/version"):
            assert (await liar.get(path)).code == 401


async def test_a_certificate_and_a_token_are_identities(plane: ControlPlane) -> None:
    async with connect(plane) as admin:
        assert await whoami(admin) == ("kubernetes-admin", ["system:masters", "system:authenticated"])
    async with connect(plane, identity="", token="let-me-in") as reader:
        name, groups = await whoami(reader)
        assert (name, groups) == ("somebody", ["readers", "system:serviceaccounts", "system:authenticated"])
        assert (await reader.get(f"{CORE}/namespaces")).code == 200
        refused = await reader.get(f"{CORE}/namespaces/default/secrets/x")
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.message == (
        'secrets "x" is forbidden: User "somebody" cannot get resource "secrets" in API group "" '
        'in the namespace "default"'
    )


async def test_an_identity_that_no_rule_knows_may_only_ask_who_it_is(plane: ControlPlane) -> None:
    async with connect(plane, identity="proxy") as proxy:
        assert (await proxy.get(f"{CORE}/services")).code == 200
        refused = await proxy.send("POST", f"{CORE}/namespaces", {"metadata": {"name": "mine"}})
        assert refused.message == (
            'namespaces is forbidden: User "system:kube-proxy" cannot create resource "namespaces" '
            'in API group "" at the cluster scope'
        )
        may = {"spec": {"resourceAttributes": {"verb": "list", "resource": "services"}}}
        may_not = {"spec": {"resourceAttributes": {"verb": "delete", "resource": "nodes"}}}
        verdicts = [(await proxy.send("POST", ACCESS, spec)).body["status"]["allowed"] for spec in (may, may_not)]
        assert verdicts == [True, False]


@pytest.mark.parametrize(
    ("identity", "method", "path", "allowed"),
    [
        ("scheduler", "GET", "/api/v1/pods", True),
        ("scheduler", "POST", "/api/v1/namespaces/default/pods/none/binding", True),
        ("scheduler", "POST", "/api/v1/namespaces/default/pods", False),
        ("scheduler", "GET", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x", True),
        ("controllers", "POST", "/api/v1/namespaces/default/pods", True),
        ("controllers", "DELETE", "/apis/apps/v1/namespaces/default/replicasets/none", True),
        ("proxy", "GET", "/apis/discovery.k8s.io/v1/endpointslices", True),
        ("proxy", "GET", "/api/v1/secrets", False),
    ],
)
async def test_the_daemons(plane: ControlPlane, identity: str, method: str, path: str, allowed: bool) -> None:
    async with connect(plane, identity=identity) as daemon:
        answer = await daemon.send(method, path, {} if method == "POST" else None)
        assert (answer.code != 403) is allowed, answer.message


async def test_tokens_of_service_accounts(plane: ControlPlane, api: Api) -> None:
    await api.create("serviceaccounts", {"metadata": {"name": "robot"}})
    await api.create("pods", pod("holder"))
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "holder"}
    path = api.path("serviceaccounts", "robot", "token")
    asked = await api.send("POST", path, {"spec": {"expirationSeconds": 700, "boundObjectRef": reference}})
    assert asked.code == 201, asked.message
    status = asked.body["status"]
    assert status["expirationTimestamp"] > asked.body["metadata"]["creationTimestamp"]
    async with connect(plane, identity="", token=status["token"]) as robot:
        name, groups = await whoami(robot)
        assert name == f"system:serviceaccount:{api.namespace}:robot"
        assert f"system:serviceaccounts:{api.namespace}" in groups
        assert (await robot.get(api.path("pods"))).code == 200
        await api.delete(api.path("pods", "holder"))
        assert (await robot.get(api.path("pods"))).code == 401
    review = {"spec": {"token": status["token"]}}
    seen = await api.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)
    assert seen.body["status"]["authenticated"] is False


async def test_token_requests_that_make_no_sense(api: Api) -> None:
    await api.create("serviceaccounts", {"metadata": {"name": "robot"}})
    path = api.path("serviceaccounts", "robot", "token")
    short = await api.send("POST", path, {"spec": {"expirationSeconds": 10}})
    assert (short.code, short.reason) == (422, "Invalid")
    assert "may not specify a duration less than 10 minutes" in short.message
    nobody = await api.send("POST", api.path("serviceaccounts", "none", "token"), {})
    assert (nobody.code, nobody.message) == (404, 'serviceaccounts "none" not found')
    gone = {"spec": {"boundObjectRef": {"kind": "Pod", "name": "none"}}}
    assert (await api.send("POST", path, gone)).code == 404


async def test_pods_run_as_the_default_account(api: Api) -> None:
    made = await api.create("pods", pod())
    assert made.body["spec"]["serviceAccountName"] == "default"
    assert (await api.create("configmaps", config_map())).code == 201


async def test_an_administrator_may_ask_as_somebody_else(plane: ControlPlane, api: Api) -> None:
    as_reader = {"Impersonate_User": "jane", "Impersonate_Group": "system:serviceaccounts"}
    assert (await api.get(f"{CORE}/namespaces", **as_reader)).code == 200
    refused = await api.get(f"{CORE}/namespaces/default/secrets", **as_reader)
    assert (refused.code, 'User "jane" cannot list resource "secrets"' in refused.message) == (403, True)
    assert (await api.get(f"{CORE}/namespaces", Impersonate_Group="x")).code == 400
    async with connect(plane, identity="proxy") as proxy:
        impostor = await proxy.get(f"{CORE}/namespaces", Impersonate_User="kubernetes-admin")
    assert impostor.code == 403
    assert impostor.message.startswith(
        'users "kubernetes-admin" is forbidden: User "system:kube-proxy" cannot impersonate'
    )
