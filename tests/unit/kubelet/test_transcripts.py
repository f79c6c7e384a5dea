"""The lives of pods, as golden transcripts: each file holds a pod, what befalls it, and what the kubelet does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.types import core_v1
from tests.unit.kubelet.golden import check
from tests.unit.kubelet.world import World

FOLDER = Path(__file__).parent / "transcripts"


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
    check(path, play)


def test_there_are_transcripts() -> None:
    assert len(list(FOLDER.glob("*.txt"))) >= 15
