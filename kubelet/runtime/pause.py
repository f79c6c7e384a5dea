"""The sandbox's image: a static `catatonit -P`, which sleeps and reaps, alone on an empty root.

It is made from the machine's own package, so that no registry is needed. Its name carries a hash of the program: a
newer catatonit makes a new image and leaves running sandboxes alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
from pathlib import Path

from daemon.log import logger
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError, NotFound

log = logger(__name__)

PROGRAM = Path("/usr/bin/catatonit")
REPOSITORY = "pytheas/pause"


async def ensure(engine: Engine, wanted: str = "", program: Path = PROGRAM) -> str:
    """The reference of the pause image to use: `wanted` as it is, or ours, made if it isn't there.

    Raises EngineError when there is no `catatonit` to make it from.
    """
    if wanted:
        return wanted
    try:
        content = await asyncio.to_thread(program.read_bytes)
    except OSError as error:
        raise EngineError(f"no pause image can be made, the package catatonit is missing: {error}") from error
    reference = f"{REPOSITORY}:{hashlib.sha256(content).hexdigest()[:12]}"
    try:
        await engine.image(reference)
    except NotFound:
        await engine.import_tar(_tree(content), reference, ['ENTRYPOINT ["/pause","-P"]'])
        log.info("made the pause image", image=reference)
    return reference


def _tree(program: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("pause")
        entry.size, entry.mode = len(program), 0o755
        tar.addfile(entry, io.BytesIO(program))
    return buffer.getvalue()
