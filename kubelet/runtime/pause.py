"""The sandbox's image: a static `catatonit -P`, which sleeps and reaps, on an empty root, and beside it a static
busybox, whose `nsenter` brings it into a network namespace of ours.

It is made from the machine's own packages, so that no registry is needed. Its name carries a hash of the programs: a
newer one makes a new image and leaves running sandboxes alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from daemon.log import logger
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError, NotFound

log = logger(__name__)

PROGRAM = Path("/usr/bin/catatonit")
BUSYBOX = (Path("/bin/busybox"), Path("/usr/bin/busybox"))
REPOSITORY = "pytheas/pause"
NETNS = "/netns"
"""Where a sandbox that joins a namespace by itself finds it."""
JOINING = ("/busybox", "nsenter", f"--net={NETNS}", "/pause", "-P")


@dataclass(frozen=True, slots=True)
class Pause:
    image: str
    joins: bool
    """Whether its programs can join a namespace by themselves, as `JOINING` does it."""


async def ensure(engine: Engine, wanted: str = "", program: Path = PROGRAM) -> Pause:
    """The pause image to use: `wanted` as it is, or ours, made if it isn't there.

    Raises EngineError when there is no `catatonit` to make it from.
    """
    if wanted:
        return Pause(wanted, joins=False)
    try:
        programs = await asyncio.to_thread(_programs, program)
    except OSError as error:
        raise EngineError(f"no pause image can be made, the package catatonit is missing: {error}") from error
    digest = hashlib.sha256(b"".join(programs.values())).hexdigest()[:12]
    made = Pause(f"{REPOSITORY}:{digest}", joins="busybox" in programs)
    try:
        await engine.image(made.image)
    except NotFound:
        await engine.import_tar(_tree(programs), made.image, ['ENTRYPOINT ["/pause","-P"]'])
        log.info("made the pause image", image=made.image)
    return made


def _programs(program: Path) -> dict[str, bytes]:
    found = {"pause": program.read_bytes()}
    content = next((each.read_bytes() for each in BUSYBOX if each.exists()), b"")
    # Debian's other busybox needs a loader, which the image hasn't.
    if content and b"/ld-linux" not in content[:4096]:
        found["busybox"] = content
    return found


def _tree(programs: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in programs.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
