"""etcd for the integration tests, through testcontainers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from testcontainers.core.container import DockerContainer

from tests.harness.engine import Engine
from tests.harness.process import free_port, wait_until


@contextmanager
def etcd_container(engine: Engine) -> Iterator[str]:
    """Run etcd in a container on the host's network; its client URL."""
    client, peer = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    command = ["/usr/bin/etcd", "--name", "test", "--data-dir", "/data", "--unsafe-no-fsync"]
    command += ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
    command += ["--initial-advertise-peer-urls", peer, "--initial-cluster", f"test={peer}"]
    container = DockerContainer(
        engine.load_etcd(), docker_client_kw={"environment": {"DOCKER_HOST": engine.url}}, network_mode="host"
    )
    container.with_command(command)

    def healthy() -> bool:
        with urlopen(f"{client}/health", timeout=2) as answer:
            return b'"true"' in answer.read()

    with container:
        wait_until("etcd's health", healthy)
        yield client
