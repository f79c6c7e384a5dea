"""Images on a real engine: pulled with and without a password, brought without a registry, and collected."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from kubelet.images.collector import Collector
from kubelet.images.garbage import Policy
from kubelet.images.ledger import Ledger
from kubelet.runtime.engine import Engine
from kubelet.stats.file_system import FileSystem
from tests.e2e.kubelet.conftest import SLEEP, Lab
from tests.harness.cluster import Cluster
from tests.harness.host import run
from tests.harness.images import load_busybox
from tests.harness.process import SCRIPTS, Process
from tests.harness.registry import SERVING

ROOT = Path(__file__).parents[3]
PUBLIC, PRIVATE = "localhost:5000", "localhost:5001"
"""On the node itself: its engine takes them without TLS."""
PASSWORD = "open-sesame"


@pytest.fixture(scope="module")
def registries(cluster: Cluster) -> Iterator[None]:
    with ExitStack() as stack:
        for place, login in ((PUBLIC, ()), (PRIVATE, (f"ann:{PASSWORD}",))):
            port = place.partition(":")[2]
            argv = [str(SCRIPTS / "python"), "-m", "tests.harness.registry", "127.0.0.1", port, *login]
            process = cluster.nodes[0].host.process(f"registry{port}", argv, env={"PYTHONPATH": str(ROOT)}).start()
            stack.callback(process.stop)
            process.wait_for("the registry", partial(_serves, process))
        yield


def _serves(process: Process) -> bool:
    return SERVING in process.log.read_text()


def login(lab: Lab, name: str, password: str) -> None:
    entry = {"username": "ann", "password": password}
    config = json.dumps({"auths": {PRIVATE: entry}})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "kubernetes.io/dockerconfigjson",
    }
    lab.apply({**secret, "stringData": {".dockerconfigjson": config}})


def test_pulls(lab: Lab, pod: Callable[..., str], registries: None) -> None:
    plain = pod(SLEEP, {"image": f"{PUBLIC}/team/app:1"})
    stranger = pod(SLEEP, {"image": f"{PRIVATE}/team/nginx:1"})
    wrong, right = lab.name("wrong"), lab.name("right")
    login(lab, wrong, "guess")
    login(lab, right, PASSWORD)
    secrets = [{"name": wrong}, {"name": "missing"}, {"name": right}]
    # Another image than the one that the other registry gives to everybody: that would be no secret.
    friend = pod(SLEEP, {"image": f"{PRIVATE}/team/nginx:2"}, imagePullSecrets=secrets)
    lab.ready(plain)
    lab.has_event(plain, "Pulling", f'Pulling image "{PUBLIC}/team/app:1"')
    lab.has_event(plain, "Pulled", "including waiting). Image size: ")
    shown = lab.container(plain)["imageID"]
    assert shown.startswith(f"docker-pullable://{PUBLIC}/team/app@sha256:")

    digest = pod(SLEEP, {"image": shown.removeprefix("docker-pullable://")})
    lab.ready(digest)
    lab.has_event(digest, "Pulled", "already present on machine")

    lab.ready(friend)
    # That the image is there by now opens it to nobody else.
    thief = pod(SLEEP, {"image": f"{PRIVATE}/team/nginx:2", "imagePullPolicy": "IfNotPresent"})
    blind = pod(SLEEP, {"image": f"{PRIVATE}/team/nginx:2", "imagePullPolicy": "Never"})
    ann = lab.name("ann")
    account = {"kind": "ServiceAccount", "metadata": {"name": ann}, "imagePullSecrets": [{"name": right}]}
    lab.apply({"apiVersion": "v1", **account})
    brother = pod(SLEEP, {"image": f"{PRIVATE}/team/nginx:2"}, serviceAccountName=ann)
    lab.has_event(friend, "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (missing); ")
    assert "no basic auth credentials" in lab.waiting(stranger, "ImagePullBackOff")["state"]["waiting"]["message"]
    lab.has_event(stranger, "Failed", "Error: ErrImagePull")
    lab.has_event(stranger, "BackOff", f'Back-off pulling image "{PRIVATE}/team/nginx:1"')
    lab.waiting(thief, "ImagePullBackOff")
    lab.waiting(blind, "ErrImageNeverPull")
    lab.ready(brother)
    lab.has_event(brother, "Pulled", "already present on machine and can be accessed by the pod")
    assert PASSWORD not in lab.node.kubelet.log.read_text()


def test_names_and_policies(lab: Lab, pod: Callable[..., str], registries: None) -> None:
    wrong = pod(SLEEP, {"image": "Not/A/name"})
    never = pod(SLEEP, {"image": "nowhere/app:1", "imagePullPolicy": "Never"})
    always = pod(SLEEP, {"image": f"{PUBLIC}/team/other"})  # no tag: it is latest, and always pulled
    lab.waiting(wrong, "InvalidImageName")
    lab.has_event(wrong, "InspectFailed", "couldn't parse image name")
    assert "Never" in lab.waiting(never, "ErrImageNeverPull")["state"]["waiting"]["message"]
    lab.ready(always)
    again = pod(SLEEP, {"image": f"{PUBLIC}/team/other"})
    lab.ready(again)
    lab.has_event(again, "Pulled", "Successfully pulled image")


class Cli:
    """`pytheas image …` against the lab's cluster."""

    def __init__(self, lab: Lab) -> None:
        self._words = [str(SCRIPTS / "pytheas"), f"--kubeconfig={lab.kubectl.kubeconfig}", "image"]

    def __call__(self, *words: str) -> str:
        return run(*self._words, *words)

    def fails(self, *words: str) -> str:
        with pytest.raises(AssertionError) as told:
            run(*self._words, *words)
        return str(told.value)


