"""The sample image, built on the spot from the machine's own static programs, so that it needs no registry."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import docker
from docker.errors import BuildError, DockerException, ImageNotFound

from cluster.machine import DOCKER_SOCKET
from cluster.terminal import Failed

IMAGE = "pytheas/hello:1"
EXAMPLES = Path(__file__).parents[1] / "examples"


def build(tag: str = IMAGE, *, docker_url: str = f"unix://{DOCKER_SOCKET}") -> bool:
    """Build the image unless the engine has it. True when it was built.

    Raises:
        Failed: the engine refuses, with what it said.
    """
    client = docker.DockerClient(base_url=docker_url, timeout=120)
    try:
        if _there(client, tag):
            return False
        client.images.build(fileobj=io.BytesIO(context()), custom_context=True, tag=tag, rm=True)
    except (DockerException, BuildError) as error:
        raise Failed(f"the sample image {tag} cannot be built: {error}") from error
    finally:
        client.close()
    return True


def context() -> bytes:
    """The build context (tar): `examples/hello/` and the static programs its Dockerfile copies."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True, format=tarfile.GNU_FORMAT) as tar:
        for file in sorted((EXAMPLES / "hello").iterdir()):
            tar.add(file, file.name)
        for program in ("busybox", "catatonit"):
            path = shutil.which(program)
            if path is None:
                raise Failed(f"{program} is missing; apt-get install {program}-static or {program}")
            tar.add(path, program)
    return buffer.getvalue()


def _there(client: docker.DockerClient, tag: str) -> bool:
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True
