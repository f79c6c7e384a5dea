"""A server without an expression does not pay for CEL: 20 MB and a tenth of a second."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
import apiserver.main
print(*sorted(name for name in sys.modules if name.startswith(("cel_expr_python", "apiserver.cel."))))
"""


def test_the_server_starts_without_the_library() -> None:
    said = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.split() == ["apiserver.cel.values"]
