"""Which form of an answer the client wants, by its Accept header.

Go clients list protobuf first and JSON second, kubectl a Table; whoever names only what nobody serves is told what is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from api.codec import JSON, PROTOBUF, YAML
from api.errors import NotAcceptable

SERVED = (JSON, YAML, PROTOBUF)
STREAMED = (JSON, PROTOBUF)
ANY = {"*/*": JSON, "application/*": JSON}
_META = ("v1", "v1beta1")
_PARTIAL = frozenset({"PartialObjectMetadata", "PartialObjectMetadataList"})
TRUE = ("1", "t", "T", "true", "TRUE", "True")


@dataclass(frozen=True, slots=True)
class Form:
    """`media_type` on the wire; `as_` is what the objects are turned into (a Table, only their metadata) or empty."""

    media_type: str = JSON
    as_: str = ""
    version: str = ""
    pretty: bool = False

    @property
    def plain(self) -> bool:
        """Whether the objects' own bytes are the answer."""
        return self.media_type == JSON and not self.as_ and not self.pretty

    @property
    def protobuf(self) -> bool:
        return self.media_type == PROTOBUF

    @property
    def whole(self) -> bool:
        """Whether whole objects are wanted, in protobuf."""
        return self.media_type == PROTOBUF and not self.as_

    @property
    def content_type(self) -> bytes:
        return self.media_type.encode()


PLAIN = Form()


@lru_cache(maxsize=512)
def form_of(accept: str, messages: bool = True, stream: bool = False) -> Form:
    """The form the client likes best of those the server has. Raises NotAcceptable.

    `messages` is whether the objects have a protobuf message: custom kinds have none, but their metadata has. `stream`
    is whether a watch is asked for, which is not to be had as YAML.
    """
    if not accept:
        return PLAIN
    served = STREAMED if stream else SERVED
    browser = "text/html" in accept and not stream
    for media_type, parameters in by_preference(accept):
        form = _form(ANY.get(media_type, media_type), parameters, browser)
        if form is not None and form.media_type in served and (messages or not form.protobuf or form.as_):
            return form
    raise NotAcceptable([each for each in served if messages or each != PROTOBUF])


def by_preference(accept: str) -> Iterable[tuple[str, Mapping[str, str]]]:
    """(media type, parameters) of each clause, the most wanted and most definite first; without those not wanted."""
    clauses: list[tuple[tuple[float, int], str, Mapping[str, str]]] = []
    for clause in accept.split(","):
        media_type, *rest = (part.strip() for part in clause.split(";"))
        parameters = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in rest)}
        quality = _quality(parameters.get("q", "1"))
        if quality > 0:
            clauses.append(((-quality, media_type.count("*")), media_type.lower(), parameters))
    clauses.sort(key=lambda clause: clause[0])
    return ((media_type, parameters) for _, media_type, parameters in clauses)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _form(media_type: str, parameters: Mapping[str, str], browser: bool) -> Form | None:
    """What one clause asks for, if it can be had."""
    pretty = media_type == JSON and (browser or parameters.get("pretty") in TRUE)
    if parameters.get("stream", "watch") != "watch":
        return None
    wanted, version = parameters.get("as", ""), parameters.get("v", "")
    if not wanted:
        return Form(media_type, pretty=pretty)
    if parameters.get("g") != "meta.k8s.io" or version not in _META:
        return None
    if wanted in _PARTIAL or (wanted == "Table" and media_type != PROTOBUF):
        return Form(media_type, wanted, version, pretty)
    return None
