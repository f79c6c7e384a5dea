"""Suites that others wrote for their clients, and ours in other languages: each against a cluster of its own.

They mostly wait (for pods, for operators), so several run at the same time, the longest first.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import kubernetes
import pytest

from tests.clients.foreign import fetch
from tests.clients.foreign.ratchet import Outcome, Ratchet
from tests.clients.foreign.suite import Suite, pytest_suite
from tests.harness.cluster import Cluster
from tests.harness.control import ControlPlane
from tests.harness.process import SCRIPTS

ROOT = Path(__file__).parents[2]
PROGRAMS = f"{SCRIPTS}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
OPERATORS = 4
"""kopf's examples all use the same objects: so many run at once, each against a control plane of its own."""


def control_plane(stack: ExitStack, folder: Path) -> ControlPlane:
    return stack.enter_context(ControlPlane(folder, daemons=("controllers", "scheduler")))


def kr8s(stack: ExitStack, folder: Path) -> Suite:
    """kr8s' tests run pods, read logs, scale, wait, watch."""
    shutil.copytree(fetch.source("kr8s") / "kr8s", folder / "kr8s")
    cluster = stack.enter_context(Cluster("pyr", nodes=1, prefix="172.29.31", registry=True))
    # The clusters they know run their control plane in pods of kube-system; ours does not.
    labels = "--labels=component=kube-apiserver"
    cluster.kubectl("run", "something", "-n", "kube-system", "--image=busybox:1", labels, "--command", "sleep", "3600")
    cluster.kubectl("wait", "pod/something", "-n", "kube-system", "--for=condition=Ready", "--timeout=60s", seconds=70)
    env = {"KUBECONFIG": str(cluster.control.admin_conf), "KUBECTL": str(SCRIPTS / "kubectl")}
    flags = ("-p", "tests.clients.foreign.kr8s_base", "-o", "asyncio_mode=auto", "--timeout=100", "-n", "3")
    return pytest_suite(folder, ["kr8s"], *flags, env={**env, **paths(folder)})


def kopf(stack: ExitStack, folder: Path) -> Suite:
    """kopf's end-to-end tests: each example operator runs while kubectl creates, changes and deletes its objects."""
    source = fetch.source("kopf")
    shutil.copytree(source / "examples", folder / "examples")
    shutil.copytree(source / "tests" / "e2e", folder / "tests" / "e2e")
    shutil.copy(source / "peering.yaml", folder)
    planes = [control_plane(stack, folder / f"plane-{number}") for number in range(OPERATORS)]
    env = {"KUBECONFIGS": ":".join(str(plane.admin_conf) for plane in planes)}
    tests = ["tests/e2e", *sorted(str(each.relative_to(folder)) for each in folder.glob("examples/*/test_*.py"))]
    flags = ("-p", "tests.clients.foreign.kopf_base", "--timeout=100", "-n", str(OPERATORS))
    return pytest_suite(folder, tests, *flags, env={**env, **paths(folder)})


def dynamic(client: str, stack: ExitStack, folder: Path) -> Suite:
    """The live tests of a dynamic client: the official one with its asyncio twin, or kubernetes-asyncio's."""
    official = Path(kubernetes.__file__).parent
    where = official if client == "kubernetes" else fetch.source(client.replace("_", "-")) / client
    shutil.copytree(where, folder / client)
    tests = sorted(str(file.relative_to(folder)) for file in folder.glob(f"{client}/**/dynamic/*test*.py"))
    env = {"KUBECONFIG": str(control_plane(stack, folder / "plane").admin_conf)}
    return pytest_suite(folder, tests, "-p", "tests.clients.foreign.e2e_base", env={**env, **paths(folder)})


def client_node(stack: ExitStack, folder: Path) -> Suite:
    """`@kubernetes/client-node`: a suite of ours in its language, run by node's test runner."""
    shutil.copy(fetch.NODE / "client.test.mjs", folder)
    (folder / "node_modules").symlink_to(fetch.node_modules() / "node_modules")
    argv = [str(fetch.NODE_BIN / "node"), "--test", "--test-reporter=junit", "--test-reporter-destination={report}"]
    env = {"KUBECONFIG": str(control_plane(stack, folder / "plane").admin_conf)}
    return Suite(folder, [*argv, "client.test.mjs"], env)


def paths(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": f"{folder}:{ROOT}", "PATH": PROGRAMS}


SUITES: dict[str, Callable[[ExitStack, Path], Suite]] = {
    "kr8s": kr8s,
    "kopf": kopf,
    "kubernetes-dynamic": partial(dynamic, "kubernetes"),
    "kubernetes_asyncio-dynamic": partial(dynamic, "kubernetes_asyncio"),
    "client-node": client_node,
}


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[dict[str, Outcome]]]]:
    """What comes of the suites that are to be run."""
    selected = {item.name for item in request.session.items}
    folders = {name: tmp_path_factory.mktemp(name) for name in SUITES if f"test_suite[{name}]" in selected}

    def run(name: str) -> dict[str, Outcome]:
        with ExitStack() as stack:
            suite = SUITES[name](stack, folders[name])
            listed = Ratchet.load(name)
            seen = suite.run(*suite.without(listed.omits))
            return seen | suite.again([each for each in listed.passes & set(seen) if not seen[each].passed])

    with ThreadPoolExecutor(3) as pool:
        yield {name: pool.submit(run, name) for name in folders}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SUITES)
def test_suite(name: str, runs: dict[str, Future[dict[str, Outcome]]], request: pytest.FixtureRequest) -> None:
    listed, seen = Ratchet.load(name), runs[name].result()
    if request.config.getoption("--ratchet-update"):
        listed = listed.updated(seen)
        listed.save(name)
    problems = list(listed.problems(seen))
    passed = sum(outcome.passed for outcome in seen.values())
    assert not problems, f"{name}: {passed} of {len(seen)} pass; against its ratchet:\n" + "\n".join(problems)
