"""Which CNI network the node's pods get: the first configuration in the folder, or one made from the node's podCIDR."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "pytheas"
BRIDGE = "pytheas0"
VERSION = "1.0.0"


class ConfError(Exception):
    """There is no usable CNI configuration; the sentence says why."""


def load(folder: Path) -> dict[str, Any] | None:
    """The first network configuration list by file name (a single plugin counts as a list of one), or None.

    Raises ConfError for a file that makes no sense: silently taking the next would give pods another network.
    """
    try:
        files = sorted(each for each in folder.iterdir() if each.suffix in (".conflist", ".conf", ".json"))
    except OSError:
        return None
    for file in files:
        try:
            body = json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise ConfError(f"{file} cannot be read: {error}") from error
        return _as_list(body, file)
    return None


def _as_list(body: Any, file: Path) -> dict[str, Any]:
    if not isinstance(body, dict) or not body.get("name"):
        raise ConfError(f"{file} is no CNI configuration: it has no name")
    if "plugins" in body:
        if not body["plugins"]:
            raise ConfError(f"{file} lists no plugins")
        return body
    if not body.get("type"):
        raise ConfError(f"{file} is no CNI configuration: it names no plugin type")
    return {"cniVersion": body.get("cniVersion", "0.4.0"), "name": body["name"], "plugins": [body]}


def generate(pod_cidr: str, data_dir: Path, *, host_ports: bool) -> dict[str, Any]:
    """The node's own bridge. The portmap plugin is only listed for a pod that has host ports: for others it would be
    one more process that does nothing. Masquerading is the proxy's work, hence ipMasq is off."""
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(data_dir),
            "ranges": [[{"subnet": pod_cidr}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    plugins: list[dict[str, Any]] = [bridge]
    if host_ports:
        plugins.append({"type": "portmap", "capabilities": {"portMappings": True}, "snat": True})
    return {"cniVersion": VERSION, "name": NAME, "plugins": plugins}


def plugin_input(
    network: Mapping[str, Any],
    plugin: Mapping[str, Any],
    previous: Mapping[str, Any] | None,
    runtime: Mapping[str, Any],
) -> dict[str, Any]:
    """What one plugin gets on stdin: its part of the list, the network's name and version, the result so far, and those
    runtime values that it says it can use."""
    body = {key: value for key, value in plugin.items() if key != "capabilities"}
    body |= {"name": network["name"], "cniVersion": network.get("cniVersion", "0.4.0")}
    usable = {
        name: runtime[name] for name, can in (plugin.get("capabilities") or {}).items() if can and name in runtime
    }
    if usable:
        body["runtimeConfig"] = usable
    if previous is not None:
        body["prevResult"] = dict(previous)
    return body


def addresses(result: Mapping[str, Any]) -> tuple[str, ...]:
    """The container's addresses in an ADD result, without their prefix lengths."""
    return tuple(str(each["address"]).partition("/")[0] for each in result.get("ips") or ())
