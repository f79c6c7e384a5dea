"""One control plane with a scheduler and controllers for all tests of the CLI, and the CLI as users start it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.control import ControlPlane
from tests.harness.kubectl import Answer, Kubectl
from tests.harness.process import SCRIPTS

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Pytheas:
    """Runs the CLI. Calling it asserts success and returns the standard output."""

    kubeconfig: Path
    namespace: str = "default"

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._argv(*words), env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *words: str, stdin: str | None = None, environment: dict[str, str] | None = None) -> Answer:
        done = subprocess.run(
            self._argv(*words),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=self._environment() | (environment or {}),
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        answer = self.run(*words, stdin=stdin)
        assert answer.code == 0, f"pytheas {' '.join(words)}: {answer}"
        return answer.out

    def fails(self, *words: str, stdin: str | None = None) -> str:
        answer = self.run(*words, stdin=stdin)
        assert answer.code == 1, f"pytheas {' '.join(words)} should have failed: {answer}"
        return answer.err

    def _argv(self, *words: str) -> list[str]:
        return [str(SCRIPTS / "python"), "-m", "kubectl.main", f"--namespace={self.namespace}", *words]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "KUBECONFIG": str(self.kubeconfig),
            "XDG_CACHE_HOME": str(self.kubeconfig.parent / "cache"),
        }


@pytest.fixture(scope="package")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder = tmp_path_factory.mktemp("cli")
    with ControlPlane(folder, daemons=("controllers", "scheduler")) as running:
        yield running


@pytest.fixture
def namespace(plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own."""
    administrator = Pytheas(plane.admin_conf)
    name = "t-" + str(abs(hash(request.node.nodeid)) % 10**9)
    administrator("create", "namespace", name)
    administrator("wait", "sa/default", "--for=create", "--timeout=20s", "-n", name)
    yield name
    administrator("delete", "namespace", name, "--wait=false")


@pytest.fixture
def pytheas(plane: ControlPlane, namespace: str) -> Pytheas:
    return Pytheas(plane.admin_conf, namespace)


@pytest.fixture
def real(plane: ControlPlane, namespace: str) -> Kubectl:
    """The real kubectl on the same server, in the same namespace."""
    return Kubectl(plane.admin_conf, namespace)
