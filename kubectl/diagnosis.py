"""Why a pod is not what it should be, from what the API says of it: a pure function from the pod and its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubectl.describe.common import event_age, last_seen

Object = dict[str, Any]

_HINTS = {
    "CrashLoopBackOff": "see what it printed before it ended: pytheas logs {pod} -c {container} --previous",
    "ImagePullBackOff": "check the image's name, and that the node can reach its registry: {image}",
    "ErrImagePull": "check the image's name, and that the node can reach its registry: {image}",
    "ErrImageNeverPull": "the image is not on the node and may not be pulled: load it there, or change imagePullPolicy",
    "InvalidImageName": "the image's name cannot be read: {image}",
    "CreateContainerConfigError": "a ConfigMap or Secret that it uses is missing, or a key in it",
    "RunContainerError": "the runtime could not start it: check command, args and mounts",
    "OOMKilled": "it used more memory than its limit: raise resources.limits.memory, or look for a leak",
}


@dataclass(frozen=True)
class Finding:
    """One reason, as a sentence; `hint` is what to try."""

    text: str
    hint: str = ""


def diagnose(pod: Object, events: Sequence[Object] = ()) -> list[Finding]:
    """The reasons, the most telling first; empty when the pod is as it should be."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return list(_terminating(pod))
    if status.get("phase") in ("Failed", "Succeeded"):
        return list(_ended(pod))
    found = [*_scheduling(pod, events), *_containers(pod, events)]
    if not found and not _ready(pod):
        found = list(_waiting_for_node(pod, events))
    return found


def _condition(pod: Object, name: str) -> Object:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == name), {})


def _ready(pod: Object) -> bool:
    return bool(_condition(pod, "Ready").get("status") == "True")


def _terminating(pod: Object) -> Iterator[Finding]:
    metadata = pod["metadata"]
    grace = metadata.get("deletionGracePeriodSeconds", 0)
    yield Finding(f"It is being deleted, since {metadata['deletionTimestamp']}, with {grace}s to end by itself.")
    if metadata.get("finalizers"):
        names = ", ".join(metadata["finalizers"])
        yield Finding(
            f"It stays until these finalizers are removed: {names}.", "each belongs to a controller: is it up?"
        )
    elif pod["spec"].get("nodeName"):
        node = pod["spec"]["nodeName"]
        yield Finding(
            f"Node {node} must confirm that it has stopped.", f"is the node well? pytheas describe node {node}"
        )


def _ended(pod: Object) -> Iterator[Finding]:
    status = pod["status"]
    reason = f": {status['reason']}" if status.get("reason") else ""
    message = f" ({status['message']})" if status.get("message") else ""
    policy = pod["spec"].get("restartPolicy", "Always")
    yield Finding(f"It has ended, {status['phase']}{reason}{message}; its restartPolicy is {policy}.")
    for container in status.get("containerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated")
        if ended:
            yield Finding(_exit(container["name"], ended))


def _exit(name: str, ended: Object) -> str:
    message = f": {ended['message'].strip()}" if ended.get("message") else ""
    code, reason = ended.get("exitCode", 0), ended.get("reason", "no reason")
    return f"Container {name} ended with exit code {code}, {reason}{message}."


def _scheduling(pod: Object, events: Sequence[Object]) -> Iterator[Finding]:
    if pod["spec"].get("nodeName"):
        return
    condition = _condition(pod, "PodScheduled")
    gates = [gate["name"] for gate in pod["spec"].get("schedulingGates") or ()]
    if gates:
        yield Finding(f"It may not be scheduled yet: its scheduling gates are {', '.join(gates)}.")
    elif condition.get("status") == "False":
        yield Finding(f"No node takes it: {condition.get('message') or condition.get('reason', '')}", _room(condition))
    else:
        scheduler = pod["spec"].get("schedulerName", "default-scheduler")
        told = _latest(events, "FailedScheduling")
        text = told["message"] if told else f"no scheduler has looked at it yet; it waits for {scheduler}."
        yield Finding(f"It has no node: {text}", "is the scheduler up? pytheas get lease -n kube-system")


def _room(condition: Object) -> str:
    message = condition.get("message") or ""
    if "no nodes" in message:
        return "no machine has joined the cluster, or its kubelet is down: pytheas get nodes"
    if "Insufficient" in message:
        return "lower its resources.requests, or free or add a node: pytheas describe nodes"
    if "taint" in message:
        return "add a toleration, or remove the taint: pytheas describe nodes"
    if "selector" in message or "affinity" in message:
        return "label a node, or change nodeSelector or affinity: pytheas get nodes --show-labels"
    if "unschedulable" in message:
        return "a node is cordoned: pytheas uncordon NODE"
    return ""


def _containers(pod: Object, events: Sequence[Object]) -> Iterator[Finding]:
    status = pod.get("status") or {}
    specs = {c["name"]: c for key in ("initContainers", "containers") for c in pod["spec"].get(key) or ()}
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        state = container.get("state") or {}
        names = {"pod": pod["metadata"]["name"], "container": container["name"]}
        names["image"] = specs.get(container["name"], {}).get("image", "")
        waiting = state.get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in ("ContainerCreating", "PodInitializing"):
            yield _waiting(container, waiting, names)
        elif "terminated" in state and state["terminated"].get("exitCode"):
            ended = state["terminated"]
            yield Finding(_exit(container["name"], ended), _HINTS.get(ended.get("reason", ""), "").format(**names))
        elif "running" in state and not container.get("ready"):
            yield _unready(container, events)


def _waiting(container: Object, waiting: Object, names: dict[str, str]) -> Finding:
    text = f"Container {container['name']} waits: {waiting['reason']}"
    text += f", {waiting['message'].strip()}" if waiting.get("message") else ""
    text += "."
    ended = (container.get("lastState") or {}).get("terminated")
    if ended:
        text += f" Its last run ended with exit code {ended.get('exitCode', 0)} ({ended.get('reason', '')}); "
        text += f"restarts so far: {container.get('restartCount', 0)}."
    reason = ended.get("reason") if ended and ended.get("reason") == "OOMKilled" else waiting["reason"]
    return Finding(text, _HINTS.get(reason, "").format(**names))


def _unready(container: Object, events: Sequence[Object]) -> Finding:
    told = _latest(events, "Unhealthy")
    text = f"Container {container['name']} runs but is not ready"
    return Finding(f"{text}: {told['message'].strip()} ({event_age(told)} ago)" if told else f"{text} yet.")


def _waiting_for_node(pod: Object, events: Sequence[Object]) -> Iterator[Finding]:
    node = pod["spec"].get("nodeName")
    warnings = [e for e in events if e.get("type") == "Warning" and e.get("reason") != "FailedScheduling"]
    if warnings:
        last = max(warnings, key=last_seen)
        yield Finding(f"Node {node} says: {last['reason']}, {last['message'].strip()} ({event_age(last)} ago)")
    elif not (pod.get("status") or {}).get("startTime"):
        hint = f"is its kubelet up? pytheas describe node {node}"
        yield Finding(f"It is bound to node {node}, whose kubelet has not started it yet.", hint)
    else:
        yield Finding(f"Node {node} is making it: its containers are being created.")


def _latest(events: Sequence[Object], reason: str) -> Object | None:
    found = [event for event in events if event.get("reason") == reason]
    return max(found, key=last_seen) if found else None
