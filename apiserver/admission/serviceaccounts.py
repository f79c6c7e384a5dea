"""A pod runs as some service account, `default` when it names none, and finds its token in its containers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from api import names
from apiserver.admission import lookup
from apiserver.registry.kind import Object
from apiserver.registry.pod_rules import MIRROR
from apiserver.registry.pod_usage import containers
from apiserver.storage.cache import Cache, Expired

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State

DEFAULT = "default"
ROOT_CERTIFICATE = "kube-root-ca.crt"
"""The ConfigMap of a namespace that says whom to trust. A controller makes it, and a pod's start waits for it."""

_VOLUME = "kube-api-access"
_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_SECONDS = 3607
"""A lifetime by which tokens of this volume are told from those that a pod asks for itself."""
_SOON = 1.0
"""Seconds that the account of a new namespace may take."""


async def default_account(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Give a new pod its account, and what the account brings. Raises Forbidden for an account that is not there.

    `default` may be missing: a server may run without the controller that makes it. Its pods get no token.
    """
    if obj is None or not attributes.creates("pods"):
        return
    spec = obj.get("spec")
    if not isinstance(spec, dict) or MIRROR in (obj["metadata"].get("annotations") or {}):
        return
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    found = await _find(state, attributes, name)
    if found is None:
        return
    if not spec.get("imagePullSecrets") and found.get("imagePullSecrets"):
        spec["imagePullSecrets"] = found["imagePullSecrets"]
    if _wants_token(spec, found):
        mount(spec)


async def _find(state: State, attributes: Attributes, name: str) -> Object | None:
    if name == DEFAULT:
        cache = state.resource("serviceaccounts").cache
        key = f"{attributes.namespace}/{DEFAULT}"
        if key not in cache.entries and f"{DEFAULT}/{DEFAULT}" in cache.entries:
            await _appears(cache, key)  # there is somebody who makes them: it is on its way
        entry = cache.entries.get(key)
        return entry.decode() if entry is not None else None
    found = await lookup.find(state, "serviceaccounts", "", name, attributes.namespace)
    if found is None:
        where = f"{attributes.namespace}/{name}"
        raise attributes.forbidden(f'error looking up service account {where}: serviceaccount "{name}" not found')
    return found


async def _appears(cache: Cache, key: str) -> None:
    """Wait a moment for an object: who makes a namespace and a pod in it at once is faster than any controller."""
    watcher = cache.watch(cache.revision)
    try:
        async with asyncio.timeout(_SOON):
            while key not in cache.entries:
                await watcher.wait()
                watcher.take()
    except (TimeoutError, Expired):
        return
    finally:
        watcher.close()


def _wants_token(spec: Object, found: Object) -> bool:
    for said in (spec.get("automountServiceAccountToken"), found.get("automountServiceAccountToken")):
        if said is not None:
            return bool(said)
    return True


def mount(spec: Object) -> None:
    """Put the token, the certificate and the namespace where clients look, unless something is there already."""
    lacking = [each for each in containers(spec) if not _has(each)]
    if not lacking:
        return
    name = names.generate(f"{_VOLUME}-")
    spec["volumes"] = [*(spec.get("volumes") or ()), {"name": name, "projected": _sources()}]
    for container in lacking:
        mounted = {"name": name, "readOnly": True, "mountPath": _PATH}
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mounted]


def _has(container: Object) -> bool:
    return any(mounted.get("mountPath") == _PATH for mounted in container.get("volumeMounts") or ())


def _sources() -> Object:
    reference = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "defaultMode": 0o644,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": _SECONDS, "path": "token"}},
            {"configMap": {"name": ROOT_CERTIFICATE, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": reference}]}},
        ],
    }
