"""Finds out once whether this machine lets a container have a negative OOM score (that takes CAP_SYS_RESOURCE).

Where it doesn't, runc dies with an error that names no reason, so it is tried on a container that does nothing.
"""

from __future__ import annotations

from daemon.log import logger
from kubelet.runtime.container import NODE
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError, NotFound, Unreachable

log = logger(__name__)

LOWEST = -1000


async def lowest_score(engine: Engine, node: str, image: str) -> int:
    """The lowest `oom_score_adj` that a container may have here: -1000 or 0. Raises Unreachable, NotFound (no
    image)."""
    host = {"NetworkMode": "none", "OomScoreAdj": -998, "LogConfig": {"Type": "none"}}
    # Without a pod's labels: no inventory takes it for a part of a pod, and `--cleanup` still finds it.
    body = {"Image": image, "HostConfig": host, "Labels": {NODE: node}}
    container_id = await engine.create(body, "")
    try:
        await engine.start(container_id)
    except (Unreachable, NotFound):
        raise
    except EngineError:
        log.warning("this machine lets no process lower its OOM score (no CAP_SYS_RESOURCE): 0 is used instead")
        return 0
    finally:
        await engine.remove(container_id)
    return LOWEST
