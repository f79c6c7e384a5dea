"""The bodies of Docker's create calls for a sandbox and for a container: pure, so that they can be read in a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.types import core_v1
from kubelet.eviction.use import is_critical
from kubelet.logs.workload import workload_of
from kubelet.pod import resources, sysctls
from kubelet.pod.expand import expand
from kubelet.pod.ground import Ground
from kubelet.pod.identity import ROOT, Identity
from kubelet.pod.problem import SandboxError
from kubelet.pod.security import apply_security
from kubelet.runtime import container as labels
from kubelet.runtime import pause
from kubelet.sandboxes.pool import Space


@dataclass(frozen=True)
class Mount:
    source: str
    target: str
    read_only: bool = False
    propagation: str = ""

    def entry(self) -> dict[str, Any]:
        """As Docker's `Mounts` has it: a path with a colon in it, as devices have, is no trouble there."""
        # Left unsaid it is private, but where the engine's own folder lies below (the host's root): there it must not.
        options: dict[str, Any] = {"Propagation": self.propagation} if self.propagation else {}
        if self.read_only:
            # What is mounted below stays writable, as in Kubernetes; newer engines have to be told.
            options["ReadOnlyNonRecursive"] = True
        return {
            "Type": "bind",
            "Source": self.source,
            "Target": self.target,
            "ReadOnly": self.read_only,
            "BindOptions": options,
        }


@dataclass(frozen=True)
class Wanted:
    """What the worker has gathered for one container."""

    sandbox_id: str
    attempt: int
    image_id: str
    spec_hash: str
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    user: Identity = ROOT
    devices: Sequence[str] = ()
    """The machine's, for a privileged container."""
    image_digest: str = ""
    """`repository@sha256:…`, if a registry knows the image."""
    runtime: str = ""
    """The sandbox's, if it isn't the engine's default."""


def sandbox_body(
    pod: core_v1.Pod, ground: Ground, attempt: int, hostname: str, space: Space | None = None, runtime: str = ""
) -> dict[str, Any]:
    """`space` is the network namespace that the sandbox joins by itself; without one Docker makes it.

    Raises SandboxError for what Docker can't give a single container.
    """
    metadata, spec = _parts(pod)
    if spec.hostUsers is False:
        raise SandboxError("the container runtime does not support user namespaces, which hostUsers=false asks for")
    host: dict[str, Any] = {
        "NetworkMode": "host" if spec.hostNetwork else "none",
        "UTSMode": "host" if spec.hostNetwork else "",
        "IpcMode": "host" if spec.hostIPC else "shareable",
        "PidMode": "host" if spec.hostPID else "",
        "CgroupParent": parent(pod, ground),
        "CpuShares": resources.MIN_SHARES,
        "OomScoreAdj": max(resources.SANDBOX_OOM_SCORE, ground.lowest_oom_score),
        # The pause program does nothing that a filter could forbid, and compiling one costs every pod's start.
        "SecurityOpt": ["no-new-privileges", "seccomp=unconfined"],
        "LogConfig": {"Type": "none"},
        "RestartPolicy": {"Name": "no"},
        "ReadonlyRootfs": True,
        "Sysctls": sysctls.values(spec),
    }
    body: dict[str, Any] = {
        "Image": ground.pause_image,
        "Hostname": "" if spec.hostNetwork else hostname,
        "Labels": {
            **_pod_labels(metadata, ground),
            labels.CONTAINER_TYPE: labels.SANDBOX,
            labels.CONTAINER_NAME: "POD",
            labels.ATTEMPT: str(attempt),
        },
        "HostConfig": host,
    }
    if space is not None:
        _join(body, space)
    if runtime:
        host["Runtime"] = body["Labels"][labels.RUNTIME] = runtime
    return body


