"""`pytheas describe`: one object told in full, with its events. A file a kind, and a general one for others."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from kubectl.describe.writer import Writer
from kubectl.server import Object

if TYPE_CHECKING:
    from kubectl.session import Session

Describer = Callable[["Session", Writer, Object], None]

_DESCRIBERS = {
    ("", "Pod"): "pod",
    ("", "Node"): "node",
    ("", "Service"): "service",
    ("", "Endpoints"): "endpoints",
    ("", "Namespace"): "namespace",
    ("", "ConfigMap"): "configmap",
    ("", "Secret"): "secret",
    ("", "ServiceAccount"): "serviceaccount",
    ("apps", "Deployment"): "deployment",
    ("apps", "ReplicaSet"): "replicaset",
    ("discovery.k8s.io", "EndpointSlice"): "endpointslice",
}


def describer(group: str, kind: str) -> Describer:
    """The function that tells an object of this kind: `describe` of the module named above."""
    module = _DESCRIBERS.get((group, kind), "generic")
    found: Describer = importlib.import_module(f"kubectl.describe.{module}").describe
    return found
