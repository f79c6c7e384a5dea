"""Discovery: which groups, versions and resources there are, plain and aggregated, in each media type.

The documents of one `Discovery` do not change, so each is made once, when it is first asked for; when what is served
has changed the server takes another `Discovery`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby

from api.codec import JSON, PROTOBUF, YAML
from api.errors import NoSuchResource, NotAcceptable
from apiserver.endpoints.discovery_documents import (
    Document,
    Elsewhere,
    Version,
    group_discovery,
    group_of,
    versions,
)
from apiserver.endpoints.http import Request
from apiserver.endpoints.media import encode
from apiserver.endpoints.negotiate import ANY, SERVED, Form, by_preference
from apiserver.endpoints.virtual import VIRTUAL, Virtual
from apiserver.registry.kind import Kind

_GROUP, _LIST = "apidiscovery.k8s.io", "APIGroupDiscoveryList"
_SPOKEN = {JSON: ("v2", "v2beta1"), YAML: ("v2", "v2beta1"), PROTOBUF: ("v2",)}
_VARY = (b"vary", b"Accept")
_CACHED = (b"cache-control", b"public")


@dataclass(frozen=True)
class Discovery:
    """The discovery documents of a set of kinds. `address` is where clients reach the server (host:port)."""

    kinds: tuple[Kind, ...]
    address: str = ""
    virtual: tuple[Virtual, ...] = VIRTUAL
    elsewhere: tuple[Elsewhere, ...] = ()

    async def answer(self, request: Request) -> None:
        """Answer a discovery path. Raises NoSuchResource, NotAcceptable."""
        parts = request.path.strip("/").split("/")
        form = discovery_form(request.header(b"accept"), aggregated=len(parts) == 1)
        if form.as_:
            await self._answer_aggregated(request, form, core=parts[0] == "api")
            return
        await request.answer(200, encode(form, self._plain(parts)), form.content_type, [_VARY])

    async def _answer_aggregated(self, request: Request, form: Form, *, core: bool) -> None:
        body, tag = self._aggregated(form, core=core)
        headers = [_VARY, (b"etag", tag), _CACHED]
        if request.header(b"if-none-match").encode() == tag:
            await request.not_modified(headers)
            return
        content_type = f"{form.media_type};g={_GROUP};v={form.version};as={_LIST}"
        await request.answer(200, body, content_type.encode(), headers)

    def _plain(self, parts: list[str]) -> Document:
        match parts:
            case ["api"]:
                servers = [{"clientCIDR": "0.0.0.0/0", "serverAddress": self.address}]
                core = [version.name for version in self._groups[""]]
                head = {"kind": "APIVersions", "apiVersion": "v1"}
                return {**head, "versions": core, "serverAddressByClientCIDRs": servers}
            case ["apis"]:
                groups = [group_of(versions) for versions in self._named]
                return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
            case ["apis", group] if group in self._groups:
                return {"kind": "APIGroup", "apiVersion": "v1", **group_of(self._groups[group])}
            case ["api", name]:
                return self._version("", name).resources()
            case ["apis", group, name] if group:
                return self._version(group, name).resources()
        raise NoSuchResource

    def _version(self, group: str, name: str) -> Version:
        for version in self._groups.get(group, ()):
            if version.name == name:
                return version
        raise NoSuchResource

    @cached_property
    def _groups(self) -> dict[str, Sequence[Version]]:
        """Versions by group, both in the order of their priority."""
        found = versions(self.kinds, self.virtual, self.elsewhere)
        return {group: list(each) for group, each in groupby(found, key=lambda version: version.group)}

    @property
    def _named(self) -> Iterable[Sequence[Version]]:
        return (versions for group, versions in self._groups.items() if group)

    @cached_property
    def _made(self) -> dict[tuple[Form, bool], tuple[bytes, bytes]]:
        return {}

    def _aggregated(self, form: Form, *, core: bool) -> tuple[bytes, bytes]:
        """The document of /api or /apis, and its tag."""
        if (form, core) not in self._made:
            groups = [self._groups[""]] if core else self._named
            head = {"kind": _LIST, "apiVersion": f"{_GROUP}/{form.version}", "metadata": {}}
            body = encode(form, {**head, "items": [group_discovery(versions) for versions in groups]})
            self._made[form, core] = body, f'"{hashlib.sha512(body).hexdigest().upper()}"'.encode()
        return self._made[form, core]


@lru_cache(maxsize=512)
def discovery_form(accept: str, *, aggregated: bool) -> Form:
    """A discovery document's form; `aggregated` is whether this one may be aggregated. Raises NotAcceptable."""
    if not accept:
        return Form()
    for name, parameters in by_preference(accept):
        media_type, wanted = ANY.get(name, name), parameters.get("as")
        if media_type not in SERVED or (wanted and not aggregated):
            continue
        if not wanted:
            return Form(media_type)
        version = parameters.get("v", "")
        if wanted == _LIST and parameters.get("g") == _GROUP and version in _SPOKEN[media_type]:
            return Form(media_type, wanted, version)
    raise NotAcceptable(SERVED)
