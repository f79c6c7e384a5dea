"""The watch cache against a plain model: whatever happens, a watcher who applies what it sees has what a list shows."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.selectors import LabelSelector
from apiserver.endpoints.selection import Selection
from apiserver.storage import cache as caches
from apiserver.storage.cache import Cache, Entry, Expired
from apiserver.storage.encoding import Encoding
from apiserver.storage.expected import LIMIT
from apiserver.storage.store import Lost

ENCODING = Encoding("v1", "ConfigMap")


def stored(name: str, namespace: str = "ns", **labels: str) -> bytes:
    return ENCODING.store({"metadata": {"name": name, "namespace": namespace, "labels": labels}})


def new_cache(revision: int = 10) -> Cache:
    cache = Cache(ENCODING, lambda obj: {"spec.colour": "red"})
    cache.fill([], revision)
    return cache


def names(cache: Cache, namespace: str = "", selection: Selection | None = None, after: str = "") -> list[str]:
    return [entry.name for entry in cache.select(namespace, selection, after)]


def test_entries_are_in_the_order_of_their_keys_and_by_namespace() -> None:
    cache = new_cache()
    for revision, key in enumerate(["b/x", "a/z", "a/y", "a-b/x", "a0/x"], start=11):
        cache.put(key, stored(key.partition("/")[2], key.partition("/")[0]), revision)
    assert [entry.key for entry in cache.select("", None)] == ["a-b/x", "a/y", "a/z", "a0/x", "b/x"]
    assert names(cache, "a") == ["y", "z"]
    assert names(cache, "a", after="a/y") == ["z"]
    assert names(cache, "none") == []


def test_an_entry_has_what_selectors_ask_for() -> None:
    cache = new_cache()
    cache.put("ns/x", stored("x", colour="blue"), 11)
    entry = cache.entries["ns/x"]
    assert (entry.namespace, entry.name, entry.revision) == ("ns", "x", 11)
    assert entry.labels == {"colour": "blue"}
    assert entry.fields == {"spec.colour": "red"}
    assert entry.decode()["metadata"]["resourceVersion"] == "11"


def test_a_watcher_reads_on_from_its_revision() -> None:
    cache = new_cache()
    for revision in (11, 12, 13):
        cache.put(f"ns/{revision}", stored(str(revision)), revision)
    watcher = cache.watch(11)
    assert [change.revision for change in watcher.take()] == [12, 13]
    assert watcher.take() == []
    cache.remove("ns/12", 14)
    (change,) = watcher.take()
    assert change.type == "DELETED"
    event = orjson.loads(change.frame("DELETED", ENCODING))
    assert event["object"]["metadata"]["resourceVersion"] == "14"


def test_what_is_too_old_is_told() -> None:
    cache = new_cache(revision=10)
    with pytest.raises(Expired, match=r"too old resource version: 9 \(10\)"):
        cache.watch(9)
    assert cache.watch(10).take() == []


def test_a_slow_watcher_falls_out_of_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "RING", 4)
    cache = new_cache(revision=0)
    watcher = cache.watch(0)
    for revision in range(1, 8):
        cache.put("ns/x", stored("x"), revision)
    assert len(cache.watch(0).take()) == 7
    cache.put("ns/x", stored("x"), 8)
    with pytest.raises(Expired):
        watcher.take()
    with pytest.raises(Expired):
        cache.watch(3)
    assert [change.revision for change in cache.watch(4).take()] == [5, 6, 7, 8]


def test_a_refilled_cache_sends_everybody_to_list_again() -> None:
    cache = new_cache()
    watcher = cache.watch(10)
    cache.fill([cache.entry("ns/x", stored("x"), 15)], 20)
    with pytest.raises(Expired):
        watcher.take()
    assert names(cache) == ["x"]


async def test_waiting_ends_with_a_change_or_a_call() -> None:
    cache = new_cache()
    watcher = cache.watch(10)
    waiting = asyncio.create_task(watcher.wait())
    await asyncio.sleep(0)
    cache.put("ns/x", stored("x"), 11)
    cache.wake()
    await asyncio.wait_for(waiting, 30)
    assert len(watcher.take()) == 1
    asyncio.get_running_loop().call_later(0.01, watcher.wake)
    await asyncio.wait_for(watcher.wait(), 30)
    assert watcher.take() == []
    watcher.wake()  # while nobody waits
    await asyncio.wait_for(watcher.wait(), 30)
    watcher.close()


LABELS = st.sampled_from(["", "yes", "no"])
STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), LABELS)), max_size=30)


@given(steps=STEPS)
def test_watching_equals_listing(steps: list[tuple[str, str | None]]) -> None:
    selection = Selection(labels=LabelSelector.parse("show=yes"))
    cache = new_cache()
    watcher, seen = cache.watch(10), dict[str, str]()
    for revision, (name, label) in enumerate(steps, start=11):
        if label is None:
            cache.remove(f"ns/{name}", revision)
        else:
            cache.put(f"ns/{name}", stored(name, **({"show": label} if label else {})), revision)
    for change in watcher.take():
        _apply(seen, change.seen_by(selection), change.entry)
    assert seen == {entry.name: entry.raw.decode() for entry in cache.select("", selection)}


def _apply(seen: dict[str, str], type_: str | None, entry: Entry) -> None:
    match type_:
        case "ADDED":
            assert entry.name not in seen
            seen[entry.name] = entry.raw.decode()
        case "MODIFIED":
            assert entry.name in seen
            seen[entry.name] = entry.raw.decode()
        case "DELETED":
            del seen[entry.name]


def test_large_changes_are_remembered_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = new_cache()
    slow = cache.watch(10)
    size = len(ENCODING.wire(stored("x"), 11))
    monkeypatch.setattr(caches, "RING_BYTES", 10 * size)
    for revision in range(11, 41):
        cache.put("ns/x", stored("x"), revision)
    assert [change.revision for change in cache.watch(35).take()] == [36, 37, 38, 39, 40]
    with pytest.raises(Expired):
        slow.take()
    with pytest.raises(Expired):
        cache.watch(11)


def test_only_the_newest_changes_keep_their_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "FRAMED", 2)
    cache = new_cache()
    for revision in range(11, 15):
        cache.put("ns/x", stored("x"), revision)
        cache.watch(revision - 1).take()[0].frame("MODIFIED", ENCODING)
    changes = cache.watch(10).take()
    assert [bool(change._frames) for change in changes] == [False, False, True, True]


def test_what_this_server_writes_is_not_decoded_again() -> None:
    decoded: list[str] = []
    cache = Cache(ENCODING, lambda obj: decoded.append(obj["metadata"]["name"]) or {"spec.colour": "red"})  # type: ignore[func-returns-value]
    cache.fill([], 10)
    obj = {"metadata": {"name": "x", "namespace": "ns", "labels": {"a": "b"}, "deletionTimestamp": "now"}}
    raw = ENCODING.store(obj)
    with cache.writing("ns/x", raw, obj):
        assert decoded == ["x"]
        obj["metadata"]["labels"].clear()  # type: ignore[attr-defined]
        cache.put("ns/x", bytes(bytearray(raw)), 11)  # the event, before the answer
    entry = cache.entries["ns/x"]
    assert decoded == ["x"]
    assert (entry.labels, entry.fields, entry.terminating) == ({"a": "b"}, {"spec.colour": "red"}, True)
    assert entry.raw == ENCODING.wire(raw, 11)
    assert not cache.expected


def test_what_somebody_else_wrote_is_decoded_and_a_failed_write_forgotten() -> None:
    cache = new_cache()
    ours, theirs = stored("x", colour="blue"), stored("x", colour="green")

    def lose() -> None:
        with cache.writing("ns/x", ours, orjson.loads(ours)):
            cache.put("ns/x", theirs, 11)
            assert cache.entries["ns/x"].labels == {"colour": "green"}
            assert len(cache.expected) == 1
            raise Lost(None)

    with pytest.raises(Lost):
        lose()
    assert not cache.expected


def test_writes_of_which_etcd_never_tells_do_not_pile_up() -> None:
    cache = new_cache()
    for number in range(10 * LIMIT):
        raw = stored(str(number))
        with cache.writing(f"ns/{number}", raw, orjson.loads(raw)):
            pass
        assert len(cache.expected) <= LIMIT
    cache.fill([], 20)
    assert not cache.expected
