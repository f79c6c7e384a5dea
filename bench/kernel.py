"""The rules as the kernel has them, looked at without getting into the proxy's way."""

from __future__ import annotations

import ctypes
import socket
import struct
import subprocess
import time

from proxy.chains import service_chain
from tests.harness.netns import inside

_libc = ctypes.CDLL(None, use_errno=True)
_IPT_SO_GET_INFO = 64
_INFO = struct.Struct("=32s13I")
"""struct ipt_getinfo: name, valid_hooks, hook_entry[5], underflow[5], entries, size."""


class Kernel:
    """One backend's nat table in a network namespace."""

    def __init__(self, namespace: str, enter: tuple[str, ...], backend: str) -> None:
        self._enter, self._command, self._legacy = enter, f"iptables-{backend}", backend == "legacy"
        with inside(namespace):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def close(self) -> None:
        self._socket.close()

    def state(self, number: int) -> object:
        """Something that changes when the endpoints of a Service change.

        With nft, the rules of its chain. Reading legacy rules copies the whole table under the lock that writers need;
        its number of entries costs nothing.
        """
        return self._entries() if self._legacy else self.endpoints(number)

    def endpoints(self, number: int) -> int:
        """How many endpoints a Service's chain leads to."""
        return sum("-j KUBE-SEP-" in rule for rule in self._chain(number))

    def remove_one_by_hand(self, number: int) -> float:
        """Take the last endpoint out of a Service's chain; the seconds that the command took."""
        name = chain_name(number)
        rules = [rule for rule in self._chain(number) if rule.startswith("-A ")]
        gone = rules.pop().rpartition(" ")[2]
        lines = ["*nat", f":{name} - [0:0]", f":{gone} - [0:0]", *rules, f"-X {gone}", "COMMIT", ""]
        started = time.perf_counter()
        argv = [*self._enter, f"{self._command}-restore", "--noflush", "--wait"]
        subprocess.run(argv, input="\n".join(lines), text=True, check=True, capture_output=True)
        return time.perf_counter() - started

    def _chain(self, number: int) -> list[str]:
        argv = [*self._enter, self._command, "--wait", "-t", "nat", "-S", chain_name(number)]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()

    def _entries(self) -> int:
        buffer = ctypes.create_string_buffer(_INFO.pack(b"nat", *[0] * 13), _INFO.size)
        length = ctypes.c_uint32(_INFO.size)
        if _libc.getsockopt(self._socket.fileno(), socket.IPPROTO_IP, _IPT_SO_GET_INFO, buffer, ctypes.byref(length)):
            raise OSError(ctypes.get_errno(), "the legacy nat table cannot be looked at")
        entries: int = _INFO.unpack(buffer.raw)[12]
        return entries


def chain_name(number: int) -> str:
    return service_chain("SVC", f"default/bench-{number}:http", "tcp").name
