"""What the server's own admission fills in and refuses."""

from __future__ import annotations

import base64
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.integration.apiserver.api import Api, Object

SCHEDULING, STORAGE = "/apis/scheduling.k8s.io/v1/priorityclasses", "/apis/storage.k8s.io/v1/storageclasses"
NETWORKING, NODE = "/apis/networking.k8s.io/v1/ingressclasses", "/apis/node.k8s.io/v1/runtimeclasses"


def pod(name: str = "p", **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "x"}], **spec}}


def named(api: Api, what: str) -> str:
    """A name of a thing of the whole cluster that no other test uses."""
    return f"{api.namespace}-{what}"


async def made(api: Api, plural: str, obj: Object, group: str = "") -> Object:
    answer = await api.create(plural, obj, group=group)
    assert answer.code == 201, answer.message
    body: Object = answer.body
    return body


async def put(api: Api, path: str, obj: Object) -> None:
    answer = await api.send("POST", path, obj)
    assert answer.code == 201, answer.message


async def refused(api: Api, plural: str, obj: Object) -> str:
    answer = await api.create(plural, obj)
    assert answer.code == 403, answer
    return answer.message


async def test_priorities(api: Api) -> None:
    name = named(api, "high")
    await put(api, SCHEDULING, {"metadata": {"name": name}, "value": 1000, "preemptionPolicy": "Never"})
    spec = (await made(api, "pods", pod("a", priorityClassName=name)))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")
    spec = (await made(api, "pods", pod("b")))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"], "priorityClassName" in spec) == (
        0,
        "PreemptLowerPriority",
        False,
    )
    spec = (await made(api, "pods", pod("c", priorityClassName="system-node-critical")))["spec"]
    assert spec["priority"] == 2_000_001_000
    assert await refused(api, "pods", pod(priorityClassName="none")) == (
        'pods "p" is forbidden: no PriorityClass with name none was found'
    )
    assert await refused(api, "pods", pod(priority=5)) == (
        'pods "p" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission '
        "controller computed 0 from the given PriorityClass name"
    )
    without = dict((await api.get(api.path("pods", "a"))).body["spec"])
    del without["priority"]
    answer = await api.send("PUT", api.path("pods", "a"), {"metadata": {"name": "a"}, "spec": without})
    assert (answer.code, answer.body["spec"]["priority"]) == (200, 1000)


async def test_one_default_priority(api: Api) -> None:
    name = named(api, "default")
    await put(api, SCHEDULING, {"metadata": {"name": name}, "value": 5, "globalDefault": True})
    spec = (await made(api, "pods", pod()))["spec"]
    assert (spec["priorityClassName"], spec["priority"]) == (name, 5)
    second = {"metadata": {"name": named(api, "second")}, "value": 6, "globalDefault": True}
    answer = await api.send("POST", SCHEDULING, second)
    assert answer.code == 403
    assert answer.message.endswith(f"PriorityClass {name} is already marked as default. Only one default can exist")
    assert (await api.delete(f"{SCHEDULING}/{name}")).code == 200


