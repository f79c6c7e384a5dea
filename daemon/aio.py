"""aiohttp, imported at less cost: `from daemon.aio import aiohttp, web` wherever it may be the first import of it.

While it is imported, aiohttp makes itself a TLS context that trusts every authority the machine knows, which takes 65
ms and 2 MB in each daemon. No daemon uses it: they trust the cluster's own authority, or none at all. So for the time
of the import the machine is made to know none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without_authorities() -> Iterator[None]:
    """OpenSSL reads these two variables whenever a context loads the default authorities."""
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


with _without_authorities():
    import aiohttp
    from aiohttp import web

__all__ = ["aiohttp", "web"]
