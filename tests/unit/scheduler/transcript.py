"""Runs a transcript: lines that change a cluster or ask for a decision, each followed by what came of it.

    node n1 cpu=2 labels=zone=a
    pod web cpu=1 selector=zone=a
      → n1

`python -m tests.unit.scheduler.transcript FILE …` writes the answers anew: read the diff before you commit it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scheduler.decide import Decision, decide
from scheduler.plugins import default_profile
from scheduler.snapshot import Snapshot
from tests.unit.scheduler import build


class Transcript:
    def __init__(self) -> None:
        self.nodes = Snapshot(capacity=2)  # so small that transcripts see it grow
        self.profile = default_profile()
        self.turn = 0

    def run(self, text: str) -> str:
        lines = []
        for line in text.splitlines():
            if line.startswith("  "):
                continue
            lines.append(line)
            if line and not line.startswith("#"):
                lines += [f"  → {answer}" for answer in self.step(line)]
        return "\n".join(lines) + "\n"

    def step(self, line: str) -> list[str]:
        command, name, words = build.words_of(line)
        match command:
            case "node":
                self.nodes.set_node(build.node(name, **words))
                return []
            case "drop-node":
                self.nodes.remove_node(name)
                return []
            case "pod" | "pods":
                count = int(words.pop("count", "1"))
                names = [name] if command == "pod" else [f"{name}-{number}" for number in range(count)]
                return [self._pod(each, dict(words)) for each in names]
            case "drop-pod":
                self.nodes.remove_pod(f"pod-{name}")
                return []
            case "why":
                return self._why(name, words)
            case _:
                raise ValueError(f"no such command: {line}")

    def _pod(self, name: str, words: dict[str, str]) -> str:
        """Decide on a pod, and put it where the decision says. With `on=NODE` it is there already."""
        on = words.pop("on", "")
        info = build.pod(name, **words)
        if on:
            self.nodes.set_pod(info, on)
            return on
        decision = decide(info, self.nodes, self.profile, self.turn)
        self.turn += 1
        if decision.node is not None:
            self.nodes.set_pod(info, decision.node)
        return decision.node or decision.message

    def _why(self, name: str, words: dict[str, str]) -> list[str]:
        """The verdicts behind a decision, node by node."""
        decision: Decision = decide(build.pod(name, **words), self.nodes, self.profile, self.turn)
        return [
            f"{each.plugin}: {each.reason}: {' '.join(each.nodes)}{' (final)' if each.final else ''}"
            for each in decision.rejections
        ] or [f"it fits {decision.feasible} of {decision.nodes}"]


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(Transcript().run(path.read_text()))
