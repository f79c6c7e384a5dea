"""Files that hold a story and, below a line, what is to come of it.

To take a change of behaviour over into the files, and then read the diff:
`PYTHEAS_WRITE_TRANSCRIPTS=1 pytest tests/unit/kubelet`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

SEPARATOR = "\n----\n"


def check(path: Path, play: Callable[[dict[str, Any]], str]) -> None:
    """Play the file's story, and hold what comes of it against what the file tells."""
    given, _, told = path.read_text().partition(SEPARATOR)
    played = play(yaml.safe_load(given))
    if os.environ.get("PYTHEAS_WRITE_TRANSCRIPTS"):
        path.write_text(given.rstrip("\n") + SEPARATOR + played)
        told = played
    assert played == told
