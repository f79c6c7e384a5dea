"""The storage layer on a real etcd: transactions, large values, TLS, several endpoints, compaction, silence."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from apiserver.storage.channel import Certificates
from apiserver.storage.compaction import compact_once
from apiserver.storage.etcd import Compacted, Etcd, FutureRevision, TooLarge, Unavailable, prefix_end, put, read, remove
from apiserver.storage.etcd import unchanged_since as unchanged
from apiserver.storage.store import Lost, Reserved, Store
from cluster import identities
from cluster.layout import Layout, Network
from tests.harness.control import Etcd as EtcdProcess
from tests.harness.process import free_port, wait_until


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdProcess]:
    made = EtcdProcess(tmp_path_factory.mktemp("etcd")).start()
    yield made
    made.process.stop()


@pytest.fixture
async def etcd(process: EtcdProcess) -> AsyncIterator[Etcd]:
    connected = Etcd([process.url])
    yield connected
    await connected.close()


async def follow(etcd: Etcd, key: bytes, start: int) -> None:
    """Watch until something goes wrong."""
    async with aclosing(etcd.watch(key, b"", start)) as responses:
        async for _ in responses:
            continue


async def test_a_transaction_compares(etcd: Etcd) -> None:
    made = await etcd.txn([unchanged(b"/t/a", 0)], [put(b"/t/a", b"1")])
    assert made.succeeded
    lost = await etcd.txn([unchanged(b"/t/a", 0)], [put(b"/t/a", b"2")], [read(b"/t/a")])
    assert not lost.succeeded
    assert lost.responses[0].response_range.kvs[0].value == b"1"
    gone = await etcd.txn([unchanged(b"/t/a", made.header.revision)], [remove(b"/t/a")])
    assert gone.succeeded
    assert await etcd.revision() >= gone.header.revision


async def test_many_calls_at_once(etcd: Etcd) -> None:
    await asyncio.gather(*(etcd.txn([], [put(b"/many/%03d" % i, b"x" * i)]) for i in range(300)))
    answer = await etcd.range(b"/many/", prefix_end(b"/many/"))
    assert [len(item.value) for item in answer.kvs] == list(range(300))
    some = await etcd.range(b"/many/", prefix_end(b"/many/"), limit=10)
    assert (len(some.kvs), some.more, some.count) == (10, True, 300)


async def test_large_values_and_larger_lists(etcd: Etcd) -> None:
    large = os.urandom(1_400_000)
    for index in range(12):
        await etcd.txn([], [put(b"/large/%02d" % index, large)])
    answer = await etcd.range(b"/large/", prefix_end(b"/large/"))
    assert [item.value for item in answer.kvs] == [large] * 12
    with pytest.raises(TooLarge, match="etcdserver: request is too large"):
        await etcd.txn([], [put(b"/large/x", b"x" * 1_600_000)])
    with pytest.raises(TooLarge):
        await etcd.txn([], [put(b"/large/x", b"x" * 3_000_000)])


async def test_a_watch_tells_all_from_a_revision_on(etcd: Etcd) -> None:
    first = (await etcd.txn([], [put(b"/w/a", b"1")])).header.revision
    await etcd.txn([], [put(b"/w/b", b"2"), remove(b"/w/a")])
    await etcd.txn([], [put(b"/elsewhere", b"3")])
    seen: list[tuple[int, bytes]] = []
    async with aclosing(etcd.watch(b"/w/", prefix_end(b"/w/"), first)) as responses:
        async for response in responses:
            seen += [(event.type, event.kv.key) for event in response.events]
            if len(seen) == 3:
                break
    assert sorted(seen) == [(0, b"/w/a"), (0, b"/w/b"), (1, b"/w/a")]


async def test_what_is_compacted_is_gone_for_lists_and_watches(etcd: Etcd) -> None:
    old = (await etcd.txn([], [put(b"/c", b"1")])).header.revision
    new = (await etcd.txn([], [put(b"/c", b"2")])).header.revision
    assert (await etcd.range(b"/c", revision=old)).kvs[0].value == b"1"
    await etcd.compact(new)
    with pytest.raises(Compacted):
        await etcd.range(b"/c", revision=old)
    with pytest.raises(Compacted):
        await etcd.compact(old)
    with pytest.raises(FutureRevision):
        await etcd.range(b"/c", revision=new + 1000)
    with pytest.raises(Compacted):
        await follow(etcd, b"/c", old)


async def test_one_server_a_round_compacts(etcd: Etcd) -> None:
    start = await etcd.revision()
    mine = await compact_once(etcd, 0, 0)
    other = await compact_once(etcd, 0, 0)
    assert other[0] == mine[0]
    old = (await etcd.txn([], [put(b"/r", b"1")])).header.revision
    await etcd.txn([], [put(b"/r", b"2")])
    mine = await compact_once(etcd, *mine)
    assert (await etcd.range(b"/r", revision=old)).kvs
    assert (await compact_once(etcd, *other))[0] == mine[0]
    await compact_once(etcd, *mine)
    with pytest.raises(Compacted):
        await etcd.range(b"/r", revision=max(start, 1))


async def test_names_are_held_with_their_object(etcd: Etcd) -> None:
    store = Store(etcd)
    revision = await store.create(b"/s/one", b"{}", ["ports/1", "ports/2"])
    with pytest.raises(Reserved, match=r"ports/2 is held by /s/one"):
        await store.create(b"/s/two", b"{}", ["ports/2", "ports/3"])
    with pytest.raises(Lost) as taken:
        await store.create(b"/s/one", b"{}")
    assert taken.value.current is not None
    assert taken.value.current.revision == revision
    newer = await store.update(b"/s/one", b"{1}", revision, ["ports/3"], ["ports/2"])
    with pytest.raises(Lost):
        await store.update(b"/s/one", b"{2}", revision)
    second = await store.create(b"/s/two", b"{}", ["ports/2"])
    await store.delete(b"/s/one", newer, ["ports/1", "ports/3"])
    await store.update(b"/s/two", b"{}", second, ["ports/1", "ports/3"])
    with pytest.raises(Lost) as missing:
        await store.delete(b"/s/one", newer)
    assert missing.value.current is None


async def test_what_has_a_lifetime_has_a_lease(etcd: Etcd) -> None:
    store = Store(etcd)
    for name in (b"/e/a", b"/e/b"):
        await store.create(name, b"{}", lifetime=3600)
    leases = {item.lease for item in (await etcd.range(b"/e/", prefix_end(b"/e/"))).kvs}
    (lease,) = leases
    assert lease != 0
    await etcd.revoke(lease)
    assert not (await etcd.range(b"/e/", prefix_end(b"/e/"))).kvs
    await store.create(b"/e/c", b"{}", lifetime=3600)
    (kept,) = (await etcd.range(b"/e/", prefix_end(b"/e/"))).kvs
    assert kept.lease not in (0, lease)


async def test_a_dead_endpoint_is_left_for_one_that_lives(process: EtcdProcess) -> None:
    both = Etcd([f"http://127.0.0.1:{free_port()}", process.url])
    await both.txn([], [put(b"/two", b"1")])
    assert (await both.range(b"/two")).kvs[0].value == b"1"
    await both.close()


async def test_nobody_there(tmp_path: Path) -> None:
    nobody = Etcd([f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"])
    with pytest.raises(Unavailable, match="failed to connect") as away:
        await nobody.txn([], [put(b"/x", b"1")])
    assert not away.value.sent
    with pytest.raises(Unavailable):
        await follow(nobody, b"/x", 1)
    await nobody.close()


def _stopped(pid: int) -> bool:
    states = [path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return set(states) == {"T"}


async def test_an_etcd_that_says_nothing(etcd: Etcd, process: EtcdProcess) -> None:
    await etcd.revision()
    os.kill(process.process.pid, signal.SIGSTOP)
    wait_until("all its threads to stop", lambda: _stopped(process.process.pid))
    try:
        begun = time.monotonic()
        asking = asyncio.create_task(etcd.revision())
        with pytest.raises(Unavailable) as silent:
            await asyncio.wait_for(asking, 14)
        assert silent.value.sent
        assert time.monotonic() - begun > 5
    finally:
        os.kill(process.process.pid, signal.SIGCONT)
    assert await etcd.revision() > 0


async def test_tls_with_certificates_on_both_sides(tmp_path: Path) -> None:
    layout = Layout.below(tmp_path / "pki")
    identities.control_plane(layout, Network(), ("127.0.0.1",), "https://127.0.0.1:1")
    pki = layout.pki
    made = EtcdProcess(tmp_path)
    secure = made.url.replace("http://", "https://")
    made.process.argv = [secure if part == made.url else part for part in made.process.argv]
    made.process.argv += ["--cert-file", f"{pki}/etcd.crt", "--key-file", f"{pki}/etcd.key", "--client-cert-auth"]
    made.process.argv += ["--trusted-ca-file", f"{pki}/etcd-ca.crt"]
    made.process.start()
    try:
        known = Certificates(pki / "etcd-ca.crt", pki / "etcd-client.crt", pki / "etcd-client.key")
        client = Etcd([secure], known)
        for _ in range(100):
            try:
                await client.revision()
                break
            except Unavailable:
                await asyncio.sleep(0.1)
        large = os.urandom(1_000_000)
        await client.txn([], [put(b"/tls", large)])
        assert (await client.range(b"/tls")).kvs[0].value == large
        await client.compact(await client.revision())
        with pytest.raises(Compacted):
            await client.compact(1)
        async with aclosing(client.watch(b"/tls", b"", await client.revision())) as responses:
            created = await anext(responses)
            assert created.created
        stranger = Etcd([secure], Certificates(pki / "etcd-ca.crt"))
        with pytest.raises(Unavailable):
            await stranger.revision()
        await client.close()
        await stranger.close()
    finally:
        made.process.stop()
