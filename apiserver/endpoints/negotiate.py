"""Which form of an answer the client wants, by its Accept header."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from api.errors import NotAcceptable

JSON = "application/json"
YAML = "application/yaml"
_SERVED = {JSON: JSON, "*/*": JSON, "application/*": JSON, YAML: YAML}
_AS = frozenset({"Table", "PartialObjectMetadata", "PartialObjectMetadataList"})


@dataclass(frozen=True, slots=True)
class Form:
    """`media_type` on the wire; `as_` is what the objects are turned into (a Table, only their metadata) or empty."""

    media_type: str = JSON
    as_: str = ""
    version: str = ""

    @property
    def plain(self) -> bool:
        return self.media_type == JSON and not self.as_


PLAIN = Form()


@lru_cache(maxsize=512)
def form_of(accept: str) -> Form:
    """The first form the client lists that the server has. Raises NotAcceptable."""
    if not accept:
        return PLAIN
    for clause in accept.split(","):
        media_type, *rest = (part.strip() for part in clause.split(";"))
        served = _SERVED.get(media_type)
        if served is None:
            continue
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        wanted = parameters.get("as", "")
        if not wanted:
            return Form(served)
        if wanted in _AS and parameters.get("g") == "meta.k8s.io" and parameters.get("v") in ("v1", "v1beta1"):
            return Form(served, wanted, parameters["v"])
    raise NotAcceptable((JSON, YAML))
