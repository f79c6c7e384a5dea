"""What is taken with a warning."""

from __future__ import annotations

from typing import Any

import pytest

from api import names
from tests.unit.registry.cases import golden
from tests.unit.registry.objects import deployment, pod, service
from tests.unit.registry.support import BY_KIND, create, edited

A = "spec.containers[0]"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
EXISTS = {"key": "node-role.kubernetes.io/master", "operator": "Exists"}
IN = {"key": "a", "operator": "In", "values": ["a b"]}
VALUE = names.label_value("a b")[0]
CASES: list[tuple[str, Any, list[str]]] = [
    ("spec.nodeSelector", {"beta.kubernetes.io/os": "linux"}, [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead']),
    ("spec.containers.0.env", [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}], [
        f'{A}.env[1]: hides previous definition of "A", which may be dropped when using apply']),
    ("spec.containers.0.resources", {"requests": {"memory": "100m"}}, [
        f'{A}.resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer']),
    ("spec.containers.0.ports", [{"containerPort": 80}, {"containerPort": 80}], [
        f"{A}.ports[1]: duplicate port definition with {A}.ports[0]"]),
    ("spec.imagePullSecrets", [{"name": ""}], ['spec.imagePullSecrets[0].name: invalid empty name ""']),
    ("spec.terminationGracePeriodSeconds", -1, [
        "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"]),
    ("spec.topologySpreadConstraints", [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}], [
        "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"]),
    ("metadata.name", "web.v2", [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is "
        "recommended: [must not contain dots]"]),
    ("metadata.labels", {"a": "b"}, []),
    ("spec.containers.0.env", [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}], []),
    ("spec.containers.0.ports", [{"containerPort": 80}, {"containerPort": 80, "hostPort": 8080}], [
        f"{A}.ports[1]: overlapping port definition with {A}.ports[0]"]),
    ("spec.affinity.nodeAffinity", {
        REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [EXISTS]}]},
        PREFERRED: [{"weight": 1, "preference": {"matchExpressions": [IN]}}]}, [
        f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key: "
        'node-role.kubernetes.io/master is use "node-role.kubernetes.io/control-plane" instead',
        f"spec.affinity.nodeAffinity.{PREFERRED}[0].preference.matchExpressions[0].values[0]: a b is invalid, "
        f"{VALUE}"]),
    ("spec.affinity.podAntiAffinity", {PREFERRED: [{"weight": 1, "podAffinityTerm": {"topologyKey": "a"}}]}, [
        f"spec.affinity.podAntiAffinity.{PREFERRED}[0].podAffinityTerm.labelSelector: a null labelSelector results in "
        "matching no pod"]),
    ("spec.volumes", [{"name": "v", "gitRepo": {"repository": "a"}}], [
        "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"]),
    ("spec.volumes", [{"name": "v", "configMap": {"name": "c", "items": [
        {"key": "a", "path": "x/y"}, {"key": "b", "path": "x"}, {"key": "c", "path": "xy"}]}}], [
        'volume "v" (ConfigMap "c"): overlapping paths: "x" with "x/y"']),
    ("spec.volumes", [{"name": "v", "projected": {"sources": [
        {"configMap": {"name": "c", "items": [{"key": "a", "path": "x"}]}},
        {"secret": {"name": "s", "items": [{"key": "a", "path": "x/y"}]}}]}}], [
        'volume "v" (Projected): overlapping paths: "x/y" (Secret "s") with "x" (ConfigMap "c")']),
    ("spec.hostAliases", [{"ip": "10.0.0.1", "hostnames": ["a"]}, {"ip": "10.0.0.1", "hostnames": ["b"]}], [
        'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"']),
    ("spec.hostAliases", [{"ip": "::ffff:10.0.0.1", "hostnames": ["a"]}], [
        'spec.hostAliases[0].ip: non-standard IP address "::ffff:10.0.0.1" will be considered invalid in a future '
        'Kubernetes release: use "10.0.0.1"']),
    ("metadata.annotations", {"seccomp.security.alpha.kubernetes.io/pod": "a"}, [
        "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "
        '"seccompProfile" field instead']),
    ("metadata.annotations", {"scheduler.alpha.kubernetes.io/critical-pod": ""}, [
        "metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "
        '"priorityClassName" field instead']),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "sentences"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)])
