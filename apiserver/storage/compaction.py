"""etcd keeps every revision until it is told to forget: one API server at a time tells it, every few minutes.

What was the present at the last round is the past limit of this one, so that a list in pages or a watch that lost its
connection has at least that long to go on. Whoever first writes the shared key in a round does the work.
"""

from __future__ import annotations

import asyncio

from apiserver.storage import keys
from apiserver.storage.etcd import Compacted, Etcd, EtcdError, put, read, unchanged_since
from daemon.log import logger

log = logger(__name__)

PERIOD = 300.0


async def compact_regularly(etcd: Etcd, period: float = PERIOD) -> None:
    """Run until cancelled."""
    seen, limit = 0, 0
    while True:
        await asyncio.sleep(period)
        try:
            seen, limit = await compact_once(etcd, seen, limit)
        except EtcdError as error:
            log.warning("could not compact etcd; trying again at the next round", why=str(error))


async def compact_once(etcd: Etcd, seen: int, limit: int) -> tuple[int, int]:
    """One round. `seen` is the shared key's revision as last seen, `limit` the revision to forget before (0: none).

    Returns both for the next round.
    """
    compare = [unchanged_since(keys.COMPACTION, seen)]
    mark = str(limit).encode()
    answer = await etcd.txn(compare, [put(keys.COMPACTION, mark)], [read(keys.COMPACTION)])
    if not answer.succeeded:
        kvs = answer.responses[0].response_range.kvs
        return (kvs[0].mod_revision if kvs else 0), answer.header.revision
    if limit:
        try:
            await etcd.compact(limit)
        except Compacted:
            log.debug("etcd was compacted further already", revision=limit)
        else:
            log.info("compacted etcd", revision=limit)
    return answer.header.revision, answer.header.revision
