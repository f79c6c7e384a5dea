"""Which ports `port-forward` is to connect. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubectl.errors import CliError

Object = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """A local port (0 is any free one) and the pod's."""

    local: int
    remote: int


def parse(text: str, pod: Object, service: Object | None) -> Pair:
    """`PORT`, `LOCAL:REMOTE`, `:REMOTE`; the remote one by number or name, the Service's if there is one. Raises
    CliError."""
    local, colon, remote = text.rpartition(":")
    if text.count(":") > 1:
        raise CliError(f"invalid port format '{text}'")
    target = _of_service(remote, service, pod) if service is not None else _of_pod(remote, pod)
    if not colon:
        # The number that the user gave is the local one, too; of a name, the Service's or the container's port.
        own = int(remote) if remote.isdigit() else _numbered(remote, service, target)
        return Pair(own, target)
    if local and not (local.isdigit() and 0 <= int(local) < 65536):
        raise CliError(f"error parsing local port '{local}': it must be a number from 0 to 65535")
    return Pair(int(local or 0), target)


def _of_pod(port: str, pod: Object) -> int:
    if port.isdigit() and 0 < int(port) < 65536:
        return int(port)
    for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
        for each in container.get("ports") or ():
            if each.get("name") == port and port:
                return int(each["containerPort"])
    raise CliError(f"Pod '{pod['metadata']['name']}' does not have a named port '{port}'")


def _of_service(port: str, service: Object, pod: Object) -> int:
    name = service["metadata"]["name"]
    for each in service["spec"].get("ports") or ():
        if port in (str(each["port"]), each.get("name")):
            target = each.get("targetPort", each["port"])
            return _of_pod(str(target or each["port"]), pod)
    kind = "service port" if port.isdigit() else "named port"
    raise CliError(f"Service {name} does not have a {kind} {port}")


def _numbered(name: str, service: Object | None, target: int) -> int:
    for each in (service or {"spec": {}})["spec"].get("ports") or ():
        if each.get("name") == name:
            return int(each["port"])
    return target
