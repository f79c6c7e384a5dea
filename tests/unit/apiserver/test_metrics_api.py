"""The metrics API: a kubelet's page read, and what two readings say."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.metrics import collector, objects
from apiserver.metrics.collector import Collector
from apiserver.metrics.points import NODE, PodUse, Point, Use, pods, read, use
from apiserver.registry.metrics import NODES, PODS
from apiserver.storage.cache import Entry
from apiserver.streaming.kubelet import KubeletError

PAGE = """\
# HELP node_cpu_usage_seconds_total Cumulative cpu time
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total {node} {at}
node_memory_working_set_bytes 1.048576e+06 {at}
container_cpu_usage_seconds_total{{container="main",namespace="default",pod="web"}} {pod} {at}
container_memory_working_set_bytes{{container="main",namespace="default",pod="web"}} 753664 {at}
container_start_time_seconds{{container="main",namespace="default",pod="web"}} 990.5
pod_cpu_usage_seconds_total{{namespace="default",pod="web"}} 99 {at}
scrape_error 0
nonsense
"""
WEB = ("default", "web", "main")


def page(node: float, pod: float, at: int) -> str:
    return PAGE.format(node=node, pod=pod, at=at * 1000)


def test_a_page_is_read() -> None:
    found = read(page(12.5, 1.5, 1000))
    assert found == {
        NODE: Point(at=1000.0, cpu=12.5, memory=1048576),
        WEB: Point(at=1000.0, cpu=1.5, memory=753664, started=990.5),
    }


def test_two_readings_tell_the_use_between_them() -> None:
    before, last = read(page(10, 1, 1000)), read(page(25, 2.5, 1015))
    assert use(before[NODE], last[NODE]) == Use(1015.0, 15.0, 1_000_000_000, 1048576)
    assert pods(before, last) == {("default", "web"): PodUse({"main": Use(1015.0, 15.0, 100_000_000, 753664)})}


def test_a_container_that_began_since_counts_from_its_start() -> None:
    last = Point(at=1000.0, cpu=2.0, memory=1, started=996.0)
    for before in (None, Point(at=985.0, cpu=1.0, memory=1, started=980.0)):
        assert use(before, last) == Use(1000.0, 4.0, 500_000_000, 1)
    assert use(None, Point(at=996.5, cpu=1.0, memory=1, started=996.0)) is None, "too short to say anything"
    assert use(None, Point(at=1000.0, cpu=1.0, memory=1)) is None, "the node's own use needs two readings"
    assert use(None, Point(at=1000.0, memory=1, started=1.0)) is None


def test_a_pod_is_told_whole_or_not_at_all() -> None:
    half = Point(at=1000.0, cpu=1.0, started=1.0)
    last = {WEB: Point(at=1000.0, cpu=2.0, memory=1, started=996.0), ("default", "web", "side"): half}
    assert pods({}, last) == {}


class Caches:
    """As much of the server's state as the collector looks at."""

    def __init__(self, *pages: list[str]) -> None:
        self.pages = list(pages)
        self.asked = 0
        node = b'{"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.1"}]}}'
        self.entries = {
            "nodes": {"n1": Entry("n1", node, 1, {"zone": "a"}, {})},
            "pods": {"default/web": Entry("default/web", b"{}", 1, {"app": "web"}, {})},
        }
        self.metrics = Collector(self)  # type: ignore[arg-type]
        self.kubelets = self

    def resource(self, plural: str) -> Any:
        entries = self.entries[plural]
        return type("Resource", (), {"cache": type("Cache", (), {"entries": entries})})

    def get(self, location: object, path: str) -> Any:
        caches = self

        class Asked:
            status = 200

            async def __aenter__(self) -> Asked:
                assert path == "/metrics/resource"
                caches.asked += 1
                if not caches.pages:
                    raise KubeletError("connection refused")
                self.page = caches.pages.pop(0)[0]
                return self

            async def __aexit__(self, *exc: object) -> None:
                return None

            async def read(self, limit: int) -> bytes:
                return self.page.encode()

        return Asked()


@pytest.fixture(autouse=True)
def no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "GAP", 0.0)


async def test_the_first_who_asks_gets_two_readings_and_the_next_the_same() -> None:
    state: Any = Caches([page(10, 1, 1000)], [page(12, 1.5, 1002)])
    (node,) = await objects.nodes(state, "", "")
    assert node["usage"] == {"cpu": "1000000000n", "memory": "1Mi"}
    assert (node["window"], node["timestamp"]) == ("2s", "1970-01-01T00:16:42Z")
    assert node["metadata"]["labels"] == {"zone": "a"}
    (pod,) = await objects.pods(state, "default", "web")
    assert pod["containers"] == [{"name": "main", "usage": {"cpu": "250000000n", "memory": "736Ki"}}]
    assert await objects.pods(state, "other", "") == []
    assert await objects.nodes(state, "", "n2") == []
    assert state.asked == 2


async def test_a_node_that_does_not_answer_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    state: Any = Caches()
    assert await objects.nodes(state, "", "") == []
    assert await objects.nodes(state, "", "") == []
    assert state.asked == 1, "not before the next period"


def test_the_tables_sum_a_pods_containers() -> None:
    usage = {"cpu": "1500000n", "memory": "1Mi"}
    pod = {"metadata": {"name": "web"}, "containers": [{"usage": usage}, {"usage": usage}], "window": "15s"}
    cells = [column.cell(pod, None) for column in PODS.columns]  # type: ignore[arg-type]
    assert cells == ["web", "3m", "2Mi", "15s"]
    assert [column.name for column in NODES.columns] == ["Name", "cpu", "memory", "Window"]
    assert objects._duration(60.5) == "1m0.5s"
