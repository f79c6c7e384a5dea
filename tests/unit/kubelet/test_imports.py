"""What the agent must not load: its memory counts on every node."""

from __future__ import annotations

import subprocess
import sys


def test_the_agent_loads_nothing_large_that_it_does_not_need() -> None:
    heavy = ("charset_normalizer", "cryptography", "numpy", "pydantic", "yaml", "dbus_fast", "google.protobuf")
    program = f"import sys; import kubelet.agent; print([name for name in {heavy} if name in sys.modules], end='')"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]"


def test_docker_s_answers_are_utf_8_without_a_guess() -> None:
    program = "from kubelet.runtime.sdk import requests; print(requests.Response().apparent_encoding, end='')"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "utf-8"
