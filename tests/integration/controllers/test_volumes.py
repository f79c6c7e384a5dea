"""Claims and volumes by the real controllers; and the certificate that each namespace has."""

from __future__ import annotations

import json
from typing import Any

from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until


def volume(name: str, size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    body = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": f"/data/{name}"}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {**body, **spec}}


def claim(name: str, size: str = "1Gi", storage_class: str = "", **spec: Any) -> dict[str, Any]:
    body = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "storageClassName": storage_class,
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {**body, **spec}}


def apply(kube: Kubectl, *objects: dict[str, Any]) -> None:
    kube("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [*objects]}))


def becomes(kube: Kubectl, what: str, phase: str) -> dict[str, Any]:
    kube("wait", f"--for=jsonpath={{.status.phase}}={phase}", what, "--timeout=20s")
    return kube.get(what)


def told(kube: Kubectl, name: str, reason: str) -> None:
    def seen() -> bool:
        found = kube.get("events", "--field-selector", f"involvedObject.name={name}")
        return any(each["reason"] == reason for each in found["items"])

    wait_until(f"an event {reason} of {name}", seen, 20, every=0.2)


def test_a_claim_gets_the_smallest_volume_that_suits_it(namespace: Kubectl) -> None:
    kube = namespace
    apply(kube, volume("large", "5Gi"), volume("small", "1Gi"), volume("fit", "2Gi"))
    becomes(kube, "pv/fit", "Available")
    apply(kube, claim("data", "1500Mi"), claim("huge", "9Gi"))
    bound = becomes(kube, "pvc/data", "Bound")
    assert bound["spec"]["volumeName"] == "fit"
    assert bound["status"]["capacity"] == {"storage": "2Gi"}
    assert bound["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    held = becomes(kube, "pv/fit", "Bound")
    assert held["spec"]["claimRef"]["uid"] == bound["metadata"]["uid"]
    assert held["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    told(kube, "huge", "FailedBinding")
    apply(kube, volume("whale", "10Gi"))
    assert becomes(kube, "pvc/huge", "Bound")["spec"]["volumeName"] == "whale"
    # A bound volume stays until its claim has gone, and is then kept for its administrator.
    kube("delete", "pv/fit", "--wait=false")
    assert kube.get("pv/fit")["metadata"]["deletionTimestamp"]
    kube("delete", "pvc/data", "--timeout=20s")
    kube("wait", "--for=delete", "pv/fit", "--timeout=20s")
    kube("delete", "pvc/huge", "--timeout=20s")
    becomes(kube, "pv/whale", "Released")
    kube("patch", "pv/whale", "-p", '{"spec": {"claimRef": null}}')
    becomes(kube, "pv/whale", "Available")
    kube("delete", "pv/whale", "pv/large", "pv/small", "--timeout=20s")


def test_a_claim_that_is_used_stays(namespace: Kubectl) -> None:
    kube = namespace
    apply(kube, volume("used"), claim("used", volumeName="used"))
    becomes(kube, "pvc/used", "Bound")
    spec = {
        "nodeName": "nowhere",
        "containers": [{"name": "main", "image": "app:1"}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "used"}}],
    }
    apply(kube, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "user"}, "spec": spec})
    kube("delete", "pvc/used", "--wait=false")
    kube("wait", "--for=jsonpath={.metadata.deletionTimestamp}", "pvc/used", "--timeout=5s")
    assert kube.get("pvc/used")["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    kube("delete", "pod/user", "--grace-period=0", "--force")
    kube("wait", "--for=delete", "pvc/used", "--timeout=20s")
    kube("delete", "pv/used", "--timeout=20s")


def test_classes_selectors_lost_volumes_and_failed_deletion(namespace: Kubectl) -> None:
    kube = namespace
    lazy = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "lazy"},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    fast = volume("fast", storageClassName="lazy", persistentVolumeReclaimPolicy="Delete")
    fast["metadata"]["labels"] = {"speed": "high"}
    chosen = claim("chosen", storage_class="lazy", selector={"matchLabels": {"speed": "high"}})
    apply(kube, lazy, fast, chosen, claim("nobody", storage_class="no-such"))
    told(kube, "chosen", "WaitForFirstConsumer")
    told(kube, "nobody", "ProvisioningFailed")
    # What the scheduler does once the pod has its node: the volume is set aside.
    reference = {"namespace": kube.namespace, "name": "chosen", "uid": kube.get("pvc/chosen")["metadata"]["uid"]}
    kube("patch", "pv/fast", "-p", json.dumps({"spec": {"claimRef": reference}}))
    becomes(kube, "pvc/chosen", "Bound")
    kube("delete", "pvc/chosen", "--timeout=20s")
    assert "no deletable volume plugin matched" in becomes(kube, "pv/fast", "Failed")["status"]["message"]
    apply(kube, volume("lost"), claim("loser", volumeName="lost"))
    becomes(kube, "pvc/loser", "Bound")
    kube("patch", "pv/lost", "-p", '{"metadata": {"finalizers": null}}')
    kube("delete", "pv/lost", "pv/fast", "--wait=false")
    kube("patch", "pv/lost", "-p", '{"metadata": {"finalizers": null}}')
    becomes(kube, "pvc/loser", "Lost")
    told(kube, "loser", "ClaimLost")
    kube("delete", "storageclass/lazy")


def test_an_ephemeral_volume_has_a_claim_of_its_pod(namespace: Kubectl) -> None:
    kube = namespace
    template = {"metadata": {"labels": {"kind": "scratch"}}, "spec": claim("")["spec"]}
    spec = {
        "containers": [{"name": "main", "image": "app:1"}],
        "volumes": [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}],
    }
    apply(kube, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec})
    kube("wait", "--for=create", "pvc/web-scratch", "--timeout=20s")
    made = kube.get("pvc/web-scratch")["metadata"]
    assert made["labels"] == {"kind": "scratch"}
    assert made["ownerReferences"][0]["uid"] == kube.get("pod/web")["metadata"]["uid"]
    kube("delete", "pod/web", "--grace-period=0", "--force")
    kube("wait", "--for=delete", "pvc/web-scratch", "--timeout=20s")


def test_every_namespace_has_the_certificate_and_keeps_it(namespace: Kubectl) -> None:
    kube, name = namespace, "configmap/kube-root-ca.crt"
    kube("wait", "--for=create", name, "--timeout=20s")
    first = kube.get(name)
    assert first["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")
    kube("patch", name, "-p", '{"data": {"ca.crt": "forged", "more": "x"}}')
    wait_until("the certificate to be put right", lambda: kube.get(name)["data"] == first["data"], 20)
    kube("delete", name)
    kube("wait", "--for=create", name, "--timeout=20s")
    assert kube.get(name)["data"] == first["data"]


def test_the_first_pod_of_a_namespace_has_its_token(kube: Kubectl) -> None:
    """Namespace and pod in one request after the other: the account is waited for."""
    pod = {"containers": [{"name": "main", "image": "app:1"}]}
    kube("wait", "--for=create", "serviceaccount/default", "--timeout=20s")
    for number in range(3):
        fresh = Kubectl(kube.kubeconfig, f"at-once-{number}")
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": fresh.namespace}}
        apply(fresh, space, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": pod})
        (volume,) = fresh.get("pod", "web")["spec"]["volumes"]
        assert volume["name"].startswith("kube-api-access-")
        kube("delete", "namespace", fresh.namespace, "--wait=false")
