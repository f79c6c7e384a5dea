"""A manifest's text made into the pod that this node shall run: pure.

The pod's uid is a hash of what it says and where it was found, so that a restarted kubelet finds its containers again,
and a changed manifest is another pod.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import orjson

from api.codec import MalformedBody
from api.names import dns1123_label, dns1123_subdomain
from api.types import core_v1
from api.yaml import decode_yaml
from kubelet.pod.env import references
from kubelet.static.annotations import HASH, SEEN, SOURCE

_SPEC = {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"}
_GRACE = 30


class BadManifest(ValueError):
    """The manifest is no pod that a node can run by itself; the message says why."""


def read(text: bytes, path: str, node: str, seen: str) -> core_v1.Pod:
    """The pod of one manifest in YAML or JSON. `seen` is the time, in the API's form. Raises BadManifest."""
    obj = _parse(text)
    uid = _hash(obj, path, node)
    metadata, spec = obj.get("metadata") or {}, obj["spec"]
    if not isinstance(metadata, dict):
        raise BadManifest("invalid pod: metadata: Invalid value")
    name, uid = str(metadata.get("name") or ""), str(metadata.get("uid") or uid)
    marks = {**(metadata.get("annotations") or {}), HASH: uid, SEEN: seen, SOURCE: "file"}
    metadata = metadata | {
        "name": f"{name}-{node.lower()}",
        "namespace": metadata.get("namespace") or "default",
        "uid": uid,
        "annotations": marks,
    }
    _default(spec, node)
    try:
        pod = msgspec.convert({"metadata": metadata, "spec": spec}, core_v1.Pod)
    except msgspec.ValidationError as error:
        raise BadManifest(f"invalid pod: {error}") from error
    _check(pod, name)
    return pod


def _parse(text: bytes) -> dict[str, Any]:
    try:
        # JSON is YAML, too, but for the tabs.
        obj = orjson.loads(text) if text.lstrip().startswith(b"{") else decode_yaml(text)
    except (MalformedBody, ValueError) as error:
        raise BadManifest(f"couldn't parse as pod: {error}") from error
    if obj.get("kind") != "Pod" or obj.get("apiVersion") != "v1":
        said = f"apiVersion {obj.get('apiVersion')}, kind {obj.get('kind')}"
        raise BadManifest(f"couldn't parse as pod: a Pod of v1 is wanted, this says {said}")
    if not isinstance(obj.get("spec"), dict):
        raise BadManifest("invalid pod: spec: Required value")
    return dict(obj)


def _hash(obj: dict[str, Any], path: str, node: str) -> str:
    said = orjson.dumps([obj, f"host:{node}", f"file:{path}"], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def _default(spec: dict[str, Any], node: str) -> None:
    for name, value in _SPEC.items():
        spec[name] = spec.get(name) or value
    if spec.get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = _GRACE
    spec["nodeName"] = node
    for kind in ("initContainers", "containers"):
        listed = spec.get(kind)
        for container in listed if isinstance(listed, list) else ():
            if isinstance(container, dict) and isinstance(container.get("resources"), dict):
                _default_requests(container["resources"])
    # A static pod stays whatever the node's troubles are: nobody could put it elsewhere.
    tolerations = spec.get("tolerations") or []
    if isinstance(tolerations, list):
        others = [each for each in tolerations if not _tolerates_all(each)]
        spec["tolerations"] = [*others, {"operator": "Exists", "effect": "NoExecute"}]


def _default_requests(resources: dict[str, Any]) -> None:
    """Amounts as text, and what is limited is requested, as the API server has it."""
    for name in ("limits", "requests"):
        if isinstance(resources.get(name), dict):
            resources[name] = {what: str(amount) for what, amount in resources[name].items()}
    if isinstance(resources.get("limits"), dict):
        resources["requests"] = resources["limits"] | (resources.get("requests") or {})


def _tolerates_all(toleration: Any) -> bool:
    said = {name: value for name, value in toleration.items() if value} if isinstance(toleration, dict) else {}
    return said == {"operator": "Exists", "effect": "NoExecute"}


def _check(pod: core_v1.Pod, name: str) -> None:
    """What the API server would check of it later, as far as the node itself depends on it. Raises BadManifest."""
    spec = pod.spec
    assert spec is not None
    problems = [f"metadata.name: {why}" for why in dns1123_subdomain(name)]
    names = [each.name for each in [*(spec.initContainers or ()), *(spec.containers or ())]]
    problems += [f'spec.containers: name "{each}": {why}' for each in names for why in dns1123_label(each)]
    problems += [f'spec.containers: Duplicate value: "{each}"' for each in sorted(set(names)) if names.count(each) > 1]
    if not spec.containers:
        problems.append("spec.containers: Required value")
    for each in [*(spec.initContainers or ()), *(spec.containers or ())]:
        if not each.image:
            problems.append(f'image of container "{each.name}": Required value')
    if problems:
        raise BadManifest("invalid pod: " + ", ".join(problems))
    resource = reference(pod)
    if resource:
        raise BadManifest(f"static pods may not reference {resource}")


def reference(pod: core_v1.Pod) -> str:
    """The kind of API objects that the pod needs, in the plural, or nothing: a node alone can't fetch any."""
    spec = pod.spec
    assert spec is not None
    configmaps, secrets = references(pod)
    volumes = spec.volumes or ()
    sources = [source for each in volumes if each.projected is not None for source in each.projected.sources or ()]
    needed = {
        "serviceaccounts": spec.serviceAccountName or any(each.serviceAccountToken for each in sources),
        "secrets": secrets or spec.imagePullSecrets,
        "configmaps": configmaps,
        "persistentvolumeclaims": any(each.persistentVolumeClaim or each.ephemeral for each in volumes),
        "clustertrustbundles": any(each.clusterTrustBundle for each in sources),
        "resourceclaims": spec.resourceClaims,
    }
    return next((resource for resource, needs in needed.items() if needs), "")
