"""The same command by the real kubectl and by ours, on the same objects: what they print and the code they end with."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.harness.kubectl import Answer, Kubectl
from tests.integration.kubectl.conftest import Pytheas

MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}, annotations: {note: hello}}
data: {level: info, text: "one\\ntwo\\n", "on": "yes"}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {password: hunter2}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {type: NodePort, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: s, port: 443}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {none: such}
      containers:
      - name: web
        image: web:1
        ports: [{containerPort: 8080, name: http}]
        env: [{name: A, value: b}, {name: S, valueFrom: {secretKeyRef: {name: key, key: password}}}]
        resources: {requests: {cpu: 100m}, limits: {memory: 64Mi}}
        livenessProbe: {httpGet: {path: /, port: http}}
        volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, emptyDir: {}}]
"""

READS = """
get pods
get pods -o wide
get deploy,rs,svc,cm
get all
get all --no-headers
get deploy/web svc/web
get svc web -o wide
get cm --show-labels
get cm -L app,nope
get cm --show-kind
get pods -l app=web -o name
get pods -l 'app in (web,x),!y' --no-headers
get cm --field-selector metadata.name=settings
get deploy web -o yaml
get deploy web -o json
get cm settings -o yaml
get svc,deploy -o yaml
get secret key -o yaml --show-managed-fields
get pods -o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}'
get deploy web -o jsonpath='{.spec.template.spec.containers[?(@.name=="web")].image}'
get deploy web -o jsonpath='{.metadata.labels}'
get cm settings -o jsonpath-as-json='{.data}'
get pods -o custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image,NOPE:.a.b
get deploy --sort-by=.metadata.name
get deploy web --subresource=scale
get pods nope
get pods nope --ignore-not-found
get pods -n nowhere
get bogus
get cm/settings/x
get pods -l '!!'
get pods --field-selector=spec.bogus=1
describe deploy web
describe rs -l app=web
describe svc web
describe cm settings
describe secret key
describe sa default
describe ns default
describe endpointslices
describe pods
describe pod nope
explain deploy
explain deploy.spec.strategy.rollingUpdate
explain pod.spec.containers --recursive
explain pod.spec.bogus
api-resources
api-resources --namespaced=false -o name
api-resources -o wide
api-versions
rollout history deploy/web
rollout status deploy/web --watch=false
rollout status deploy/nope
config get-contexts
config current-context
config view
logs
logs nope
"""


def normal(answer: Answer) -> tuple[int, str, str]:
    """Ages differ by a second, the programs' names differ, and explain prints what it found before it fails."""
    out = re.sub(r"\b\d+[smh](?:\d+s)?\b", "AGE", answer.out)
    out = "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in out.splitlines())
    err = answer.err.replace("pytheas ", "kubectl ").strip()
    return answer.code, out if answer.code == 0 else "", err.split("\n")[0]


def test_reading(pytheas: Pytheas, real: Kubectl, tmp_path: Path) -> None:
    manifest = tmp_path / "web.yaml"
    manifest.write_text(MANIFEST)
    pytheas("apply", "-f", str(manifest))
    pytheas("wait", "deploy/web", "--for=jsonpath={.status.replicas}=2", "--timeout=30s")
    pytheas("wait", "pods", "-l", "app=web", "--for=condition=PodScheduled=False", "--timeout=30s")
    different = []
    for line in READS.strip().splitlines():
        words = shlex.split(line.replace("\\t", r"\t").replace("\\n", r"\n"))
        theirs, ours = real.run(*words), pytheas.run(*words)
        if normal(theirs) != normal(ours):
            different.append(f"$ {line}\n--- kubectl\n{theirs}\n--- pytheas\n{ours}")
    assert not different, "\n".join(different)


WRITES = """
create namespace default
create deployment web --image=web:1 --replicas=2
create configmap c1 --from-literal=a=b --from-literal=c=d
create secret generic s1 --from-literal=a=b
create service clusterip sv --tcp=80:8080
create service nodeport np --tcp=80
create serviceaccount robot
create deployment other --image=web:1 --dry-run=server
label cm c1 x=y
label cm c1 x=y
label cm c1 x=z
label cm c1 x=z --overwrite
label cm c1 x-
label cm c1
label cm nope a=b
annotate cm c1 a=b
annotate cm c1 a-
scale deploy web --replicas=3
scale deploy/web --replicas=1 --current-replicas=9
scale deploy nope --replicas=1
set image deploy/web web=web:2
set image deploy/web web=web:2
set image deploy/web nope=web:2
rollout pause deploy/web
rollout pause deploy/web
rollout restart deploy/web
rollout resume deploy/web
rollout resume deploy/web
rollout restart deploy/web
rollout undo deploy/web --to-revision=99
patch deploy web -p '{"spec":{"replicas":2}}'
patch deploy web -p '{"spec":{"replicas":2}}'
patch deploy web -p '{"spec":{"replicas":"x"}}'
patch deploy web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":1}]'
patch deploy web --type=merge -p '{"spec":{"selector":{"matchLabels":{"a":"b"}}}}'
expose deploy web --port=80 --target-port=8080
expose deploy web --port=80
expose deploy web --name=unknown-port
wait deploy/web --for=condition=Available --timeout=1s
wait cm c1 --for=jsonpath='{.data.a}'=b
wait cm c1 --for=jsonpath='{.data.a}'=zz --timeout=1s
wait cm nope --for=delete
cordon nope
delete cm c1
delete cm c1
delete cm c1 --ignore-not-found
delete cm
delete deploy web --dry-run=client
delete deploy web --dry-run=server
delete svc sv -o name
delete svc -l app=np
delete svc -l app=np
delete deploy web --cascade=bogus
delete deploy web
"""


def test_writing(pytheas: Pytheas, plane_namespace: str, real: Kubectl) -> None:
    """Each program does everything once, in a namespace of its own."""
    theirs_in = Kubectl(real.kubeconfig, plane_namespace)
    different = []
    for line in WRITES.strip().splitlines():
        words = shlex.split(line)
        theirs, ours = theirs_in.run(*words), pytheas.run(*words)
        expected = [part.replace(plane_namespace, "NAMESPACE") for part in (theirs.out, normal(theirs)[2])]
        got = [part.replace(pytheas.namespace, "NAMESPACE") for part in (ours.out, normal(ours)[2])]
        if (theirs.code, *expected) != (ours.code, *got):
            different.append(f"$ {line}\n--- kubectl\n{theirs}\n--- pytheas\n{ours}")
    assert not different, "\n".join(different)


@pytest.fixture
def plane_namespace(real: Kubectl, namespace: str) -> str:
    """A second namespace, for the real kubectl's objects."""
    name = f"{namespace}-real"
    real("create", "namespace", name)
    return name
