"""helm 3 and helm 4 on a chart that `helm create` made; the pods run on a node."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import transcript
from tests.clients.foreign import fetch
from tests.harness.cluster import Cluster

TRANSCRIPTS = sorted((Path(__file__).parent / "helm").glob("*.txt"))
LAYERS = {"3": "v32", "4": "v37"}
CASES = [(version, path) for version in LAYERS for path in TRANSCRIPTS]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster("pyh", nodes=1, prefix="172.29.32", registry=True) as running:
        yield running


@pytest.mark.parametrize(("version", "path"), CASES, ids=[f"{path.stem}-{version}" for version, path in CASES])
def test_transcript(version: str, path: Path, cluster: Cluster, tmp_path: Path) -> None:
    program = str(fetch.layer(LAYERS[version]) / "helm/helm")
    said = subprocess.run([program, "version", "--short"], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"v{version}.")
    namespace = f"{path.stem}-{version}"
    cluster.kubectl("create", "namespace", namespace)
    env = {"KUBECONFIG": str(cluster.control.admin_conf), "HOME": str(tmp_path), "HELM_NAMESPACE": namespace}
    wrong = transcript.run(path.read_text(), [program], tmp_path, env, {"ns": namespace})
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")
    assert not wrong, "\n".join(wrong)
