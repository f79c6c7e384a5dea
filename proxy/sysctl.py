"""The kernel settings without which service traffic gets lost, and what they were before.

They are set where they differ, and said so. The old values are kept in a file until `--cleanup` puts them back: a
file that, like the settings, does not outlive a reboot when it stands under /run.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from daemon.log import logger

log = logger(__name__)

NEEDED: Mapping[str, str] = {
    "net/ipv4/ip_forward": "pods talk to anything but their own bridge",
    "net/bridge/bridge-nf-call-iptables": "packets between pods of one bridge meet the service rules",
    "net/ipv4/conf/all/route_localnet": "node ports answer on localhost",
}
"""Setting → what works only when it is 1."""

_SHARED = frozenset({"net/ipv4/ip_forward"})
"""Whoever came after us may rely on it (Docker does), so it stays."""


_MODULES: Mapping[str, str] = {"net/bridge/bridge-nf-call-iptables": "br_netfilter"}
"""The kernel module that brings a setting, where it is not built in."""


def load_module(name: str) -> None:
    """Best effort: whether it worked shows in the setting itself."""
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(["modprobe", name], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=10)


class Sysctls:
    def __init__(
        self, state: Path, root: Path = Path("/proc/sys"), load_module: Callable[[str], None] = load_module
    ) -> None:
        self._state, self._root, self._load_module = state, root, load_module

    def ensure(self) -> list[str]:
        """Set what is needed. Returns a sentence for each setting that is wrong and could not be set."""
        problems = []
        before = self._saved()
        for key, purpose in NEEDED.items():
            if key in _MODULES and not (self._root / key).exists():
                self._load_module(_MODULES[key])
            try:
                value = (self._root / key).read_text().strip()
                if value == "1":
                    continue
                before.setdefault(key, value)
                self._save(before)
                (self._root / key).write_text("1")
            except OSError as error:
                problems.append(f"{_dotted(key)} is not 1 ({purpose}): {error.strerror}")
            else:
                log.info("kernel setting changed", setting=_dotted(key), before=value, now="1", why=purpose)
        return problems

    def restore(self) -> None:
        """Put back what `ensure` changed, as far as nobody else changed it since."""
        for key, value in self._saved().items():
            path = self._root / key
            if key in _SHARED or key not in NEEDED or not path.exists() or path.read_text().strip() != "1":
                continue
            path.write_text(value)
            log.info("kernel setting put back", setting=_dotted(key), now=value)
        self._state.unlink(missing_ok=True)

    def _saved(self) -> dict[str, str]:
        try:
            loaded = json.loads(self._state.read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            log.warning("the kept kernel settings cannot be read, forgetting them", file=self._state)
            return {}
        return {str(key): str(value) for key, value in loaded.items()} if isinstance(loaded, dict) else {}

    def _save(self, before: Mapping[str, str]) -> None:
        self._state.parent.mkdir(parents=True, exist_ok=True)
        self._state.write_text(json.dumps(before))


def _dotted(key: str) -> str:
    return key.replace("/", ".")
