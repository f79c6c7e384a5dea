"""gzip: who takes it, and that it is whole."""

from __future__ import annotations

import gzip

import pytest

from apiserver.endpoints.compression import gzipped, takes_gzip


@pytest.mark.parametrize("header", ["gzip", "gzip, deflate, br", "deflate;q=0.5, gzip;q=1.0", "br,gzip"])
def test_who_takes_it(header: str) -> None:
    assert takes_gzip(header)


@pytest.mark.parametrize("header", ["", "identity", "br", "gzip;q=0", "x-gzip", "*"])
def test_who_does_not(header: str) -> None:
    assert not takes_gzip(header)


@pytest.mark.parametrize("sizes", [[], [0], [10], [300_000] * 5, [2_000_000, 1]])
async def test_the_content_is_whole(sizes: list[int]) -> None:
    chunks = [bytes([65 + index % 26]) * size for index, size in enumerate(sizes)]
    packed = b"".join([part async for part in gzipped(chunks)])
    assert gzip.decompress(packed) == b"".join(chunks)
