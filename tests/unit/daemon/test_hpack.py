"""Header blocks; the byte strings are the examples of RFC 7541, appendix C."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.grpc.calls import CallError, Unreachable, outcome
from daemon.grpc.hpack import HpackError, decode, encode, huffman


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("f1e3 c2e5 f23a 6ba0 ab90 f4ff", b"www.example.com"),
        ("a8eb 1064 9cbf", b"no-cache"),
        ("25a8 49e9 5ba9 7d7f", b"custom-key"),
        ("25a8 49e9 5bb8 e8b4 bf", b"custom-value"),
        ("6402", b"302"),
        ("aec3 771a 4b", b"private"),
        ("d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff", b"Mon, 21 Oct 2013 20:13:21 GMT"),
        ("9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3", b"https://www.example.com"),
        ("", b""),
    ],
)
def test_huffman_codes(code: str, text: bytes) -> None:
    assert huffman(bytes.fromhex(code)) == text


@pytest.mark.parametrize("code", ["00", "ffff ffff", "f1e3 c2e5 f23a 6ba0 ab90 f400", "ff"])
def test_strings_that_end_wrongly(code: str) -> None:
    with pytest.raises(HpackError):
        huffman(bytes.fromhex(code))


def test_literals_of_every_kind() -> None:
    assert decode(bytes.fromhex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572")) == {
        "custom-key": "custom-header"
    }
    assert decode(bytes.fromhex("040c 2f73 616d 706c 652f 7061 7468")) == {"#4": "/sample/path"}
    assert decode(bytes.fromhex("1008 7061 7373 776f 7264 0673 6563 7265 74")) == {"password": "secret"}
    assert decode(bytes.fromhex("20 88")) == {":status": "200"}


@pytest.mark.parametrize(
    "block",
    [
        "be",  # an entry of the dynamic table
        "80",  # no entry
        "3f e1 1f",  # a larger table
        "40 0a 63",  # a string that is not all there
        "40",
        "7f ff ff ff ff ff 01",  # a number without bound
    ],
)
def test_blocks_that_are_refused(block: str) -> None:
    with pytest.raises(HpackError):
        decode(bytes.fromhex(block))


NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=300)


@given(headers=st.dictionaries(NAMES, st.text(max_size=300), max_size=5))
def test_what_is_written_can_be_read(headers: dict[str, str]) -> None:
    kept = {name: value for name, value in headers.items() if name != "content-type"}
    assert decode(encode(kept.items())) == kept


@given(block=st.binary(max_size=60))
def test_no_block_breaks_the_reader(block: bytes) -> None:
    try:
        decode(block)
    except HpackError:
        return


def test_requests_use_the_static_table() -> None:
    block = encode(((":method", "POST"), (":scheme", "http"), (":path", "/a"), (":authority", "b")))
    assert block == b"\x83\x86\x04\x02/a\x01\x01b"


def trailers(**headers: str) -> CallError | None:
    return outcome(encode((name.replace("_", "-"), value) for name, value in headers.items()))


def test_how_calls_end() -> None:
    assert trailers(grpc_status="0", grpc_message="") is None
    failed = trailers(grpc_status="11", grpc_message="etcdserver%3A mvcc")
    assert failed is not None
    assert (failed.code, failed.text) == ("OUT_OF_RANGE", "etcdserver: mvcc")
    away = trailers(grpc_status="14", grpc_message="no leader")
    assert isinstance(away, Unreachable)
    assert away.sent
    strange = outcome(b"\x8d")
    assert strange is not None
    assert "HTTP status 404" in strange.text
    unknown = trailers(grpc_status="99")
    assert unknown is not None
    assert unknown.code == "UNKNOWN"
