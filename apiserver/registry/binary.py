"""Bytes in JSON: checked to be base64 while an object is decoded, and counted without decoding them."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

from api.errors import BadRequest

ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def check(values: Mapping[str, Any] | None, kind: str) -> None:
    """Raises BadRequest for the first value that is no base64, as decoding does."""
    for value in (values or {}).values():
        if not value:
            continue
        try:
            binascii.a2b_base64(value, strict_mode=True)
        except ValueError:  # also what is not ASCII
            text = f"illegal base64 data at input byte {_bad_byte(value)}"
            raise BadRequest(f'{kind} in version "v1" cannot be handled as a {kind}: {text}') from None


def size(value: str | None) -> int:
    """How many bytes a base64 text stands for."""
    return len(value) * 3 // 4 - value.count("=", -2) if value else 0


def _bad_byte(value: str) -> int:
    """Where a decoder stops: at the first character that does not belong, or at the end of a text cut short."""
    text = value.rstrip("=")
    for index, char in enumerate(text):
        if char not in ALPHABET:
            return index
    padding = len(value) - len(text)
    return len(text) if padding else len(value) - len(value) % 4
