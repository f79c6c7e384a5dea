"""What could not be done for a pod, why, and when it is tried again."""

from __future__ import annotations

import time
from dataclasses import replace

from daemon.log import logger
from kubelet.lifecycle.view import Failure

log = logger(__name__)

FIRST_RETRY, LONGEST_RETRY = 0.5, 60.0
IMAGE_RETRY, LONGEST_IMAGE_RETRY = 10.0, 300.0
_IMAGE_REASONS = ("ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError")


class Failures:
    """One pod's, by what failed: `volumes`, `sandbox`, `network`, …, or a container's name."""

    def __init__(self, uid: str) -> None:
        self._uid = uid
        self._known: dict[str, Failure] = {}

    def now(self) -> dict[str, Failure]:
        return dict(self._known)

    def get(self, what: str) -> Failure | None:
        return self._known.get(what)

    def note(self, what: str, reason: str, message: str) -> None:
        """It failed, perhaps again: the next try waits twice as long."""
        before, now = self._known.get(what), time.time()
        tries = before.tries + 1 if before else 1
        image = reason in _IMAGE_REASONS
        first, most = (IMAGE_RETRY, LONGEST_IMAGE_RETRY) if image else (FIRST_RETRY, LONGEST_RETRY)
        retry_at = now + min(first * 2.0 ** min(tries - 1, 20), most)
        self._known[what] = Failure(reason, message, now, retry_at, tries)
        log.warning("a step failed", pod=self._uid, what=what, reason=reason, error=message)

    def tell(self, what: str, reason: str, message: str) -> None:
        """Words for the status that hold nothing up."""
        now = time.time()
        self._known[what] = Failure(reason, message, now, now)

    def hold(self, what: str, message: str) -> None:
        """Nothing but news can help."""
        self._known[what] = Failure("", message, time.time(), float("inf"))

    def lacks_image(self, what: str) -> bool:
        """Whether it failed for want of an image."""
        known = self._known.get(what)
        return known is not None and known.reason in _IMAGE_REASONS

    def clear(self, what: str) -> None:
        self._known.pop(what, None)

    def shift(self, seconds: float) -> None:
        """The clock was set: wait as long as before."""
        for what, each in self._known.items():
            self._known[what] = replace(each, at=each.at + seconds, retry_at=each.retry_at + seconds)

    def hope(self) -> None:
        """Something has changed: try at once what failed, images aside."""
        for what in [key for key, failure in self._known.items() if failure.reason not in _IMAGE_REASONS]:
            del self._known[what]
