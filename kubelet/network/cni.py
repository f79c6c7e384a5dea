"""Runs CNI plugins as the specification (1.0, 0.4) says: one process each, JSON on stdin, the result on stdout.

What ADD did is kept in a file per sandbox: DEL needs the same configuration even after the kubelet or the node
restarted, and the addresses of an adopted sandbox are read from it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.log import logger
from kubelet.network.conf import ConfError, addresses, generate, load, plugin_input

log = logger(__name__)

IFNAME = "eth0"
DEADLINE = 60.0


class CniError(Exception):
    """A plugin refused, or could not be run."""


@dataclass(frozen=True)
class Attachment:
    """Who asks for a network, and for what."""

    sandbox_id: str
    netns: str
    pod_name: str = ""
    pod_namespace: str = ""
    pod_uid: str = ""
    port_mappings: tuple[Mapping[str, Any], ...] = ()


class Cni:
    """The node's pod network. `pod_cidr` may be set later; until then, and without a configuration, it isn't ready."""

    def __init__(self, conf_dir: Path, bin_dirs: tuple[str, ...], cache_dir: Path, pod_cidr: str = "") -> None:
        self._conf_dir = conf_dir
        self._bin_dirs = bin_dirs
        self._results = cache_dir / "results"
        self._data_dir = cache_dir / "networks"
        self.pod_cidr = pod_cidr
        self._results.mkdir(parents=True, exist_ok=True)

    def problem(self) -> str:
        """Why no pod can get a network now, or nothing."""
        try:
            self._network(host_ports=False)
        except ConfError as error:
            return str(error)
        return ""

    @property
    def generated(self) -> bool:
        """Whether pods get the node's own bridge, for which it makes no difference who the pod is."""
        return not self.problem() and load(self._conf_dir) is None

    def is_current(self, network_id: str) -> bool:
        """Whether a network that was given without host ports is what would be given now."""
        kept = self._read(network_id)
        try:
            return kept is not None and kept["network"] == self._network(host_ports=False)
        except ConfError:
            return False

    def _network(self, *, host_ports: bool) -> dict[str, Any]:
        configured = load(self._conf_dir)
        if configured is not None:
            return configured
        if not self.pod_cidr:
            raise ConfError(f"no networks found in {self._conf_dir} and the node has no podCIDR yet")
        return generate(self.pod_cidr, self._data_dir, host_ports=host_ports)

    def cached(self, sandbox_id: str) -> tuple[str, ...] | None:
        """The addresses that a sandbox was given, or None if it has no network of ours."""
        kept = self._read(sandbox_id)
        return tuple(kept["ips"]) if kept and kept.get("ips") else None

    def known(self) -> list[str]:
        """The sandboxes that were given a network and have not given it back."""
        return [each.stem for each in self._results.glob("*.json")]

    async def add(self, wanted: Attachment) -> tuple[str, ...]:
        """Wire the sandbox; its addresses. Undoes a failed attempt. Raises CniError."""
        try:
            network = self._network(host_ports=bool(wanted.port_mappings))
        except ConfError as error:
            raise CniError(str(error)) from error
        runtime = {"portMappings": list(wanted.port_mappings)} if wanted.port_mappings else {}
        kept: dict[str, Any] = {"network": network, "runtime": runtime, "args": _args(wanted), "ips": []}
        # Written before the plugins run: what they allocate can be given back even if this process ends meanwhile.
        self._write(wanted.sandbox_id, kept)
        result: dict[str, Any] | None = None
        try:
            for plugin in network["plugins"]:
                body = plugin_input(network, plugin, result, runtime)
                result = await self._execute("ADD", plugin["type"], body, wanted.sandbox_id, wanted.netns, kept["args"])
        except CniError:
            await self.delete(wanted.sandbox_id, wanted.netns)
            raise
        self._write(wanted.sandbox_id, {**kept, "result": result, "ips": addresses(result or {})})
        return addresses(result or {})

    async def delete(self, sandbox_id: str, netns: str = "") -> None:
        """Give back what the sandbox was given. A sandbox without a network is no error. Raises CniError."""
        kept = self._read(sandbox_id)
        if kept is None:
            return
        network, result = kept["network"], kept.get("result")
        # From here on it is no network that a sandbox could use, even if this process ends before all is given back.
        self._write(sandbox_id, {**kept, "ips": []})
        for plugin in reversed(network["plugins"]):
            body = plugin_input(network, plugin, result, kept["runtime"])
            await self._execute("DEL", plugin["type"], body, sandbox_id, netns, kept["args"])
        (self._results / f"{sandbox_id}.json").unlink(missing_ok=True)

    async def check(self, sandbox_id: str, netns: str) -> None:
        """Ask the plugins whether the network is still as they made it. Raises CniError if not."""
        kept = self._read(sandbox_id)
        if kept is None:
            raise CniError(f"sandbox {sandbox_id[:12]} has no network")
        for plugin in kept["network"]["plugins"]:
            body = plugin_input(kept["network"], plugin, kept.get("result"), kept["runtime"])
            await self._execute("CHECK", plugin["type"], body, sandbox_id, netns, kept["args"])

    async def _execute(
        self, command: str, plugin: str, body: Mapping[str, Any], sandbox_id: str, netns: str, args: str
    ) -> dict[str, Any] | None:
        env = {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": sandbox_id,
            "CNI_NETNS": netns,
            "CNI_IFNAME": IFNAME,
            "CNI_ARGS": args,
            "CNI_PATH": ":".join(self._bin_dirs),
        }
        program = self._program(plugin)
        process = await asyncio.create_subprocess_exec(
            program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=env,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(json.dumps(body).encode()), DEADLINE)
        except TimeoutError:
            raise CniError(f"plugin {plugin} {command}: no answer within {DEADLINE:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _answer(plugin, command, process.returncode or 0, out, err)

    def _program(self, plugin: str) -> str:
        if "/" in plugin:
            raise CniError(f"{plugin!r} is no plugin's name")
        for folder in self._bin_dirs:
            path = Path(folder) / plugin
            if path.is_file():
                return str(path)
        raise CniError(f"failed to find plugin {plugin!r} in path {list(self._bin_dirs)}")

    def _read(self, sandbox_id: str) -> dict[str, Any] | None:
        try:
            kept: dict[str, Any] = json.loads((self._results / f"{sandbox_id}.json").read_text())
        except FileNotFoundError:
            return None
        except ValueError:
            log.warning("a CNI result cannot be read, it is taken as lost", sandbox=sandbox_id[:12])
            return None
        return kept

    def _write(self, sandbox_id: str, kept: Mapping[str, Any]) -> None:
        path = self._results / f"{sandbox_id}.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(kept))
        fresh.rename(path)


def _args(wanted: Attachment) -> str:
    values = {
        "IgnoreUnknown": "1",
        "K8S_POD_NAMESPACE": wanted.pod_namespace,
        "K8S_POD_NAME": wanted.pod_name,
        "K8S_POD_INFRA_CONTAINER_ID": wanted.sandbox_id,
        "K8S_POD_UID": wanted.pod_uid,
    }
    return ";".join(f"{key}={value}" for key, value in values.items())


def _answer(plugin: str, command: str, code: int, out: bytes, err: bytes) -> dict[str, Any] | None:
    """The plugin's result. Its error is JSON on stdout, in the specification's shape, or else whatever it said."""
    try:
        body = json.loads(out) if out.strip() else None
    except ValueError:
        body = None
    if code == 0:
        return body if isinstance(body, dict) else None
    said = f"{body.get('msg', '')} {body.get('details', '')}".strip() if isinstance(body, dict) else ""
    said = said or err.decode(errors="replace").strip() or out.decode(errors="replace").strip()
    raise CniError(f'plugin type="{plugin}" failed ({command}): {said or f"exit code {code}"}')
