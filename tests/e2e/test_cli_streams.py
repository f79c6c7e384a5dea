"""The CLI's own exec, attach, cp, port-forward, debug and top, against a real pod."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.harness.cluster import Cluster
from tests.harness.process import SCRIPTS, wait_until
from tests.harness.terminal import Terminal

SCRIPT = "mkdir /www; echo hello > /www/index.html; echo started; exec httpd -f -p 8080 -h /www"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster("pycs", nodes=1, prefix="172.29.58") as running:
        running.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
        main: dict[str, Any] = {"name": "main", "image": "busybox:1", "command": ["sh", "-c", SCRIPT]}
        main["ports"] = [{"name": "http", "containerPort": 8080}]
        shell = {"name": "shell", "image": "busybox:1", "command": ["sh"], "stdin": True, "tty": True}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {"containers": [main, shell], "terminationGracePeriodSeconds": 0},
        }
        ports = [{"name": "main", "port": 80, "targetPort": "http"}]
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": ports},
        }
        running.kubectl(
            "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod, service]})
        )
        running.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
        yield running


@pytest.fixture
def argv(cluster: Cluster) -> list[str]:
    return [str(SCRIPTS / "pytheas"), f"--kubeconfig={cluster.control.admin_conf}"]


def run(argv: list[str], *words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*argv, *words], input=stdin, capture_output=True, check=False, timeout=60)


def test_exec(argv: list[str]) -> None:
    done = run(argv, "exec", "web", "-c", "main", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout) == (7, b"out\n")
    assert done.stderr == b"err\ncommand terminated with exit code 7\n"
    data = os.urandom(3_000_000)
    assert run(argv, "exec", "-i", "svc/web", "-c", "main", "--", "cat", stdin=data).stdout == data
    assert b'pods "nope" not found' in run(argv, "exec", "nope", "--", "date").stderr
    assert b"at least one command" in run(argv, "exec", "web").stderr


def test_a_terminal(argv: list[str]) -> None:
    with Terminal([*argv, "exec", "-it", "web", "-c", "main", "--", "sh"], 97, 31) as terminal:
        terminal.expect("# ")
        terminal.enter("stty size\r")
        terminal.expect("31 97")
        terminal.resize(88, 44)
        terminal.enter("while [ $(stty size | cut -d' ' -f1) != 44 ]; do :; done; stty size; exit 5\r")
        terminal.expect("44 88")
        assert terminal.wait() == 5
    with Terminal([*argv, "attach", "-it", "web", "-c", "shell"]) as terminal:
        terminal.expect("try pressing enter")
        terminal.enter("echo $((6*7))\r")
        terminal.expect("42")


def test_cp(argv: list[str], tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "data").write_bytes(os.urandom(2_000_000))
    (tree / "a script").write_text("echo\n")
    (tree / "a script").chmod(0o755)
    (tree / "link").symlink_to("a script")
    assert run(argv, "cp", str(tree), "web:/www", "-c", "main").returncode == 0
    done = run(argv, "cp", "default/web:www/tree", str(tmp_path / "back"), "-c", "main")
    assert done.returncode == 0
    assert b'warning: skipping symlink: "' in done.stderr
    assert digests(tmp_path / "back") == digests(tree)
    assert os.access(tmp_path / "back" / "a script", os.X_OK)
    assert run(argv, "cp", "web:/nothing", str(tmp_path), "-c", "main").returncode != 0
    assert b"doesn't exist in local filesystem" in run(argv, "cp", "no-such", "web:/tmp").stderr


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_port_forward(argv: list[str]) -> None:
    forward = subprocess.Popen([*argv, "port-forward", "svc/web", ":main"], stdout=subprocess.PIPE, text=True)
    try:
        assert forward.stdout is not None
        first, second = forward.stdout.readline(), forward.stdout.readline()
        assert first.startswith("Forwarding from 127.0.0.1:")
        port = first.split()[2].rpartition(":")[2]
        assert second == f"Forwarding from [::1]:{port} -> 8080\n"
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: get(f"http://localhost:{port}/"), range(40)))
        assert set(answers) == {b"hello\n"}
    finally:
        forward.terminate()
        forward.communicate()


def get(url: str) -> bytes:
    with urlopen(url, timeout=20) as answer:
        found: bytes = answer.read()
        return found


def test_debug(argv: list[str], cluster: Cluster) -> None:
    words = ("debug", "web", "-i", "--image=busybox:1", "--target=main", "-c", "look", "--", "sh")
    done = run(argv, *words, stdin=b"ps; exit\n")
    assert b"httpd -f -p 8080" in done.stdout
    done = run(argv, "debug", "node/pycs-1", "-i", "--image=busybox:1", "--", "sh", stdin=b"ls /host; exit\n")
    name = done.stdout.split()[3].decode()
    assert done.stdout.startswith(f"Creating debugging pod {name} with container debugger on node pycs-1.\n".encode())
    assert b"\netc\n" in done.stdout
    spec = cluster.kubectl.get("pod", name)["spec"]
    assert (spec["hostNetwork"], spec["hostPID"], spec["nodeName"]) == (True, True, "pycs-1")


def test_top(argv: list[str]) -> None:
    wait_until("metrics of the pod", lambda: b"web" in run(argv, "top", "pods").stdout)
    lines = run(argv, "top", "pods", "--containers", "--sum").stdout.decode().splitlines()
    assert lines[0].split() == ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert [line.split()[:2] for line in lines[1:3]] == [["web", "main"], ["web", "shell"]]
    header, row = run(argv, "top", "nodes").stdout.decode().splitlines()
    assert header.split() == ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    assert row.startswith("pycs-1 ")


def test_proxy(argv: list[str]) -> None:
    proxy = subprocess.Popen([*argv, "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
    try:
        assert proxy.stdout is not None
        address = proxy.stdout.readline().rpartition(" ")[2].strip()
        pod = json.loads(get(f"http://{address}/api/v1/namespaces/default/pods/web"))
        assert pod["metadata"]["name"] == "web"
        for refused in (
            Request(f"http://{address}/version", headers={"Host": "elsewhere.example"}),
            Request(f"http://{address}/api/v1/namespaces/default/pods/web/exec"),
        ):
            with pytest.raises(HTTPError, match="403"):
                urlopen(refused, timeout=10)
    finally:
        proxy.terminate()
        proxy.communicate()
