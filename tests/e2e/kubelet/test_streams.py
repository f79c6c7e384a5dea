"""exec, attach, cp and port-forward: as the real kubectl asks for them, in either protocol, and as others do."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import aiohttp
import kubernetes
import pytest
from kubernetes.stream import portforward, stream

from client.kubeconfig import load
from client.streams import channels
from tests.clients.foreign import fetch
from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest
from tests.harness.cluster import Cluster
from tests.harness.kubectl import Kubectl
from tests.harness.process import SCRIPTS, wait_until
from tests.harness.terminal import Terminal

MIB = 1024 * 1024
ECHO = """
import asyncio

async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 9000, backlog=200)
    print("listening", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
"""Runs in the pod's network, on its localhost only: busybox has no server that takes a hundred connections at once."""
WEBSOCKETS: dict[str, str] = {}
SPDY = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}


@dataclass(frozen=True)
class User:
    """A kubectl of some version, in one of the two protocols."""

    kubectl: Kubectl
    env: Mapping[str, str] = field(default_factory=dict)

    def argv(self, *words: str) -> list[str]:
        return self.kubectl.argv(*words)

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, **self.env}

    def run(self, *words: str, stdin: bytes = b"", seconds: float = 60) -> subprocess.CompletedProcess[bytes]:
        argv = self.argv(*words)
        return subprocess.run(argv, input=stdin, capture_output=True, env=self.environ, check=False, timeout=seconds)

    @contextmanager
    def forwarding(self, pod: str, port: int) -> Iterator[int]:
        """The local port that is forwarded."""
        argv = self.argv("port-forward", f"pod/{pod}", f":{port}")
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environ) as process:
            assert process.stdout is not None
            try:
                first = process.stdout.readline().decode()
                found = re.search(r"127\.0\.0\.1:(\d+) ->", first)
                assert found, first
                yield int(found.group(1))
            finally:
                process.kill()


def binary(version: str) -> str:
    return str(SCRIPTS / "kubectl" if version == "1.37" else fetch.layer("v32") / "kubectl/kubectl")


@pytest.fixture(
    params=[("1.37", WEBSOCKETS), ("1.37", SPDY), ("1.32", WEBSOCKETS), ("1.32", SPDY)],
    ids=["1.37-websocket", "1.37-spdy", "1.32-websocket", "1.32-spdy"],
)
def user(cluster: Cluster, request: pytest.FixtureRequest) -> User:
    version, env = request.param
    return User(Kubectl(cluster.kubectl.kubeconfig, binary=binary(version)), env)


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[str]:
    """A pod that serves all tests of this file: files at port 8080 and an echo at 9000, of its localhost."""
    lab = Lab(cluster)
    name = lab.name("streams")
    lab.apply(manifest(name, "mkdir /srv; exec httpd -f -p 127.0.0.1:8080 -h /srv"))
    lab.ready(name)
    pid = lab.docker("inspect", "--format", "{{.State.Pid}}", lab.containers(name, "main")[0]).strip()
    argv = ["nsenter", "--target", pid, "--net", sys.executable, "-c", ECHO]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as echo:
        assert echo.stdout is not None
        assert echo.stdout.readline() == b"listening\n"
        yield name
        echo.kill()
    lab.clear()


