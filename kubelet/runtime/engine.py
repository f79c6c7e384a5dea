"""Docker's API for asyncio: every call runs in a bounded pool of threads, with a deadline, on the SDK's connections.

Two limits keep one slow thing from stopping all others. Starts (the costly calls: namespaces, cgroups, runc) share a
semaphore of about eight, which measured best on few cores; everything else has its own. A call that overruns its
deadline gives its place back and raises `Hung`; its thread ends by the socket's own time-out.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from urllib3.exceptions import HTTPError

from daemon.log import logger
from kubelet.runtime.container import NODE
from kubelet.runtime.errors import Conflict, EngineError, Hung, NotFound, Unreachable
from kubelet.runtime.hijack import Hijacked, hijack
from kubelet.runtime.sdk import docker, requests

log = logger(__name__)
T = TypeVar("T")

MIN_API = "1.41"
STARTS = 8
PULLS = 8
CALL_DEADLINE = 30.0
START_DEADLINE = 120.0
LOAD_DEADLINE = 3600.0

CONTAINER_EVENTS = ("create", "start", "die", "oom", "destroy")
IMAGE_EVENTS = ("tag", "untag", "delete", "load", "import", "pull")


class Engine:
    """One Docker engine. Make it with `await Engine.connect(url)`."""

    def __init__(self, url: str, *, starts: int = STARTS) -> None:
        self._url = url
        self._client: Any = None
        self._threads = ThreadPoolExecutor(max_workers=4 * starts, thread_name_prefix="docker")
        self._starting = asyncio.Semaphore(starts)
        self._asking = asyncio.Semaphore(2 * starts)
        self._pulling = asyncio.Semaphore(PULLS)
        self._loading = asyncio.Semaphore(2)

    async def connect(self) -> None:
        """Negotiate the API version. Raises Unreachable, or EngineError for an engine that is too old."""

        def open_client() -> Any:
            client = docker.APIClient(base_url=self._url, version="auto", timeout=int(START_DEADLINE), max_pool_size=32)
            client.trust_env = False  # a local socket needs no proxies, and reading them costs each call
            return client

        client = await self._run(self._asking, CALL_DEADLINE, open_client)
        spoken = tuple(int(part) for part in client.api_version.split("."))
        if spoken < tuple(int(part) for part in MIN_API.split(".")):
            raise EngineError(f"this Docker engine speaks API {client.api_version}, at least {MIN_API} is needed")
        self._client = client

    @property
    def connected(self) -> bool:
        return self._client is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def version(self) -> dict[str, Any]:
        return await self._ask(lambda docker: docker.version())

    async def info(self) -> dict[str, Any]:
        return await self._ask(lambda docker: docker.info())

    async def containers(self, node: str) -> list[dict[str, Any]]:
        """The summaries of all containers, in any state, that carry this node's label."""
        return await self._ask(lambda docker: docker.containers(all=True, filters={"label": f"{NODE}={node}"}))

    async def inspect(self, container_id: str) -> dict[str, Any]:
        return await self._ask(lambda docker: docker.inspect_container(container_id))

    async def create(self, body: Mapping[str, Any], name: str) -> str:
        """Create a container from a body as Docker's API takes it; returns its id. Raises Conflict if the name is
        taken."""
        answer = await self._ask(lambda docker: docker.create_container_from_config(body, name))
        return str(answer["Id"])

    async def start(self, container_id: str) -> None:
        await self._run(self._starting, START_DEADLINE, lambda: self._ready().start(container_id))

    async def update(self, container_id: str, limits: Mapping[str, Any]) -> None:
        """Give a container other limits, by their names in a create call's HostConfig. Raises EngineError with
        Docker's words when it can't have them."""

        def send(docker: Any) -> None:
            answer = docker._post_json(docker._url("/containers/{0}/update", container_id), data=dict(limits))
            docker._raise_for_status(answer)

        await self._ask(send)

    async def kill(self, container_id: str, signal: str) -> None:
        """Send a signal. A container that isn't running (any more) is no error."""
        try:
            await self._ask(lambda docker: docker.kill(container_id, signal))
        except (NotFound, Conflict):
            log.debug("had ended before the signal came", container=container_id[:12], signal=signal)

    async def remove(self, container_id: str) -> None:
        """Kill and remove, with anonymous volumes. What is gone, or going already, is no error."""
        try:
            await self._ask(lambda docker: docker.remove_container(container_id, v=True, force=True))
        except (NotFound, Conflict):
            log.debug("was gone already", container=container_id[:12])

    async def image(self, reference: str) -> dict[str, Any]:
        """Docker's description of an image it has. Raises NotFound."""
        return await self._ask(lambda docker: docker.inspect_image(reference))

    async def images(self) -> list[dict[str, Any]]:
        return await self._ask(lambda docker: docker.images())

    async def all_containers(self) -> list[dict[str, Any]]:
        """The summaries of all containers of the engine, whoever made them."""
        return await self._ask(lambda docker: docker.containers(all=True))

    async def remove_image(self, name: str, *, force: bool = False) -> list[dict[str, str]]:
        """Untag an image and delete it with its last tag; Docker's list of what went. Raises NotFound, Conflict."""
        return await self._ask(lambda docker: docker.remove_image(name, force=force))

    async def pull(self, repository: str, tag: str, auth: Mapping[str, str] | None, deadline: float) -> EventStream:
        """Begin to pull an image (`tag` may be a digest); Docker's lines on it. To close them ends the pull. Raises
        Hung when nothing is said for `deadline` seconds."""

        def begin() -> Any:
            client = self._ready()
            headers = {"X-Registry-Auth": docker.auth.encode_header(auth)} if auth else {}
            params = {"fromImage": repository, "tag": tag}
            url = client._url("/images/create")
            response = client._post(url, params=params, headers=headers, stream=True, timeout=deadline)
            client._raise_for_status(response)
            return docker.types.CancellableStream(client._stream_helper(response, decode=True), response)

        return EventStream(await self._run(self._pulling, deadline + 1.0, begin), "docker-pull")

    async def load(self, archive: Iterator[bytes]) -> list[str]:
        """Load a `docker save` archive, read from a thread as Docker takes it; what Docker says it has loaded."""

        def send() -> list[str]:
            client = self._ready()
            url, headers = client._url("/images/load"), {"Content-Type": "application/x-tar"}
            response = client._post(
                url, data=archive, params={"quiet": "1"}, headers=headers, stream=True, timeout=LOAD_DEADLINE
            )
            client._raise_for_status(response)
            said = []
            for line in client._stream_helper(response, decode=True):
                if "error" in line:
                    raise EngineError(str(line["error"]))
                said.append(str(line.get("stream", "")).strip())
            return said

        return await self._run(self._loading, LOAD_DEADLINE, send)

    async def import_tar(self, tree: bytes, reference: str, changes: Sequence[str]) -> None:
        """Make an image of one layer from a tar archive."""
        repository, _, tag = reference.rpartition(":")

        def send() -> None:
            client = self._ready()
            params = {"fromSrc": "-", "repo": repository, "tag": tag, "changes": list(changes)}
            headers = {"Content-Type": "application/tar"}
            client._result(client._post(client._url("/images/create"), data=tree, params=params, headers=headers))

        await self._run(self._asking, START_DEADLINE, send)

    async def exec_create(self, container_id: str, argv: Sequence[str], *, stdin: bool, tty: bool) -> str:
        """Prepare a command in a container; its id. All its output is attached: that tells when it ends."""
        options = {"stdin": stdin, "tty": tty, "stdout": True, "stderr": not tty}
        answer = await self._ask(lambda docker: docker.exec_create(container_id, list(argv), **options))
        return str(answer["Id"])

    async def exec_start(self, exec_id: str, *, tty: bool) -> Hijacked:
        return await hijack(self._url, self._path(f"/exec/{exec_id}/start"), {"Detach": False, "Tty": tty})

    async def exec_inspect(self, exec_id: str) -> dict[str, Any]:
        return await self._ask(lambda docker: docker.exec_inspect(exec_id))

    async def exec_resize(self, exec_id: str, width: int, height: int) -> None:
        await self._ask(lambda docker: docker.exec_resize(exec_id, height, width))

    async def attach(self, container_id: str, *, stdin: bool) -> Hijacked:
        """The streams of a container's first process, from now on."""
        query = f"stream=1&stdout=1&stderr=1&stdin={int(stdin)}"
        return await hijack(self._url, self._path(f"/containers/{container_id}/attach?{query}"))

    async def resize(self, container_id: str, width: int, height: int) -> None:
        await self._ask(lambda docker: docker.resize(container_id, height, width))

    def _path(self, path: str) -> str:
        return f"/v{self._ready().api_version}{path}"

    async def archive(self, container_id: str, path: str, most: int) -> bytes:
        """A tar of what lies at a path in a container, which needn't run. Raises NotFound, and EngineError for more
        than `most` bytes."""

        def read(docker: Any) -> bytes:
            stream, _ = docker.get_archive(container_id, path)
            content = bytearray()
            for chunk in stream:
                content += chunk
                if len(content) > most:
                    raise EngineError(f"{path} is larger than {most} bytes")
            return bytes(content)

        return await self._ask(read)

    async def events(self, node: str) -> EventStream:
        """Docker's events from now on: those of this node's containers, and of images."""
        names = [*CONTAINER_EVENTS, *IMAGE_EVENTS]
        filters = {"type": ["container", "image"], "event": names}
        stream = await self._ask(lambda docker: docker.events(decode=True, filters=filters))
        return EventStream(stream, "docker-events")

    def _ready(self) -> Any:
        if self._client is None:
            raise Unreachable("Docker has not answered yet")
        return self._client

    async def _ask(self, call: Callable[[Any], T]) -> T:
        return await self._run(self._asking, CALL_DEADLINE, lambda: call(self._ready()))

    async def _run(self, limit: asyncio.Semaphore, deadline: float, call: Callable[[], T]) -> T:
        async with limit:
            future = asyncio.get_running_loop().run_in_executor(self._threads, _translated, call)
            try:
                return await asyncio.wait_for(future, deadline)
            except TimeoutError:
                raise Hung(f"Docker did not answer within {deadline:g} s") from None


