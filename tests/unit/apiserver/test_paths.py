"""What a path names."""

from __future__ import annotations

import pytest

from apiserver.endpoints.paths import Target, parse


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api", Target()),
        ("/apis", Target()),
        ("/api/v1", Target(version="v1")),
        ("/apis/apps", Target(group="apps")),
        ("/apis/apps/v1", Target(group="apps", version="v1")),
        ("/apis/apps/v1/", Target(group="apps", version="v1")),
        ("/api/v1/pods", Target(version="v1", plural="pods")),
        ("/api/v1/nodes/n1", Target(version="v1", plural="nodes", name="n1")),
        ("/api/v1/nodes/n1/status", Target(version="v1", plural="nodes", name="n1", subresource="status")),
        ("/api/v1/namespaces", Target(version="v1", plural="namespaces")),
        ("/api/v1/namespaces/x", Target(version="v1", plural="namespaces", name="x")),
        ("/api/v1/namespaces/x/status", Target(version="v1", plural="namespaces", name="x", subresource="status")),
        ("/api/v1/namespaces/x/finalize", Target(version="v1", plural="namespaces", name="x", subresource="finalize")),
        ("/api/v1/namespaces/x/pods", Target(version="v1", plural="pods", namespace="x")),
        (
            "/api/v1/namespaces/x/pods/p/log",
            Target(version="v1", plural="pods", namespace="x", name="p", subresource="log"),
        ),
        (
            "/api/v1/namespaces/x/services/s/proxy/a/b",
            Target(version="v1", plural="services", namespace="x", name="s", subresource="proxy", rest="a/b"),
        ),
        (
            "/apis/apps/v1/namespaces/x/deployments/d/scale",
            Target("apps", "v1", "deployments", "x", "d", "scale"),
        ),
        ("/api/v1/watch/pods", Target(version="v1", plural="pods", watch=True)),
        (
            "/api/v1/watch/namespaces/x/pods/p",
            Target(version="v1", plural="pods", namespace="x", name="p", watch=True),
        ),
    ],
)
def test_paths(path: str, target: Target) -> None:
    assert parse(path) == target