def test_a_command_and_how_it_ends(user: User, server: str) -> None:
    done = user.run("exec", server, "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout) == (7, b"out\n")
    assert done.stderr == b"err\ncommand terminated with exit code 7\n"
    echoed = user.run("exec", "-i", server, "--", "cat", stdin=b"to the end\n" * 5000)
    assert (echoed.returncode, echoed.stdout) == (0, b"to the end\n" * 5000)
    early = user.run("exec", "-i", server, "--", "head", "-c", "3", stdin=b"x" * MIB)
    assert (early.returncode, early.stdout) == (0, b"xxx")
    missing = user.run("exec", server, "--", "no-such-program")
    assert missing.returncode in (126, 127)


def test_a_terminal(user: User, server: str) -> None:
    argv = user.argv("exec", "-it", server, "--", "sh")
    with Terminal(argv, 91, 33, user.environ) as terminal:
        terminal.enter("echo it is $((40 + 2)); tty\n")
        terminal.expect("it is 42")
        terminal.expect("/dev/pts/")
        wait_until("the terminal's first size", lambda: _size_is(terminal, "33 91"))
        terminal.resize(120, 50)
        wait_until("the terminal's new size", lambda: _size_is(terminal, "50 120"))
        terminal.enter("exit 5\n")
        assert terminal.wait() == 5


def _size_is(terminal: Terminal, wanted: str) -> bool:
    terminal.enter("stty size\n")
    terminal.read(0.5)
    return wanted in terminal.seen


def test_attach(user: User, lab: Lab) -> None:
    name = lab.name("attached")
    script = "echo early; while read line; do echo got $line; done; echo over; sleep 1; exit 3"
    lab.apply(manifest(name, script, {"stdin": True, "stdinOnce": True}, restartPolicy="Never"))
    lab.ready(name)
    done = user.run("attach", "-i", name, stdin=b"one\ntwo\n")
    assert done.returncode == 0
    assert done.stdout == b"got one\ngot two\nover\n"
    lab.phase(name, "Failed")


def test_logs_over_a_restart(user: User, lab: Lab) -> None:
    name = lab.name("noted")
    lab.apply(manifest(name, "echo begun; sleep 2; echo over; exit 1"))
    lab.ready(name)
    followed = user.run("logs", "-f", name)
    assert (followed.returncode, followed.stdout) == (0, b"begun\nover\n"), followed.stderr
    wait_until("the restart", lambda: lab.container(name)["restartCount"] > 0)
    assert user.run("logs", "--previous", name).stdout == b"begun\nover\n"


def test_debugging(user: User, lab: Lab, server: str) -> None:
    container = lab.name("look")
    words = ("debug", "-i", server, "--image=busybox:1", "--target=main", f"--container={container}", "--", "sh")
    seen = user.run(*words, stdin=b"tr '\\0' ' ' < /proc/1/cmdline; exit\n")
    assert b"httpd -f -p 127.0.0.1:8080" in seen.stdout, seen.stderr


def test_what_cannot_be_run_is_told(user: User, lab: Lab) -> None:
    name = lab.name("pair")
    other = {"name": "other", "image": "busybox:1", "command": ["sh", "-c", "exit 0"]}
    lab.apply(manifest(name, SLEEP, more=[other], restartPolicy="Never"))
    wait_until("one container to end", lambda: "terminated" in lab.container(name, "other").get("state", {}), 40)
    ended = user.run("exec", name, "-c", "other", "--", "true")
    assert (ended.returncode, b'container not found ("other")' in ended.stderr) == (1, True), ended.stderr
    refused = user.run("exec", "no-such-pod", "--", "true")
    assert b'pods "no-such-pod" not found' in refused.stderr
    with user.forwarding(name, 7) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(20)
        assert connection.recv(1) == b""


def test_a_hundred_connections_through_one_port_forward(user: User, server: str) -> None:
    def echo(number: int) -> bool:
        text = f"{number}:".encode() * 500
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(text)
            found = b""
            while len(found) < len(text):
                piece = connection.recv(65536)
                assert piece, f"connection {number} broke off"
                found += piece
        return found == text

    with user.forwarding(server, 9000) as port, ThreadPoolExecutor(100) as threads:
        assert all(threads.map(echo, range(100)))


@pytest.mark.parametrize("size", [64 * MIB, pytest.param(1024 * MIB, marks=pytest.mark.soak)], ids=["64M", "1G"])
def test_much_passes_whole(user: User, cluster: Cluster, server: str, tmp_path: Path, size: int) -> None:
    sent, back = tmp_path / "sent", tmp_path / "back"
    wanted = _fill(sent, size)
    before = _memory(cluster)
    assert user.run("cp", str(sent), f"{server}:/srv/data", seconds=600).returncode == 0
    assert user.run("cp", f"{server}:/srv/data", str(back), seconds=600).returncode == 0
    with back.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == wanted
    with user.forwarding(server, 8080) as port, urlopen(f"http://127.0.0.1:{port}/data") as answer:
        found = hashlib.sha256()
        while piece := answer.read(MIB):
            found.update(piece)
        assert found.hexdigest() == wanted
    user.run("exec", server, "--", "rm", "/srv/data")
    for name, grown in _grown(before, _memory(cluster)).items():
        assert grown < 64 * MIB, f"{name} has grown by {grown // MIB} MiB"


def _fill(path: Path, size: int) -> str:
    """Random bytes in a file; their digest."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size // MIB):
            piece = os.urandom(MIB)
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _memory(cluster: Cluster) -> dict[str, int]:
    """The resident bytes of those that carry streams."""
    found: dict[str, int] = {}
    for name, process in cluster.processes().items():
        if name.startswith(("apiserver", "kubelet")):
            pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
            found[name] = int(pages) * os.sysconf("SC_PAGE_SIZE")
    return found


def _grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {name: after[name] - size for name, size in before.items()}


@pytest.mark.parametrize("env", [WEBSOCKETS, SPDY], ids=["websocket", "spdy"])
def test_one_that_breaks_off_leaves_nothing(cluster: Cluster, server: str, env: Mapping[str, str]) -> None:
    lab, user = Lab(cluster), User(cluster.kubectl, env)
    main = lab.containers(server, "main")[0]

    def connections() -> int:
        """The kubelet's, at its port 10250."""
        table = Path(f"/proc/{cluster.processes()[f'kubelet {lab.node.name}'].pid}/net/tcp").read_text()
        return len(re.findall(r":280A \S+ 01 ", table))

    def reads() -> bool:
        return "cat" in lab.docker("top", main, "-o", "pid,comm").split()

    before = connections()
    exec_, forward = (
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=user.environ)
        for argv in (user.argv("exec", "-i", server, "--", "cat"), user.argv("port-forward", f"pod/{server}", ":9000"))
    )
    assert forward.stdout is not None
    found = re.search(rb"127\.0\.0\.1:(\d+) ->", forward.stdout.readline())
    assert found
    with socket.create_connection(("127.0.0.1", int(found.group(1)))) as connection:
        connection.sendall(b"x")
        assert connection.recv(1) == b"x"
        wait_until("both to be connected", lambda: connections() >= before + 2 and reads())
        for process in (exec_, forward):
            process.kill()
            process.communicate()
    wait_until("both connections to be gone", lambda: connections() <= before and not reads())


