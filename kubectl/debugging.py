"""What `debug` makes: an ephemeral container, a copy of a pod, a pod on a node. Pure."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from kubectl.errors import CliError

Object = dict[str, Any]
MANAGED = {"app.kubernetes.io/managed-by": "kubectl-debug"}
_CAPABILITIES = {"general": ["SYS_PTRACE"], "netadmin": ["NET_ADMIN", "NET_RAW"]}
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_HOST_SPACES = {
    "legacy": ("hostIPC", "hostNetwork", "hostPID"),
    "general": ("hostIPC", "hostNetwork", "hostPID"),
    "netadmin": ("hostIPC", "hostNetwork", "hostPID"),
    "sysadmin": ("hostIPC", "hostNetwork", "hostPID"),
}
PROFILES = ("legacy", "general", "baseline", "netadmin", "restricted", "sysadmin")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


@dataclass(frozen=True)
class Wish:
    """The container to debug with."""

    name: str = ""
    image: str = ""
    command: list[str] = field(default_factory=list)
    as_arguments: bool = False
    env: list[str] = field(default_factory=list)
    pull_policy: str = ""
    stdin: bool = False
    tty: bool = False
    profile: str = "general"


def container(wish: Wish, *, on_node: bool = False) -> Object:
    """Raises CliError."""
    if wish.profile not in PROFILES:
        raise CliError(f"unknown profile: {wish.profile}")
    made: Object = {"name": wish.name, "image": wish.image, "terminationMessagePolicy": "File"}
    if wish.command:
        made["args" if wish.as_arguments else "command"] = wish.command
    if wish.env:
        made["env"] = [_variable(each) for each in wish.env]
    if wish.pull_policy:
        made["imagePullPolicy"] = wish.pull_policy
    made |= {name: True for name, wanted in (("stdin", wish.stdin), ("tty", wish.tty)) if wanted}
    if security := _security(wish.profile, on_node=on_node):
        made["securityContext"] = security
    return made


def _variable(text: str) -> Object:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise CliError(f"invalid argument {text!r} for --env: it must be NAME=VALUE")
    return {"name": name, "value": value}


def _security(profile: str, *, on_node: bool) -> Object:
    if profile == "sysadmin":
        return {"privileged": True}
    if profile == "restricted":
        return copy.deepcopy(_RESTRICTED)
    if profile in _CAPABILITIES and not (on_node and profile == "general"):
        return {"capabilities": {"add": _CAPABILITIES[profile]}}
    return {}


def ephemeral_patch(wish: Wish, target: str) -> Object:
    """A strategic merge patch of the subresource ephemeralcontainers."""
    made = container(wish)
    if target:
        made["targetContainerName"] = target
    return {"spec": {"ephemeralContainers": [made]}}


def node_pod(node: str, name: str, namespace: str, wish: Wish) -> Object:
    """A pod on that node, with its root at /host."""
    made = container(wish, on_node=True)
    spec: Object = {
        "nodeName": node,
        "restartPolicy": "Never",
        "tolerations": [{"operator": "Exists"}],
        "containers": [made],
        **dict.fromkeys(_HOST_SPACES.get(wish.profile, ()), True),
    }
    if wish.profile not in ("baseline", "restricted"):
        spec["volumes"] = [{"name": "host-root", "hostPath": {"path": "/"}}]
        made["volumeMounts"] = [{"name": "host-root", "mountPath": "/host"}]
    metadata = {"name": name, "namespace": namespace, "labels": dict(MANAGED)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@dataclass(frozen=True)
class Copy:
    """How a copy differs from its pod, besides the container to debug with."""

    name: str
    images: dict[str, str] = field(default_factory=dict)
    """New images by container; `*` is every other."""
    share_processes: bool = True
    same_node: bool = False
    keep_labels: bool = False


def pod_copy(pod: Object, wish: Wish, how: Copy) -> Object:
    """The pod under another name, out of its owner's sight: no labels, owners or probes. Raises CliError."""
    spec = copy.deepcopy(pod["spec"])
    for dropped in ("ephemeralContainers", "hostname", *(() if how.same_node else ("nodeName",))):
        spec.pop(dropped, None)
    if how.share_processes:
        spec["shareProcessNamespace"] = True
    for each in spec["containers"]:
        for probe in _PROBES:
            each.pop(probe, None)
        each["image"] = how.images.get(each["name"], how.images.get("*", each["image"]))
    _change(spec, wish)
    metadata: Object = {"name": how.name, "namespace": pod["metadata"]["namespace"]}
    for kept in ("annotations", *(("labels",) if how.keep_labels else ())):
        if pod["metadata"].get(kept):
            metadata[kept] = dict(pod["metadata"][kept])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _change(spec: Object, wish: Wish) -> None:
    """Add the container, or change the one that has its name."""
    existing = next((each for each in spec["containers"] if each["name"] == wish.name), None)
    if existing is None:
        if wish.image:
            spec["containers"].append(container(wish))
        elif wish.name:
            raise CliError("you must specify image when creating new container")
        return
    if wish.image:
        existing["image"] = wish.image
    if wish.command:
        existing.pop("args", None)
        existing["args" if wish.as_arguments else "command"] = wish.command
    existing |= {name: True for name, wanted in (("stdin", wish.stdin), ("tty", wish.tty)) if wanted}
