"""Manifests the tests apply, as dicts: small, and different only in what a test is about."""

from __future__ import annotations

from typing import Any

from cluster.sample import IMAGE


def deployment(
    name: str, replicas: int = 3, *, image: str = IMAGE, container: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A Deployment of the sample web server, labelled `app: NAME`."""
    web = {
        "name": "web",
        "image": image,
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
        **(container or {}),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [web], "terminationGracePeriodSeconds": 2},
            },
            **spec,
        },
    }


def service(name: str, *, kind: str = "ClusterIP", **spec: Any) -> dict[str, Any]:
    """A Service in front of the Deployment NAME, on port 80."""
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": kind, "selector": {"app": name}, "ports": ports, **spec},
    }


def pod(
    name: str, *command: str, image: str = "busybox:1", container: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A pod of one busybox container called `main` that runs a shell script."""
    main = {"name": "main", "image": image, "command": ["sh", "-c", *command], **(container or {})}
    metadata = {"name": name, "labels": {"app": name}}
    grace = {"terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [main], **grace, **spec}}
