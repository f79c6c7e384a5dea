"""What is kept of removed containers' logs, and what has to go."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from api.types import meta_v1
from kubelet.logs.archive import Archive, Kept, Limits, excess
from kubelet.logs.files import LogReader, log_path
from kubelet.logs.workload import workload_of
from kubelet.runtime import container as labels
from kubelet.runtime.container import Container, State

LIMITS = Limits(workload=100, node=250, age=60)


def kept(workload: str, name: str, size: int, at: float) -> Kept:
    return Kept(Path("ns", workload, name), size, at)


def test_the_oldest_goes_first() -> None:
    young, old = kept("a", "young", 60, 99), kept("a", "old", 60, 98)
    assert excess([young, old], LIMITS, 100) == [old]
    assert excess([young, kept("b", "other", 60, 98)], LIMITS, 100) == []
    assert excess([kept("a", "x", 1, 39)], LIMITS, 100) == [kept("a", "x", 1, 39)]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 120), st.integers(0, 100)), max_size=30))
def test_what_stays_is_within_the_limits(files: list[tuple[str, int, int]]) -> None:
    listed = [kept(workload, str(number), size, at) for number, (workload, size, at) in enumerate(files)]
    gone = excess(listed, LIMITS, 100)
    stays = [each for each in listed if each not in gone]
    assert sum(each.size for each in stays) <= LIMITS.node
    for workload in "abcd":
        assert sum(each.size for each in stays if each.workload.name == workload) <= LIMITS.workload
    assert all(100 - each.at <= LIMITS.age for each in stays)


def test_which_workload_a_pod_belongs_to() -> None:
    def owned(kind: str, name: str, **labels: str) -> str:
        owner = meta_v1.OwnerReference(apiVersion="v1", kind=kind, name=name, uid="u", controller=True)
        return workload_of(meta_v1.ObjectMeta(name="p", labels=labels, ownerReferences=[owner]))

    assert workload_of(meta_v1.ObjectMeta(name="p")) == "Pod/p"
    assert owned("ReplicaSet", "web-5d9", **{"pod-template-hash": "5d9"}) == "Deployment/web"
    assert owned("ReplicaSet", "mine") == "ReplicaSet/mine"
    assert owned("Job", "once", **{"pod-template-hash": "once"}) == "Job/once"


def a_container(number: int, workload: str = "Deployment/web") -> Container:
    own = {
        labels.POD_NAME: f"web-{number}",
        labels.POD_NAMESPACE: "default",
        labels.POD_UID: f"uid-{number}",
        labels.CONTAINER_NAME: "main",
        labels.CONTAINER_TYPE: labels.CONTAINER,
        labels.WORKLOAD: workload,
    }
    return Container(f"id-{number}", own, State.EXITED, started_at=1.0, finished_at=2.0, exit_code=3)


def written(engine_root: Path, container: Container, lines: int) -> None:
    path = log_path(engine_root, container.id)
    path.parent.mkdir(parents=True)
    entries = (json.dumps({"log": f"{n}\n", "stream": "stdout", "time": "2026-11-22T10:00:00Z"}) for n in range(lines))
    path.write_text("".join(f"{each}\n" for each in entries))


async def test_the_end_of_a_log_is_kept(tmp_path: Path) -> None:
    engine, archive = tmp_path / "docker", Archive(tmp_path, Limits(workload=2048))
    container = a_container(1)
    written(engine, container, 500)
    await archive.keep([container, None], engine)
    await archive.keep([container], engine)
    (record,) = archive.records("default", workload="Deployment/web")
    assert (record.pod, record.container, record.attempt, record.exit_code, record.finished) == (
        "web-1",
        "main",
        0,
        3,
        2.0,
    )
    assert archive.records("default", pod="other") == archive.records("elsewhere") == []
    path = archive.find("default", "uid-1", "main", "0")
    assert path is not None
    assert path.stat().st_size <= 2048
    reader = LogReader(path)
    lines = reader.read().splitlines()[1:]
    reader.close()
    assert [json.loads(line)["log"] for line in lines] == [f"{n}\n" for n in range(500 - len(lines), 500)]


async def test_only_the_last_of_a_workload_stay(tmp_path: Path) -> None:
    engine, archive = tmp_path / "docker", Archive(tmp_path, Limits(workload=2048))
    for number in range(5):
        container = a_container(number)
        written(engine, container, 12)
        await archive.keep([container], engine)
    assert [each.pod for each in archive.records("")] == ["web-3", "web-4"]


async def test_without_a_log_or_room_nothing_is_kept(tmp_path: Path) -> None:
    none, archive = Archive(tmp_path, Limits(workload=0)), Archive(tmp_path, Limits())
    container = a_container(1)
    await archive.keep([container], tmp_path)
    written(tmp_path, container, 3)
    await none.keep([container], tmp_path)
    assert archive.records("") == []