def _join(body: dict[str, Any], space: Space) -> None:
    """Let the sandbox begin on the host's network, which Docker gives in half the time, and leave it at once."""
    body["Entrypoint"] = list(pause.JOINING)
    body["Labels"][labels.NETWORK] = space.name
    body["HostConfig"] |= {
        "NetworkMode": "host",
        "Binds": [f"{space.path}:{pause.NETNS}:ro"],
        "CapDrop": ["ALL"],
        "CapAdd": ["SYS_ADMIN"],
    }


def container_body(pod: core_v1.Pod, spec: core_v1.Container, wanted: Wanted, ground: Ground) -> dict[str, Any]:
    """Raises CreateError when it names a profile that can't be had."""
    metadata, pod_spec = _parts(pod)
    score = resources.oom_score(spec, pod_spec, ground.memory, critical=is_critical(pod))
    joined = f"container:{wanted.sandbox_id}"
    host: dict[str, Any] = {
        "NetworkMode": joined,
        "UTSMode": "host" if pod_spec.hostNetwork else "",
        "IpcMode": joined if not pod_spec.hostIPC else "host",
        "PidMode": "host" if pod_spec.hostPID else joined if pod_spec.shareProcessNamespace else "",
        "Mounts": [each.entry() for each in wanted.mounts],
        "CgroupParent": parent(pod, ground),
        **resources.limits(spec, ground.cpu_period).host_config(ground.cpu_period),
        "OomScoreAdj": max(score, ground.lowest_oom_score),
        "LogConfig": {
            "Type": "json-file",
            "Config": {"max-size": str(ground.log_max_size), "max-file": str(ground.log_max_files)},
        },
        "RestartPolicy": {"Name": "no"},
        "GroupAdd": [str(each) for each in wanted.user.groups if each != wanted.user.gid],
    }
    if wanted.runtime:
        host["Runtime"] = wanted.runtime
    body: dict[str, Any] = {
        "Image": wanted.image_id,
        "User": f"{wanted.user.uid}:{wanted.user.gid}",
        "Env": [f"{name}={value}" for name, value in wanted.env.items()],
        "WorkingDir": spec.workingDir or "",
        "Tty": bool(spec.tty),
        "OpenStdin": bool(spec.stdin),
        "StdinOnce": bool(spec.stdinOnce),
        # The kubelet's own probes decide, not the image's.
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": {
            **_pod_labels(metadata, ground),
            labels.CONTAINER_TYPE: labels.CONTAINER,
            labels.CONTAINER_NAME: spec.name,
            labels.SANDBOX_ID: wanted.sandbox_id,
            labels.WORKLOAD: workload_of(metadata),
            labels.ATTEMPT: str(wanted.attempt),
            labels.SPEC_HASH: wanted.spec_hash,
            labels.USER: str(wanted.user),
            labels.IMAGE_DIGEST: wanted.image_digest,
            labels.GRACE: str(pod_spec.terminationGracePeriodSeconds or 0),
        },
        "HostConfig": host,
    }
    if spec.command:
        body["Entrypoint"] = [expand(part, wanted.env) for part in spec.command]
    if spec.args:
        body["Cmd"] = [expand(part, wanted.env) for part in spec.args]
    elif spec.command:
        body["Cmd"] = []
    if spec.lifecycle is not None and spec.lifecycle.stopSignal:
        body["StopSignal"] = spec.lifecycle.stopSignal
    apply_security(pod_spec, spec, body, wanted.devices, ground)
    return body


def parent(pod: core_v1.Pod, ground: Ground) -> str:
    metadata, spec = _parts(pod)
    qos = resources.qos_class(spec)
    return resources.cgroup_parent(ground.cgroup_root, qos, metadata.uid or "", ground.cgroup_driver)


def _pod_labels(metadata: Any, ground: Ground) -> dict[str, str]:
    return {
        labels.POD_NAME: metadata.name,
        labels.POD_NAMESPACE: metadata.namespace,
        labels.POD_UID: metadata.uid,
        labels.NODE: ground.node,
    }


def _parts(pod: core_v1.Pod) -> tuple[Any, core_v1.PodSpec]:
    assert pod.metadata is not None
    assert pod.spec is not None
    return pod.metadata, pod.spec
