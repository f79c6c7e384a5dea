"""What the tests of kr8s take from pytest-kind, for a cluster that runs already.

A pytest plug-in (`-p tests.clients.foreign.kr8s_base`).
`KUBECONFIG` names the cluster, `KUBECTL` the program.
"""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Running:
    """The interface of `pytest_kind.KindCluster`, as far as the tests use it."""

    kubeconfig_path: Path
    kubectl_path: Path

    def kubectl(self, *words: str) -> str:
        if words[:2] == ("delete", "-f"):
            return ""  # the service account of all the workers: another one may still be using it
        return subprocess.check_output([self.kubectl_path, *words], text=True)


@pytest.fixture(scope="session", autouse=True)
def k8s_cluster() -> Running:
    return Running(Path(os.environ["KUBECONFIG"]), Path(os.environ["KUBECTL"]))


@pytest.fixture
def ensure_gc() -> Iterator[None]:
    """The tests look at which classes are still alive."""
    gc.collect()
    yield
    gc.collect()
