"""The lives of pods, as golden transcripts: each file holds a pod, what befalls it, and what the kubelet does.

To take a change of behaviour over into the files, and then read the diff:
`PYTHEAS_WRITE_TRANSCRIPTS=1 pytest tests/unit/kubelet`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from api.types import core_v1
from tests.unit.kubelet.world import World

FOLDER = Path(__file__).parent / "transcripts"
SEPARATOR = "\n----\n"


def pod_of(spec: dict[str, Any]) -> core_v1.Pod:
    for each in [*spec["containers"], *spec.get("initContainers", ())]:
        each.setdefault("image", "app:1")
    metadata = {"name": "web", "namespace": "default", "uid": "uid-1", "generation": 1}
    return msgspec.convert({"metadata": metadata, "spec": spec}, core_v1.Pod)


def play(scenario: dict[str, Any]) -> str:
    world = World(pod_of(scenario["pod"]))
    script = [(float(entry[0]), str(entry[1]), tuple(entry[2:])) for entry in scenario.get("script") or ()]
    return world.run(script, float(scenario.get("until", 60)))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    given, _, told = path.read_text().partition(SEPARATOR)
    played = play(yaml.safe_load(given))
    if os.environ.get("PYTHEAS_WRITE_TRANSCRIPTS"):
        path.write_text(given.rstrip("\n") + SEPARATOR + played)
        told = played
    assert played == told


def test_there_are_transcripts() -> None:
    assert len(list(FOLDER.glob("*.txt"))) >= 15
