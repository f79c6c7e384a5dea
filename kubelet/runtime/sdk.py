"""Docker's SDK, imported at less cost: import this before anything that imports `docker` or `requests`.

requests loads a library that guesses in which encoding a text may be: 3 MB and 13 ms, for an answer that nobody asks
for, as Docker speaks UTF-8. It does without when it finds none; so while it is imported, it finds none.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without_guesses() -> Iterator[None]:
    name = "charset_normalizer"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # to an import: not there
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # requests says that it is missing
            yield
    finally:
        del sys.modules[name]


with _without_guesses():
    import docker
    import requests

__all__ = ["docker", "requests"]
