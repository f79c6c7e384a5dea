"""log: what a container wrote, from the kubelet of its node, passed on piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from api.errors import BadRequest, InternalError, Invalid, StatusError
from api.field import FieldError, forbidden, invalid, not_supported
from apiserver.endpoints.http import Request, flag
from apiserver.endpoints.paths import Target
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.subresources.base import Subresource
from apiserver.endpoints.websocket import PIECES
from apiserver.remote.answer import Answer
from apiserver.streaming.kubelet import KubeletError
from apiserver.streaming.place import choose_container, find, kubelet_of

TEXT = b"text/plain"
_FLAGS = ("follow", "previous", "timestamps")
_NUMBERS = {"sinceSeconds": 1, "tailLines": 0, "limitBytes": 1}
_STREAMS = ("All", "Stdout", "Stderr")
_ERROR_LIMIT = 2048


async def _get(state: State, request: Request, resource: Resource, target: Target) -> None:
    options = read_options(request.query)
    pod = await find(state, resource, target)
    container = choose_container(pod, request.query.get("container", ""))
    node_name = pod["spec"].get("nodeName")
    if not node_name:
        await request.answer(200, b"", TEXT)
        return
    location = kubelet_of(state, node_name)
    path = f"/containerLogs/{quote(target.namespace)}/{quote(target.name)}/{quote(container)}"
    path += f"?{urlencode(options)}" if options else ""
    insecure = flag(request.query, "insecureSkipTLSVerifyBackend")
    try:
        async with state.kubelets.get(location, path, insecure) as answer:
            await _pass_on(state, request, answer, f"{target.name}")
    except KubeletError as error:
        raise StatusError(str(error)) from error


def read_options(query: Mapping[str, str]) -> dict[str, str]:
    """The options that the kubelet is asked with. Raises Invalid."""
    options = {name: "true" for name in _FLAGS if flag(query, name)}
    errors: list[FieldError] = []
    for name, least in _NUMBERS.items():
        text = query.get(name, "")
        if not text:
            continue
        if not text.lstrip("-").isdigit() or int(text) < least:
            errors.append(invalid(name, text, f"must be greater than {'or equal to ' if not least else ''}0"))
        options[name] = text
    if query.get("sinceTime"):
        if "sinceSeconds" in options:
            errors.append(forbidden("sinceSeconds", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
        options["sinceTime"] = query["sinceTime"]
    if stream := query.get("stream"):
        if stream not in _STREAMS:
            errors.append(not_supported("stream", stream, _STREAMS))
        elif stream != "All" and "tailLines" in options:
            errors.append(forbidden("", "`tailLines` and specific `stream` are mutually exclusive for now"))
        options["stream"] = stream
    if errors:
        raise Invalid("PodLogOptions", "", "", errors)
    return options


async def _pass_on(state: State, request: Request, answer: Answer, name: str) -> None:
    if answer.status >= 300:
        text = (await answer.read(_ERROR_LIMIT)).decode(errors="replace").strip()
        raise _refused(answer.status, text, name)
    await request.start_stream(TEXT, PIECES)
    copying = asyncio.create_task(_copy(request, answer), name="log: copy")
    leaving = asyncio.create_task(request.disconnected(), name="log: client leaving")
    stopping = asyncio.create_task(state.stopping.wait(), name="log: server stopping")
    try:
        await asyncio.wait((copying, leaving, stopping), return_when=asyncio.FIRST_COMPLETED)
        if copying.done():
            copying.result()
            await request.end_stream()
        elif stopping.done():
            request.cut_off()  # there is more to come: a client that follows asks another server for it
    finally:
        for task in (copying, leaving, stopping):
            task.cancel()


async def _copy(request: Request, answer: Answer) -> None:
    async for piece in answer.pieces():
        await request.stream(piece)


def _refused(status: int, text: str, name: str) -> StatusError:
    if status == 400:
        return BadRequest(text)
    if status == 404:
        return StatusError(text or f'pods "{name}" not found', code=404, reason="NotFound")
    if status == 500:
        return InternalError(text)
    return StatusError(text or f"the kubelet answered with status {status}", code=502 if status < 400 else status)


LOG = Subresource("log", {"get": _get}, answers="text")