def test_a_pod(path: str, value: Any, sentences: list[str]) -> None:
    stored, errors = create(edited(pod(), path, value))
    assert errors == []
    assert BY_KIND["Pod"].strategy.warnings(stored) == sentences


def test_a_template_warns_where_it_stands() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    stored, _ = create(edited(deployment(), "spec.template.spec.containers.0.env", env))
    assert BY_KIND["Deployment"].strategy.warnings(stored) == [
        'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using '
        "apply"
    ]


def test_a_template_is_read_again_only_when_the_spec_changes() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    old, _ = create(edited(deployment(), "spec.template.spec.containers.0.env", env))
    old["metadata"]["generation"] = 1
    strategy = BY_KIND["Deployment"].strategy
    assert strategy.update_warnings(edited(old, "metadata.labels", {"a": "b"}), old) == []
    assert len(strategy.update_warnings(edited(old, "metadata.generation", 2), old)) == 1
    assert BY_KIND["Pod"].strategy.update_warnings(create(edited(pod(), "spec.containers.0.env", env))[0], pod()) == []


OTHERS: list[tuple[str, str, Any, list[str]]] = [
    ("PersistentVolume", "spec.persistentVolumeReclaimPolicy", "Recycle", [
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended "
        "approach is to use dynamic provisioning."]),
    ("PersistentVolume", "spec.rbd", {}, ["spec.rbd: deprecated in v1.28, non-functional in v1.31+"]),
    ("PersistentVolumeClaim", "metadata.annotations", {"volume.beta.kubernetes.io/storage-class": "a"}, [
        "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "
        '"storageClassName" attribute instead']),
    ("PersistentVolumeClaim", "spec.resources.requests.storage", "100m", [
        'spec.resources.requests[storage]: fractional byte value "100m" is invalid, must be an integer']),
    ("StatefulSet", "spec.revisionHistoryLimit", -1, [
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"]),
    ("StatefulSet", "metadata.annotations", {"container.apparmor.security.beta.kubernetes.io/web": "x"}, []),
    ("DaemonSet", "spec.template.metadata.annotations", {"container.apparmor.security.beta.kubernetes.io/web": "x"}, [
        "spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/web]: deprecated since "
        'v1.30; use the "appArmorProfile" field instead']),
    ("CronJob", "spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds", -1, [
        "spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid "
        "and will be treated as 1"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path", "value", "sentences"), OTHERS, ids=[f"{n}-{c[0]}" for n, c in enumerate(OTHERS)]
)
def test_other_kinds(kind: str, path: str, value: Any, sentences: list[str]) -> None:
    stored = edited(golden(kind.lower())[1], path, value)
    assert BY_KIND[kind].strategy.warnings(stored) == sentences


SERVICES: list[tuple[dict[str, Any], list[str]]] = [
    ({"clusterIP": "None", "clusterIPs": ["None"], "sessionAffinity": "ClientIP", "externalIPs": ["10.0.0.1"]}, [
        "spec.externalIPs is ignored for headless services",
        "spec.SessionAffinity is ignored for headless services"]),
    ({"externalIPs": ["2001:DB8::1"]}, [
        'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters"]),
    ({"externalName": "a.b"}, ['spec.externalName is ignored when spec.type is not "ExternalName"']),
    ({"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.1/8"]}, [
        'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/8" is ambiguous in this context (should be '
        '"10.0.0.0/8" or "10.0.0.1/32"?)']),
    ({"trafficDistribution": "PreferClose"}, [
        'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"']),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "sentences"), SERVICES)
def test_services(spec: dict[str, Any], sentences: list[str]) -> None:
    stored, _ = create(service(**spec))
    assert BY_KIND["Service"].strategy.warnings(stored) == sentences


def test_a_schedule_with_a_zone_of_old() -> None:
    old = golden("cronjob")[1]
    new = edited(old, "spec.schedule", "TZ=UTC 0 0 * * *")
    assert BY_KIND["CronJob"].strategy.update_warnings(new, old) == [
        "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
        "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
    ]