def build(lab: Lab, folder: Path, tag: str, *sizes: int) -> Path:
    """An image with a layer of so many bytes each upon busybox, saved to a file and gone from the engine."""
    lines = ["FROM busybox:1"]
    for number, size in enumerate(sizes):
        (folder / f"layer{number}").write_bytes(b"%d" % number + os.urandom(16) * (size // 16))
        lines.append(f"COPY layer{number} /")
    (folder / "Dockerfile").write_text("\n".join(lines))
    docker = ("env", "DOCKER_BUILDKIT=0", "docker", "-H", lab.node.host.docker)
    run(*docker, "build", "-q", "-t", tag, str(folder))
    archive = folder / f"{tag.replace(':', '-')}.tar"
    run(*docker, "save", "-o", str(archive), tag)
    run(*docker, "rmi", tag)
    return archive


def test_load(lab: Lab, pod: Callable[..., str], tmp_path: Path) -> None:
    image, name = Cli(lab), lab.node.name
    first = build(lab, tmp_path, "brought:1", 3_000_000)
    waiting = pod(SLEEP, {"image": "brought:1", "imagePullPolicy": "Never"})
    lab.waiting(waiting, "ErrImageNeverPull")
    said = image("load", str(first), "--node", name)
    assert re.search(rf"^{name}: loaded brought:1 \(3\.\d MB sent, 1 of 2 layers there already\)$", said, re.M), said
    lab.ready(waiting)  # at once: the image that it waits for has come

    said = image("load", str(build_upon(lab, tmp_path, first)))
    assert re.search(r"loaded brought:2 \(5\d\d kB sent, 2 of 3 layers there already\)", said), said
    listed = image("ls", "brought")
    assert re.search(rf"^brought:1 +[0-9a-f]{{12}} +5\.0 MB +{name}$", listed, re.M), listed
    assert "brought:2" in listed

    user = f"{lab.kubectl.namespace}/{waiting}"
    assert f"{name}: image brought:1 is in use by {user}" in image.fails("rm", "brought:1")
    assert image("rm", "brought:2") == f"{name}: removed brought:2\n"
    assert "no node has the image brought:2" in image.fails("rm", "brought:2")
    assert "is no image archive: it is not a tar archive" in image.fails("load", str(tmp_path / "Dockerfile"))
    assert "not found" in image.fails("load", str(first), "--node", "elsewhere")


def build_upon(lab: Lab, folder: Path, first: Path) -> Path:
    """The next version: one layer more. The parts that both share are the node's already."""
    folder = folder / "next"
    folder.mkdir()
    (folder / "more").write_bytes(os.urandom(500_000))
    (folder / "Dockerfile").write_text("FROM brought:1\nCOPY more /\n")
    docker = ("env", "DOCKER_BUILDKIT=0", "docker", "-H", lab.node.host.docker)
    run(*docker, "build", "-q", "-t", "brought:2", str(folder))
    run(*docker, "save", "-o", str(folder / "next.tar"), "brought:2")
    run(*docker, "rmi", "brought:2")
    return folder / "next.tar"


async def test_collection(lab: Lab, tmp_path: Path) -> None:
    """Of the unused images only those go that the kubelet has brought, and nobody else has named."""
    engine = Engine(lab.node.host.docker)
    await engine.connect()
    warnings: list[str] = []
    full = FileSystem(device=1, capacity=1000, available=100, inodes=1, inodes_free=1)
    collector = Collector(
        engine,
        Ledger(tmp_path / "images.json"),
        Policy(minimum_age=0),
        lambda reason, message: warnings.append(reason),
        measure=lambda path: full,
    )
    try:
        tags = ["gc-unused:1", "gc-used:1", "gc-foreign:1", "gc-named:1"]
        for number, tag in enumerate(tags):
            make_image(lab, tag, number)
            if tag != "gc-foreign:1":
                collector.brought((await engine.image(tag))["Id"], tag)
        lab.docker("tag", "gc-named:1", "somebody/else:1")
        holder = lab.docker("create", "gc-used:1", "true").strip()
        await collector.look()
        left = lab.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        assert [tag for tag in tags if tag in left] == tags[1:]
        assert warnings == ["FreeDiskSpaceFailed"]  # the disk tells the same as before
        assert set(Ledger(tmp_path / "images.json").entries) == {
            (await engine.image(tag))["Id"] for tag in ("gc-used:1", "gc-named:1")
        }
        lab.docker("rm", holder)
    finally:
        engine.close()
        for tag in [*tags, "somebody/else:1"]:
            run("docker", "-H", lab.node.host.docker, "rmi", "-f", tag, check=False)


def make_image(lab: Lab, tag: str, number: int) -> None:
    """Images of one layer that differ in their configuration alone."""
    load_busybox(lab.node.host.docker, "gc-base:1")
    lab.docker("create", "--name", "gc-base", "gc-base:1", "true")
    lab.docker("commit", "--change", f"ENV NUMBER={number}", "gc-base", tag)
    lab.docker("rm", "gc-base")
    lab.docker("rmi", "gc-base:1")
