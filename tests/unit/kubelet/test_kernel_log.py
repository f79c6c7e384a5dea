"""The kernel's log: kills for want of memory, told from those for a limit."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from kubelet.node.kernel_log import KernelLog, system_oom

GLOBAL = (
    "6,1234,5678,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
    "task_memcg=/system.slice,task=hungry one,pid=4711,uid=0"
)
LIMIT = (
    "6,1235,5679,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
    "oom_memcg=/kubepods/pod1,task_memcg=/kubepods/pod1/abc,task=tail,pid=12,uid=0"
)


def test_what_is_told() -> None:
    assert system_oom(GLOBAL) == "System OOM encountered, victim process: hungry one, pid: 4711"
    assert system_oom(LIMIT) == ""
    assert system_oom("6,1,2,-;eth0: link up") == ""


async def test_records_are_read_as_they_come() -> None:
    read, write = os.pipe2(os.O_NONBLOCK)
    said: asyncio.Queue[str] = asyncio.Queue()
    kernel = KernelLog(said.put_nowait)
    kernel.follow(read)
    for record in (LIMIT, GLOBAL):
        os.write(write, record.encode())
        await asyncio.sleep(0.01)
    assert "pid: 4711" in await asyncio.wait_for(said.get(), 5)
    os.close(write)
    await asyncio.sleep(0.01)
    assert said.empty()
    kernel.close()


async def test_a_log_that_nobody_may_read_is_no_error(tmp_path: Path) -> None:
    kernel = KernelLog(lambda said: None)
    kernel.open(tmp_path / "none")
    kernel.close()