async def test_limit_ranges(api: Api) -> None:
    limit = {"type": "Container", "default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}, "max": {"cpu": "3"}}
    await made(api, "limitranges", {"metadata": {"name": "l"}, "spec": {"limits": [limit]}})
    answered = await made(api, "pods", pod("a"))
    assert answered["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}
    assert answered["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    }
    large = {"name": "c", "image": "x", "resources": {"limits": {"cpu": "4"}}}
    assert await refused(api, "pods", pod(containers=[large])) == (
        'pods "p" is forbidden: [maximum cpu usage per Container is 3, but limit is 4, '
        "maximum cpu usage per Container is 3, but request is 4]"
    )


async def test_default_classes(api: Api) -> None:
    claim = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    backend = {"service": {"name": "s", "port": {"number": 80}}}
    ingress: Object = {"spec": {"defaultBackend": backend}}
    before = await made(api, "persistentvolumeclaims", {"metadata": {"name": "before"}, **claim})
    assert "storageClassName" not in before["spec"]
    for path, domain, rest in (
        (STORAGE, "storageclass", {"provisioner": "example.com/disk"}),
        (NETWORKING, "ingressclass", {"spec": {"controller": "example.com/web"}}),
    ):
        meta = {"name": named(api, "std"), "annotations": {f"{domain}.kubernetes.io/is-default-class": "true"}}
        await put(api, path, {"metadata": meta, **rest})
    after = await made(api, "persistentvolumeclaims", {"metadata": {"name": "after"}, **claim})
    assert after["spec"]["storageClassName"] == named(api, "std")
    none: Object = {"metadata": {"name": "none"}, "spec": {**claim["spec"], "storageClassName": ""}}
    assert (await made(api, "persistentvolumeclaims", none))["spec"]["storageClassName"] == ""
    shown = await made(api, "ingresses", {"metadata": {"name": "i"}, **ingress}, "networking.k8s.io")
    assert shown["spec"]["ingressClassName"] == named(api, "std")
    for path in (STORAGE, NETWORKING):
        assert (await api.delete(f"{path}/{named(api, 'std')}")).code == 200


async def test_runtime_classes(api: Api) -> None:
    name = named(api, "sandboxed")
    where = {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "a", "operator": "Exists"}]}
    overhead = {"podFixed": {"cpu": "100m"}}
    await put(api, NODE, {"metadata": {"name": name}, "handler": "h", "overhead": overhead, "scheduling": where})
    spec = (await made(api, "pods", pod("a", runtimeClassName=name)))["spec"]
    assert (spec["overhead"], spec["nodeSelector"]) == ({"cpu": "100m"}, {"a": "b"})
    assert {"key": "a", "operator": "Exists"} in spec["tolerations"]
    assert await refused(api, "pods", pod(runtimeClassName=name, nodeSelector={"a": "c"})) == (
        'pods "p" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c'
    )
    assert await refused(api, "pods", pod(runtimeClassName="none")) == (
        'pods "p" is forbidden: pod rejected: RuntimeClass "none" not found'
    )
    assert await refused(api, "pods", pod(overhead={"cpu": "1"})) == (
        'pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'
    )


TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


async def test_service_accounts(api: Api) -> None:
    assert await refused(api, "pods", pod(serviceAccountName="nobody")) == (
        f'pods "p" is forbidden: error looking up service account {api.namespace}/nobody: serviceaccount "nobody" not '
        "found"
    )
    pull = [{"name": "registry"}]
    await made(api, "serviceaccounts", {"metadata": {"name": "it"}, "imagePullSecrets": pull})
    other = {"name": "own", "image": "x", "volumeMounts": [{"name": "v", "mountPath": TOKEN_PATH}]}
    given = pod("after", serviceAccountName="it", volumes=[{"name": "v", "emptyDir": {}}])
    given["spec"]["containers"].append(other)
    spec = (await made(api, "pods", given))["spec"]
    assert (spec["serviceAccount"], spec["imagePullSecrets"]) == ("it", pull)
    volume = spec["volumes"][1]
    assert volume["name"].startswith("kube-api-access-")
    assert [next(iter(source)) for source in volume["projected"]["sources"]] == [
        "serviceAccountToken", "configMap", "downwardAPI",
    ]  # fmt: skip
    mounted = {"name": volume["name"], "readOnly": True, "mountPath": TOKEN_PATH}
    assert [each["volumeMounts"] for each in spec["containers"]] == [[mounted], other["volumeMounts"]]
    spec = (await made(api, "pods", pod("none", serviceAccountName="it", automountServiceAccountToken=False)))["spec"]
    assert "volumes" not in spec


async def test_no_certificate_makes_an_administrator(api: Api) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "system:masters")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    signer = "kubernetes.io/kube-apiserver-client"
    request = base64.b64encode(asked.public_bytes(Encoding.PEM)).decode()
    spec = {"request": request, "signerName": signer, "usages": ["client auth"]}
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    answer = await api.send("POST", path, {"metadata": {"name": named(api, "boss")}, "spec": spec})
    assert answer.code == 403
    assert answer.message.endswith(f"use of {signer} signer with system:masters group is not allowed")
    await put(api, path, {"metadata": {"name": named(api, "boss")}, "spec": {**spec, "signerName": "example.com/own"}})
