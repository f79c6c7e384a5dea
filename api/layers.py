"""Layers by their chain ids: what a layer is together with all below it. Docker keeps each chain once, and skips what
it has when an archive is loaded (the OCI image specification says how a chain id is made)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator


def chain_ids(diff_ids: Iterable[str]) -> Iterator[str]:
    """The chain id of each layer, from the digests of the layers themselves, lowest first."""
    chain = ""
    for each in diff_ids:
        chain = f"sha256:{hashlib.sha256(f'{chain} {each}'.encode()).hexdigest()}" if chain else each
        yield chain
