"""URLs: `url('https://example.com:80/path?k=v')`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from apiserver.cel.functions import function, opaque
from apiserver.cel.values import CelError

_NAME = "kubernetes.URL"
_UNESCAPED = "/:@$&+,;=~"


@opaque(_NAME)
@dataclass(frozen=True, slots=True)
class Url:
    text: str
    parts: SplitResult


@function(_NAME, "url(string)")
def parse(text: str) -> Url:
    try:
        if not text.isprintable() or " " in text.partition("?")[0]:
            raise ValueError("invalid character in URL")
        parts = urlsplit(text)
        _ = parts.port
        if not parts.scheme and not text.startswith("/"):
            raise ValueError("invalid URI for request")
    except ValueError as error:
        raise CelError(f"URL parse error during conversion from string: {error}") from error
    return Url(text, parts)


@function("bool", "isURL(string)")
def is_url(text: str) -> bool:
    try:
        parse(text)
    except CelError:
        return False
    return True


@function("string", f"{_NAME}.getScheme()")
def scheme(url: Url) -> str:
    return url.parts.scheme


@function("string", f"{_NAME}.getHost()")
def host(url: Url) -> str:
    return url.parts.netloc.rpartition("@")[2]


@function("string", f"{_NAME}.getHostname()")
def hostname(url: Url) -> str:
    name = host(url)
    return name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]


@function("string", f"{_NAME}.getPort()")
def port(url: Url) -> str:
    name = host(url)
    return name.rpartition("]")[2].rpartition(":")[2] if ":" in name.rpartition("]")[2] else ""


@function("string", f"{_NAME}.getEscapedPath()")
def escaped_path(url: Url) -> str:
    return quote(unquote(url.parts.path), safe=_UNESCAPED)


@function("map<string, list<string>>", f"{_NAME}.getQuery()")
def query(url: Url) -> dict[str, list[str]]:
    return parse_qs(url.parts.query, keep_blank_values=True)
