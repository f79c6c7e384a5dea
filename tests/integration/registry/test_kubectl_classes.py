"""The real kubectl with networks, roles, classes, certificates and events: made, shown, described, changed, deleted."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.harness.kubectl import Kubectl

MANIFEST = Path(__file__).parent / "classes.yaml"


@pytest.fixture(scope="module")
def sample(kubectl: Kubectl) -> Kubectl:
    """kubectl in a namespace that has one object of each kind."""
    kubectl("create", "namespace", "classes")
    inside = Kubectl(kubectl.kubeconfig, "classes")
    inside("create", "-f", str(MANIFEST))
    return inside


# what is asked for -> the table without the ages
TABLES: list[tuple[str, str, str]] = [
    ("ingresses/web", "NAME CLASS HOSTS ADDRESS PORTS AGE", "web web a.example.com 80, 443"),
    ("ingressclasses/web", "NAME CONTROLLER PARAMETERS AGE", "web example.com/web Settings.example.com/web"),
    ("networkpolicies/web", "NAME POD-SELECTOR AGE", "web app=web"),
    ("ipaddresses/10.96.0.99", "NAME PARENTREF AGE", "10.96.0.99 services/default/web"),
    ("servicecidrs/web", "NAME CIDRS AGE", "web 10.97.0.0/24"),
    ("roles/web", "NAME CREATED AT", "web"),
    ("clusterroles/web", "NAME CREATED AT", "web"),
    ("rolebindings/web", "NAME ROLE AGE USERS GROUPS SERVICEACCOUNTS", "web Role/web ann staff default/web"),
    ("clusterrolebindings/web", "NAME ROLE AGE USERS GROUPS SERVICEACCOUNTS", "web ClusterRole/web ann"),
    ("storageclasses/web", "NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE",
     "web (default) example.com/disk Delete Immediate false"),
    ("volumeattributesclasses/web", "NAME DRIVERNAME AGE", "web example.com"),
    ("volumeattachments/web", "NAME ATTACHER PV NODE ATTACHED AGE", "web example.com web node-1 false"),
    ("csidrivers/example.com",
     "NAME ATTACHREQUIRED PODINFOONMOUNT STORAGECAPACITY TOKENREQUESTS REQUIRESREPUBLISH MODES AGE",
     "example.com true false false web false Persistent"),
    ("csinodes/node-1", "NAME DRIVERS AGE", "node-1 1"),
    ("csistoragecapacities/web", "NAME STORAGECLASSNAME CAPACITY", "web web 100Gi"),
    ("priorityclasses/web", "NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY", "web 1000 false PreemptLowerPriority"),
    ("priorityclasses/system-node-critical", "NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY",
     "system-node-critical 2000001000 false PreemptLowerPriority"),
    ("runtimeclasses/web", "NAME HANDLER AGE", "web gvisor"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "header", "cells"), TABLES, ids=[each[0] for each in TABLES])
def test_get_wide(sample: Kubectl, what: str, header: str, cells: str) -> None:
    first, line = sample("get", what, "-o", "wide").splitlines()
    assert first.split() == header.split()
    shown = line.split()
    assert [word for word in cells.split() if word not in shown] == []


DESCRIBED = [
    ("ingress/web", ["Ingress Class: web", "web terminates a.example.com"]),
    ("networkpolicy/web", ["PodSelector: app=web", "80-90/TCP", "CIDR: 10.0.0.0/8", "Policy Types: Ingress"]),
    ("role/web", ["pods [] [] [get]"]),
    ("rolebinding/web", ["Kind: Role", "ServiceAccount web default"]),
    ("storageclass/web", ["IsDefaultClass: Yes", "ReclaimPolicy: Delete"]),
    ("priorityclass/web", ["Value: 1000", "PreemptionPolicy: PreemptLowerPriority"]),
    ("csinode/node-1", ["example.com:", "Node ID: n1"]),
    ("ipaddress/10.96.0.99", ["Name: 10.96.0.99", "Resource: services"]),
    ("servicecidr/web", ["CIDRs: 10.97.0.0/24"]),
    ("csidriver/example.com", ["Attach Required: true"]),
    ("runtimeclass/web", ["Handler: gvisor"]),
]


@pytest.mark.parametrize(("what", "lines"), DESCRIBED, ids=[what for what, _ in DESCRIBED])
def test_describe(sample: Kubectl, what: str, lines: list[str]) -> None:
    shown = " ".join(sample("describe", what).split())
    assert [line for line in lines if line not in shown] == []


def test_apply_and_diff(sample: Kubectl) -> None:
    sample("apply", "--server-side", "--force-conflicts", "-f", str(MANIFEST))
    assert "configured" not in sample("apply", "--server-side", "-f", str(MANIFEST))
    assert sample("diff", "--server-side", "-f", str(MANIFEST)) == ""


GENERATED = [
    "create role reader --verb=get,list --resource=pods,deployments.apps",
    "create clusterrole everywhere --verb=get --non-resource-url=/logs/*",
    "create rolebinding readers --role=reader --user=ann --serviceaccount=classes:default",
    "create clusterrolebinding all --clusterrole=everywhere --group=staff",
    "create ingress simple --class=web --rule=foo.com/bar=svc1:8080,tls=my-cert",
    "create priorityclass important --value=5 --description=it --preemption-policy=Never",
    "create quota few --hard=pods=2,count/deployments.apps=3 --scopes=",
]


@pytest.mark.parametrize("command", GENERATED, ids=[each.split()[1] for each in GENERATED])
def test_generators(sample: Kubectl, command: str) -> None:
    assert " created" in sample(*command.split())


def test_explain(sample: Kubectl) -> None:
    for what in ("ingress.spec.rules", "csr.spec.usages", "networkpolicy.spec.egress", "vac.driverName", "ip.spec"):
        assert "DESCRIPTION:" in sample("explain", what)


def test_reviews(sample: Kubectl) -> None:
    assert "kubernetes-admin" in sample("auth", "whoami")
    assert sample("auth", "can-i", "create", "pods").strip() == "yes"
    asked = sample.run("auth", "can-i", "create", "pods", "--as=nobody")
    assert (asked.code, asked.out.strip()) == (1, "no")
    assert "selfsubjectreviews" in sample("auth", "can-i", "--list", "--as=nobody")
    assert sample.run("get", "componentstatuses").err.splitlines() == [
        "Warning: v1 ComponentStatus is deprecated in v1.19+",
        "No resources found",
    ]
    assert 'componentstatuses "etcd" not found' in sample.fails("get", "componentstatus", "etcd")


def request() -> tuple[str, str]:
    """A request for a certificate, and a certificate, each as base64 of PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ann")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    signed = builder.sign(key, hashes.SHA256())
    pems = (asked.public_bytes(Encoding.PEM), signed.public_bytes(Encoding.PEM))
    return base64.b64encode(pems[0]).decode(), base64.b64encode(pems[1]).decode()


