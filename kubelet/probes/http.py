"""HTTP questions, with Kubernetes' rules for redirects: only those to the same host are followed."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import aiohttp

from api.types import core_v1
from kubelet.probes.answer import MOST_SAID, Answer, reason

PROBE, HOOK = "kube-probe/1.36", "kube-lifecycle/1.36"
_REDIRECTS = 10
_MOVED = (301, 302, 303, 307, 308)


async def get(
    client: aiohttp.ClientSession,
    action: core_v1.HTTPGetAction,
    host: str,
    port: int,
    timeout: float | None,
    agent: str,
) -> Answer:
    url = _url(action, host, port)
    try:
        status, body = await _follow(client, url, _headers(action, agent), timeout)
    except TimeoutError:
        why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Answer(False, f'Get "{url}": {why}')
    except aiohttp.ClientConnectorError as error:
        return Answer(False, f'Get "{url}": dial tcp {host}:{port}: {reason(error)}')
    except (aiohttp.ClientError, ValueError, OSError) as error:
        said = "EOF" if isinstance(error, aiohttp.ServerDisconnectedError) else reason(error)
        return Answer(False, f'Get "{url}": {said}')
    if 300 <= status < 400:
        return Answer(True, f"Probe terminated redirects, Response body: {body}", warning=True, answered=True)
    if 200 <= status < 300:
        return Answer(True, body, answered=True)
    return Answer(False, f"HTTP probe failed with statuscode: {status}", answered=True)


def _url(action: core_v1.HTTPGetAction, host: str, port: int) -> str:
    path = action.path or "/"
    scheme = (action.scheme or "HTTP").lower()
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{path if path.startswith('/') else '/' + path}"


def _headers(action: core_v1.HTTPGetAction, agent: str) -> list[tuple[str, str]]:
    given = [(each.name, each.value) for each in action.httpHeaders or ()]
    named = {name.lower() for name, _ in given}
    ours = [each for each in (("User-Agent", agent), ("Accept", "*/*")) if each[0].lower() not in named]
    # An empty value takes the header away.
    return [*ours, *((name, value) for name, value in given if value or name.lower() not in ("user-agent", "accept"))]


async def _follow(
    client: aiohttp.ClientSession, url: str, headers: list[tuple[str, str]], timeout: float | None
) -> tuple[int, str]:
    """The status and body of the last answer. Raises what aiohttp raises."""
    host = urlsplit(url).hostname
    for _ in range(_REDIRECTS + 1):
        async with client.get(
            url,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout),
            allow_redirects=False,
            skip_auto_headers=("Accept-Encoding", "User-Agent", "Accept"),
        ) as response:
            body = (await response.content.read(MOST_SAID)).decode(errors="replace")
            where = response.headers.get("Location")
            if response.status not in _MOVED or not where:
                return response.status, body
            url = urljoin(url, where)
            if urlsplit(url).hostname != host:
                return response.status, body
    return response.status, body
