"""What `resourceVersion` means in a request: unset is the newest there is, `0` is any, a number is at least that."""

from __future__ import annotations

from api.errors import BadRequest, ServiceUnavailable, Timeout
from apiserver.storage.etcd import Unavailable
from apiserver.storage.feed import Feed, TooNew


def parse_version(text: str) -> int:
    """Raises BadRequest for what is no resource version."""
    if text.isascii() and text.isdigit():
        return int(text)
    why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
    raise BadRequest(f'invalid resource version: resourceVersion: Invalid value: "{text}": {why}')


async def wait_for(feed: Feed, text: str) -> None:
    """Wait until the caches are as new as the request demands. Raises Timeout, BadRequest, ServiceUnavailable."""
    try:
        if not text:
            await feed.fresh()
        elif (version := parse_version(text)) or not feed.filled.is_set():
            await feed.reach(max(version, 1))
    except TooNew as late:
        raise too_new(late) from late


def too_new(late: TooNew) -> Timeout:
    error = Timeout(str(late), retry_after=1)
    error.details["causes"] = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return error


def unavailable(error: Unavailable) -> ServiceUnavailable:
    """etcd is away. Only what was certainly not done may be tried again by the client on its own."""
    text = f"the server cannot reach its storage (etcd): {error}"
    return ServiceUnavailable(text, retry_after=None if error.sent else 1)
