"""`/images/…`: what `pytheas image` asks of a node. See docs/images.md.

An archive is handed to Docker as it arrives, so that its size is no matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from api.errors import BadRequest, Conflict, InternalError, NotFound, ServiceUnavailable, StatusError
from api.layers import chain_ids
from daemon.aio import web
from daemon.log import logger
from kubelet.images.collector import Collector, present
from kubelet.images.images import Images
from kubelet.runtime import container as labels
from kubelet.runtime import errors as engines
from kubelet.runtime.engine import Engine
from kubelet.stats.file_system import file_system

log = logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOADED = ("Loaded image:", "Loaded image ID:")
INSPECTIONS = 8


class _Wanted(msgspec.Struct):
    chains: list[str]


class ImagePages:
    def __init__(self, engine: Engine, images: Images, collector: Collector) -> None:
        self._engine, self._images, self._collector = engine, images, collector

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/images", _answered(self._list)),
            web.delete("/images", _answered(self._remove)),
            web.post("/images/layers", _answered(self._layers)),
            web.post("/images/load", _answered(self._load)),
        ]

    async def _list(self, request: web.Request) -> dict[str, Any]:
        listed, users = await asyncio.gather(self._engine.images(), self._users())
        found = [(present(entry), entry) for entry in listed]
        return {
            "images": [
                {
                    "id": image.id,
                    "names": image.names,
                    "digests": image.digests,
                    "size": image.size,
                    "created": entry.get("Created", 0),
                    "usedBy": users.get(image.id, []),
                }
                for image, entry in found
            ]
        }

    async def _users(self) -> dict[str, list[str]]:
        """Who has a container of an image, by the image's id: pods as namespace/name, others by container name."""
        found: dict[str, list[str]] = {}
        for each in await self._engine.all_containers():
            own = each.get("Labels") or {}
            names = each.get("Names") or [each.get("Id", "")]
            user = f"{own[labels.POD_NAMESPACE]}/{own[labels.POD_NAME]}" if labels.POD_NAME in own else names[0][1:]
            users = found.setdefault(str(each.get("ImageID", "")), [])
            if user not in users:
                users.append(user)
        return found

    async def _remove(self, request: web.Request) -> dict[str, Any]:
        name, force = request.query.get("name", ""), request.query.get("force") == "true"
        if not name:
            raise BadRequest("name is required")
        image_id = str((await self._engine.image(name))["Id"])
        users = (await self._users()).get(image_id, [])
        if users and not force:
            raise _conflict(f"image {name} is in use by {', '.join(users[:5])}{' and others' if users[5:] else ''}")
        gone = await self._engine.remove_image(name, force=force)
        log.info("image removed on request", image=name, force=force)
        return {
            "untagged": [each["Untagged"] for each in gone if "Untagged" in each],
            "deleted": [each["Deleted"] for each in gone if "Deleted" in each],
        }

    async def _layers(self, request: web.Request) -> dict[str, Any]:
        """Which of the chains are here, and how much room there is."""
        try:
            wanted = msgspec.json.decode(await request.read(), type=_Wanted)
        except msgspec.DecodeError as error:
            raise BadRequest(f"the body is not of the form {{chains: […]}}: {error}") from error
        info = await self._engine.info()
        here = await self._chains() if _skips_layers(info) else set()
        free = await asyncio.to_thread(_free, Path(str(info.get("DockerRootDir") or "/")))
        return {"present": [each for each in wanted.chains if each in here], "free": free}

    async def _chains(self) -> set[str]:
        found: set[str] = set()
        places = asyncio.Semaphore(INSPECTIONS)

        async def add(image_id: str) -> None:
            async with places:
                try:
                    body = await self._engine.image(image_id)
                except engines.NotFound:
                    return
            found.update(chain_ids((body.get("RootFS") or {}).get("Layers") or ()))

        await asyncio.gather(*(add(str(each["Id"])) for each in await self._engine.images()))
        return found

    async def _load(self, request: web.Request) -> dict[str, Any]:
        before = {str(each["Id"]) for each in await self._engine.images()}
        said = await self._engine.load(_body(request))
        loaded = [text.partition(":")[2].strip() for text in said if text.startswith(LOADED)]
        for name in loaded:
            image_id = await self._images.loaded(name)
            if image_id not in before:
                self._collector.brought(image_id, name)
        log.info("images loaded", images=",".join(loaded))
        return {"loaded": loaded}


def _body(request: web.Request) -> Iterator[bytes]:
    """The request's body for a thread that reads it: one piece at a time crosses over."""
    loop = asyncio.get_running_loop()

    def pieces() -> Iterator[bytes]:
        while piece := asyncio.run_coroutine_threadsafe(request.content.readany(), loop).result():
            yield piece

    return pieces()


def _skips_layers(info: dict[str, Any]) -> bool:
    """An engine that keeps its images in containerd wants every layer of an archive."""
    return not any("io.containerd" in str(value) for _, value in info.get("DriverStatus") or ())


def _free(root: Path) -> int | None:
    """What is left on Docker's file system; None if it can't be seen from here."""
    try:
        return file_system(root).available
    except OSError:
        return None


def _answered(handler: Callable[[web.Request], Awaitable[dict[str, Any]]]) -> Handler:
    """The handler's answer as JSON, or what went wrong as a Status."""

    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            body, status = await handler(request), 200
        except (StatusError, engines.EngineError) as error:
            told = error if isinstance(error, StatusError) else _status(error)
            body, status = told.status(), told.code
        return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")

    return serve


def _conflict(message: str) -> StatusError:
    return StatusError(message, code=Conflict.code, reason=Conflict.reason)


def _status(error: engines.EngineError) -> StatusError:
    match error:
        case engines.NotFound():
            return StatusError(str(error), code=NotFound.code, reason=NotFound.reason)
        case engines.Conflict():
            return _conflict(str(error))
        case engines.Unreachable() | engines.Hung():
            return ServiceUnavailable(str(error))
        case _ if error.status == 400:
            return BadRequest(str(error))
        case _:
            return InternalError(str(error))
