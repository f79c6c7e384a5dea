"""Those who wait for a server that is away wake when it has answered one of them."""

from __future__ import annotations

import asyncio
import time

from client.outage import SPREAD, Outage


async def test_an_answer_wakes_all_who_wait() -> None:
    outage = Outage()
    outage.begin()
    began = time.monotonic()
    waiting = [asyncio.create_task(outage.pause(60)) for _ in range(10)]
    await asyncio.sleep(0)
    outage.end()
    await asyncio.gather(*waiting)
    assert time.monotonic() - began < 30


async def test_nobody_waits_longer_than_asked() -> None:
    outage = Outage()
    outage.begin()
    await asyncio.wait_for(outage.pause(SPREAD / 10), 30)


async def test_a_server_that_answers_is_no_outage() -> None:
    """A pause for another reason, a refusal, is waited out whoever else is answered."""
    outage = Outage()
    outage.begin()
    outage.end()
    waiting = asyncio.create_task(outage.pause(60))
    await asyncio.sleep(0)
    outage.end()
    done, _ = await asyncio.wait([waiting], timeout=2 * SPREAD)
    assert not done
    waiting.cancel()
