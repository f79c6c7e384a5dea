"""The real kubectl, as users run it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.process import SCRIPTS


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out}{self.err}"


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl with a kubeconfig. Calling it asserts success and returns the standard output."""

    kubeconfig: Path
    namespace: str = "default"
    binary: str = str(SCRIPTS / "kubectl")

    def argv(self, *words: str) -> list[str]:
        cache = f"--cache-dir={self.kubeconfig.parent / 'kubectl-cache'}"
        return [self.binary, f"--kubeconfig={self.kubeconfig}", cache, f"--namespace={self.namespace}", *words]

    def run(self, *words: str, stdin: str | None = None, seconds: float = 60) -> Answer:
        done = subprocess.run(
            self.argv(*words), input=stdin, capture_output=True, text=True, check=False, timeout=seconds
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def __call__(self, *words: str, stdin: str | None = None, seconds: float = 60) -> str:
        answer = self.run(*words, stdin=stdin, seconds=seconds)
        assert answer.code == 0, f"kubectl {' '.join(words)}: {answer}"
        return answer.out

    def get(self, *words: str) -> dict[str, Any]:
        """`kubectl get … -o json`, decoded."""
        found: dict[str, Any] = json.loads(self("get", *words, "-o", "json"))
        return found

    def fails(self, *words: str, stdin: str | None = None) -> str:
        """The standard error of a command that must fail."""
        answer = self.run(*words, stdin=stdin)
        assert answer.code != 0, f"kubectl {' '.join(words)} should have failed: {answer}"
        return answer.err
