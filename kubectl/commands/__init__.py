"""The commands by name: where each lives and what one line says of it. Nothing here imports a command."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    module: str
    summary: str
    group: str


BASIC, DEPLOY, CLUSTER, DEBUG, ADVANCED, SETTINGS = (
    "Basic commands",
    "Deploy commands",
    "Cluster commands",
    "Troubleshooting commands",
    "Advanced commands",
    "Settings and other commands",
)

COMMANDS: dict[str, Entry] = {
    "get": Entry("get", "Show one or many objects", BASIC),
    "describe": Entry("describe", "Show an object in detail, with its events", BASIC),
    "apply": Entry("apply", "Create or change what files describe", BASIC),
    "create": Entry("create.files", "Create from files, or a common kind from flags", BASIC),
    "create namespace": Entry("create.namespace", "", BASIC),
    "create deployment": Entry("create.deployment", "", BASIC),
    "create configmap": Entry("create.configmap", "", BASIC),
    "create secret": Entry("create.secret", "", BASIC),
    "create service": Entry("create.service", "", BASIC),
    "create serviceaccount": Entry("create.serviceaccount", "", BASIC),
    "delete": Entry("delete", "Delete objects, and wait until they are gone", BASIC),
    "expose": Entry("expose", "Make a Service for the pods of an object", BASIC),
    "edit": Entry("edit", "Change an object in an editor", BASIC),
    "scale": Entry("scale", "Set how many replicas there are", DEPLOY),
    "set image": Entry("set.image", "Change the image of a pod template", DEPLOY),
    "rollout status": Entry("rollout.status", "Follow a rollout to its end", DEPLOY),
    "rollout history": Entry("rollout.history", "Show earlier revisions", DEPLOY),
    "rollout undo": Entry("rollout.undo", "Go back to an earlier revision", DEPLOY),
    "rollout restart": Entry("rollout.restart", "Replace the pods by new ones", DEPLOY),
    "rollout pause": Entry("rollout.pause", "Hold the rollouts of a Deployment", DEPLOY),
    "rollout resume": Entry("rollout.resume", "Go on with them", DEPLOY),
    "why": Entry("why", "Say why a pod does not run", DEBUG),
    "logs": Entry("logs", "Print what containers have written", DEBUG),
    "exec": Entry("exec", "Run a command in a container", DEBUG),
    "attach": Entry("attach", "Watch or talk to a container's own process", DEBUG),
    "cp": Entry("cp", "Copy files and folders to and from containers", DEBUG),
    "port-forward": Entry("port_forward", "Let local ports lead into a pod", DEBUG),
    "top nodes": Entry("top.nodes", "Show what nodes use", CLUSTER),
    "top pods": Entry("top.pods", "Show what pods use", DEBUG),
    "debug": Entry("debug", "Look into a pod or node with tools of your own", DEBUG),
    "proxy": Entry("proxy", "Serve the API on a local port", DEBUG),
    "events": Entry("events", "Show what happened lately", DEBUG),
    "wait": Entry("wait", "Wait for objects to reach a condition", DEBUG),
    "image load": Entry("image.load", "Bring an image to the nodes without a registry", CLUSTER),
    "image ls": Entry("image.ls", "Show the images that the nodes have", CLUSTER),
    "image rm": Entry("image.rm", "Remove images from the nodes", CLUSTER),
    "cordon": Entry("cordon", "Let no more pods be scheduled to a node", CLUSTER),
    "uncordon": Entry("uncordon", "Let pods be scheduled to it again", CLUSTER),
    "drain": Entry("drain", "Empty a node for maintenance", CLUSTER),
    "patch": Entry("patch", "Change fields of an object by a patch", ADVANCED),
    "diff": Entry("diff", "Show what apply would change", ADVANCED),
    "label": Entry("label", "Set and remove labels", SETTINGS),
    "annotate": Entry("annotate", "Set and remove annotations", SETTINGS),
    "explain": Entry("explain", "Describe the fields of a kind", SETTINGS),
    "api-resources": Entry("api_resources", "List the kinds that the server serves", SETTINGS),
    "api-versions": Entry("api_versions", "List the API versions that it serves", SETTINGS),
    "config view": Entry("config.view", "Show the kubeconfig in use", SETTINGS),
    "config get-contexts": Entry("config.get_contexts", "List its contexts", SETTINGS),
    "config current-context": Entry("config.current_context", "Name the one in use", SETTINGS),
    "config use-context": Entry("config.use_context", "Choose another", SETTINGS),
    "config set-context": Entry("config.set_context", "Change a context, e.g. its namespace", SETTINGS),
    "version": Entry("version", "Show the versions of the CLI and the server", SETTINGS),
}

ALIASES = {
    "cm": "configmap",
    "deploy": "deployment",
    "ns": "namespace",
    "sa": "serviceaccount",
    "svc": "service",
    "node": "nodes",
    "no": "nodes",
    "pod": "pods",
    "po": "pods",
    "log": "logs",
    "event": "events",
}

CLUSTER_COMMANDS = {
    "up": "Start a cluster on this machine",
    "down": "Stop it and undo what it changed on the machine",
    "init": "",
    "join": "",
    "doctor": "",
}
"""Commands of the cluster package, run as `python -m cluster.main …`; those without a word here are not in the help."""
