"""The transcripts' own language: steps, wildcards, environment."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.clients import transcript
from tests.clients.transcript import Command, File

TEXT = """What comes before the first mark is a remark.

== script.py
import os, sys
print("hello", *sys.argv[1:], os.environ.get("COLOR", "none"))
sys.exit(len(sys.argv) > 3)
$ script.py {who}
hello   ann none
$ COLOR=blue script.py ann
...
hello ... blue
$! script.py a b c
hello a b c none
-- a remark
$ script.py last
hello bob none
"""


def test_steps() -> None:
    steps = list(transcript.parse(TEXT, {"who": "ann"}))
    assert [type(step) for step in steps] == [File, Command, Command, Command, Command]
    assert isinstance(steps[2], Command)
    assert steps[2].words() == ({"COLOR": "blue"}, ["script.py", "ann"])


def test_what_differs_is_told(tmp_path: Path) -> None:
    (wrong,) = transcript.run(TEXT, [sys.executable], tmp_path, {}, {"who": "ann"})
    assert wrong == "$ script.py last: another output\n--- expected\nhello bob none\n--- said\nhello last none\n"
