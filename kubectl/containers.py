"""Which of a pod's containers is meant."""

from __future__ import annotations

from typing import Any

from kubectl.errors import CliError
from kubectl.session import Session

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
GROUPS = {"containers": "", "ephemeralContainers": " (ephem)", "initContainers": " (init)"}
"""In the order in which kubectl lists them."""
Object = dict[str, Any]


def choose(session: Session, pod: Object, wanted: str, *, quiet: bool = False) -> str:
    """The container named, or the default one, which is told if there are others. Raises CliError."""
    listed = {each["name"]: mark for group, mark in GROUPS.items() for each in pod["spec"].get(group) or ()}
    choice = ", ".join(name + mark for name, mark in listed.items())
    if wanted:
        if wanted not in listed:
            name = pod["metadata"]["name"]
            raise CliError(f"container {wanted} is not valid for pod {name} out of: {choice}")
        return wanted
    chosen = str((pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER))
    if chosen not in listed:
        chosen = str(pod["spec"]["containers"][0]["name"])
    if len(listed) > 1 and not quiet:
        session.terminal.complain(f'Defaulted container "{chosen}" out of: {choice}')
    return chosen