class EventStream:
    """What Docker goes on telling (events, a pull's lines) as an async iterator. A thread of its own reads it; the
    iteration ends when Docker has no more to say, or goes away."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, name=name, daemon=True).start()

    def _read(self) -> None:
        try:
            for event in self._stream:
                self._loop.call_soon_threadsafe(self._queue.put_nowait, event)
        except (requests.RequestException, docker.errors.DockerException, HTTPError, OSError, ValueError) as error:
            log.debug("the event stream broke", error=str(error))
        finally:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._queue.put_nowait, None)

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> dict[str, Any]:
        event = await self._queue.get()
        if event is None:
            raise StopAsyncIteration
        return event

    def close(self) -> None:
        with contextlib.suppress(OSError):  # Docker was faster
            self._stream.close()


def _translated(call: Callable[[], T]) -> T:
    """Run a call of the SDK, with its errors as ours."""
    try:
        return call()
    except docker.errors.APIError as error:
        status = error.response.status_code if error.response is not None else 0
        text = str(error.explanation or error)
        if status == 404:
            raise NotFound(text, status) from error
        raise (Conflict if status == 409 else EngineError)(text, status) from error
    except requests.ConnectionError as error:
        raise Unreachable(f"Docker cannot be reached: {error}") from error
    except requests.Timeout as error:
        raise Hung(f"Docker did not answer in time: {error}") from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise EngineError(str(error)) from error
