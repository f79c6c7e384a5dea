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
}

ALIASES = {"desc": "describe", "ls": "get", "namespaces": "namespace", "cm": "configmap", "deploy": "deployment"}

CLUSTER_COMMANDS = {
    "up": "Start a cluster on this machine",
    "down": "Stop it and undo what it changed on the machine",
    "init": "Make this machine the first of a cluster",
    "join": "Make this machine a node of a cluster",
    "doctor": "Check what a cluster needs of this machine",
}
"""Commands of the cluster package, run as `python -m cluster.main …`."""