def test_a_certificate_from_request_to_issue(sample: Kubectl) -> None:
    asked, signed = request()
    for name in ("ann", "eve"):
        spec = {"request": asked, "signerName": "example.com/people", "usages": ["client auth"]}
        csr = {"kind": "CertificateSigningRequest", "metadata": {"name": name}, "spec": spec}
        sample("create", "-f", "-", stdin=json.dumps({"apiVersion": "certificates.k8s.io/v1", **csr}))
    sample("certificate", "approve", "ann")
    sample("certificate", "deny", "eve")
    issued = json.dumps({"status": {"certificate": signed}})
    assert "updates may not set certificate content" in sample.fails(
        "patch", "csr", "ann", "--subresource=approval", "--type=merge", "-p", issued
    )
    sample("patch", "csr", "ann", "--subresource=status", "--type=merge", "-p", issued)
    table = {line.split()[0]: line.split()[2:] for line in sample("get", "csr", "--no-headers").splitlines()}
    assert table["ann"] == ["example.com/people", "kubernetes-admin", "<none>", "Approved,Issued"]
    assert table["eve"] == ["example.com/people", "kubernetes-admin", "<none>", "Denied"]
    assert "Common Name: ann" in " ".join(sample("describe", "csr", "ann").split())
    assert sample("get", "csr", "--field-selector=spec.signerName=example.com/people", "-o", "name").count("\n") == 2


EVENT = """
apiVersion: events.k8s.io/v1
kind: Event
metadata: {name: new}
eventTime: "2026-11-22T12:00:00.000000Z"
type: Normal
reason: Started
action: Starting
note: Started it
reportingController: example.com/it
reportingInstance: it-1
regarding: {kind: Pod, name: web, namespace: classes}
"""


def test_events_of_both_apis(sample: Kubectl) -> None:
    sample("create", "-f", "-", stdin=EVENT)
    assert "Started it" in sample("events")
    assert sample.get("events.v1.", "new")["message"] == "Started it"
    assert sample.get("events.v1.events.k8s.io", "new")["note"] == "Started it"
    listed = sample(
        "get", "events.v1.events.k8s.io", "--field-selector=regarding.name=web,reason=Started", "-o", "name"
    )
    assert listed.strip() == "event.events.k8s.io/new"
    refusal = sample.fails("create", "-f", "-", stdin=EVENT.replace("action: Starting\n", ""))
    assert 'The Event "new" is invalid: action: Required value' in refusal


def test_delete(sample: Kubectl) -> None:
    assert sample("delete", "--wait=false", "-f", str(MANIFEST)).count(" deleted") == 17