# -- without kubectl


def test_the_official_python_client(cluster: Cluster, server: str) -> None:
    """It speaks the channel protocol's fourth version, and the old port-forward of two channels a port."""
    api = kubernetes.config.new_client_from_config(str(cluster.kubectl.kubeconfig))
    with closing(api):
        _speak(kubernetes.client.CoreV1Api(api), server)


def _speak(core: kubernetes.client.CoreV1Api, server: str) -> None:
    options = {"stdin": True, "stdout": True, "stderr": True, "tty": False, "_preload_content": False}
    command = ["sh", "-c", "read line; echo out $line; echo err >&2; exit 9"]
    running = stream(core.connect_get_namespaced_pod_exec, server, "default", command=command, **options)
    running.write_stdin("one\n")
    running.run_forever(timeout=20)
    assert (running.read_stdout(), running.read_stderr(), running.returncode) == ("out one\n", "err\n", 9)
    running.sock.shutdown()  # its own close() forgets the socket if we were the first to hang up
    forwarded = portforward(core.connect_get_namespaced_pod_portforward, server, "default", ports="9000")
    connection = forwarded.socket(9000)
    connection.setblocking(True)
    connection.sendall(b"hello")
    assert connection.recv(100) == b"hello"
    connection.close()
    assert forwarded.error(9000) is None
    forwarded.close()
    wait_until("the client to hang up", lambda: not forwarded.connected)
    forwarded.websocket.shutdown()


def _kubelet(cluster: Cluster, path: str) -> str:
    return f"https://{cluster.nodes[0].host.address}:10250{path}"


async def _statuses(cluster: Cluster, tokens: Mapping[str, str], method: str, path: str) -> dict[str, int]:
    """What the kubelet answers to each of these tokens, without a certificate."""
    trust = ssl.create_default_context(cadata=(load(cluster.kubectl.kubeconfig).ca_data or b"").decode())
    found: dict[str, int] = {}
    async with aiohttp.ClientSession() as session:
        for name, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with session.request(method, _kubelet(cluster, path), ssl=trust, headers=headers) as answer:
                found[name] = answer.status
    return found


async def test_directly_at_the_kubelet(cluster: Cluster, server: str) -> None:
    context = load(cluster.kubectl.kubeconfig).ssl_context()
    assert context is not None
    path = f"/exec/default/{server}/main?command=cat&input=1&output=1&error=1"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(_kubelet(cluster, path), ssl=context, protocols=[channels.V5]) as socket_,
    ):
        assert await socket_.receive_bytes() == b"\x01"
        await socket_.send_bytes(b"\x00hello")
        assert await socket_.receive_bytes() == b"\x01hello"
        await socket_.send_bytes(b"\xff\x00")
        assert channels.exit_code((await socket_.receive_bytes())[1:]) == (0, "")
    token = cluster.kubectl("create", "token", "default").strip()
    tokens = {"none": "", "wrong": "x" + token, "of an account": token}
    assert await _statuses(cluster, tokens, "GET", "/healthz") == dict.fromkeys(tokens, 200)
    refused = {"none": 401, "wrong": 401, "of an account": 403}
    assert await _statuses(cluster, tokens, "POST", path) == refused
    assert await _statuses(cluster, tokens, "GET", "/pods") == refused
