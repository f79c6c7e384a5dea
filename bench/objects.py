"""The objects that the benchmarks make: as large and as detailed as those of a real cluster."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def config_map(number: int) -> Object:
    """About 350 bytes, as a small application's settings."""
    data = {"application.yaml": f"name: example-{number}\n" + "setting: value\n" * 10}
    meta = {"name": f"bench-{number}", "namespace": "default", "labels": {"app": "bench"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def pod(number: int, scheduler: str = "default-scheduler") -> Object:
    """A pod with two containers, probes, variables and volumes: some 3 kB before the server's defaults."""
    meta = {
        "name": f"bench-{number}",
        "namespace": "default",
        "labels": {"app": "bench", "pod-template-hash": f"{number % 50:010d}", "team": "platform"},
        "annotations": {"example.org/build": f"{number:040d}", "example.org/contact": "nobody@example.org"},
    }
    volumes = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "scratch", "emptyDir": {}},
    ]
    spec = {
        "schedulerName": scheduler,
        "containers": [_container("app", 8080), _container("sidecar", 9090)],
        "volumes": volumes,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "terminationGracePeriodSeconds": 30,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _container(name: str, port: int) -> Object:
    probe = {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 10, "failureThreshold": 3}
    variables = [{"name": f"SETTING_{n}", "value": f"the value of setting number {n}"} for n in range(12)]
    return {
        "name": name,
        "image": f"registry.example.org/platform/{name}:1.2.3",
        "ports": [{"containerPort": port, "name": f"p{port}"}],
        "env": [*variables, {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "readinessProbe": probe,
        "livenessProbe": probe,
        "volumeMounts": [
            {"name": "settings", "mountPath": "/etc/settings", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    }


def node(number: int) -> Object:
    """A ready node with room for all the pods it may get: an object only, no machine behind it."""
    name = f"bench-node-{number}"
    room = {"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "an object only"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": f"10.244.{number}.0/24", "podCIDRs": [f"10.244.{number}.0/24"]},
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": [condition],
            "addresses": [{"type": "InternalIP", "address": f"192.0.2.{number + 1}"}],
        },
    }


def service(number: int) -> Object:
    spec = {"ports": [{"name": "http", "port": 80, "targetPort": 8080}], "clusterIP": cluster_ip(number)}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"bench-{number}", "namespace": "default"},
        "spec": spec,
    }


def cluster_ip(number: int) -> str:
    return f"10.96.{1 + number // 250}.{1 + number % 250}"


def endpoint_slice(number: int, endpoints: int, unready: int = -1) -> Object:
    """The slice of `service(number)`; the endpoint numbered `unready` is not ready."""
    entries = []
    for index in range(endpoints):
        position = number * endpoints + index
        ready = index != unready
        target = {"kind": "Pod", "namespace": "default", "name": f"bench-{number}-{index}", "uid": f"{position:036d}"}
        entries.append(
            {
                "addresses": [f"10.244.{position // 250}.{2 + position % 250}"],
                "conditions": {"ready": ready, "serving": ready, "terminating": False},
                "nodeName": f"bench-node-{index}",
                "targetRef": target,
            }
        )
    meta = {
        "name": f"bench-{number}-a",
        "namespace": "default",
        "labels": {"kubernetes.io/service-name": f"bench-{number}"},
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta,
        "addressType": "IPv4",
        "endpoints": entries,
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }
