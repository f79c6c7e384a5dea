"""How this server tells another one on whose behalf it asks: headers that count because of its own certificate.

The other server learns from the ConfigMap `extension-apiserver-authentication` which certificate authority vouches for
us, and which headers to read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.x509.oid import NameOID

from apiserver.auth.user import User
from apiserver.registry.kind import Object

CONFIG_MAP = "extension-apiserver-authentication"
NAMESPACE = "kube-system"
_USER, _UID, _GROUP, _EXTRA = "X-Remote-User", "X-Remote-Uid", "X-Remote-Group", "X-Remote-Extra-"
_PLAIN = "!#$%&'*+-.^_`|~"
"""What a header's name may hold besides letters and digits (RFC 9110); of these, the percent sign escapes."""


@dataclass(frozen=True, slots=True)
class ProxyIdentity:
    """The client certificate to show to other servers, and the authorities that vouch for it and for clients."""

    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None
    client_authority: Path | None = None

    def config_map(self) -> Object:
        """What other servers must know to believe us. Raises OSError, ValueError."""
        return {"metadata": {"name": CONFIG_MAP, "namespace": NAMESPACE}, "data": self._data()}

    def _data(self) -> dict[str, str]:
        data: dict[str, str] = {}
        if self.client_authority is not None:
            data["client-ca-file"] = self.client_authority.read_text()
        if self.authority is not None:
            data["requestheader-client-ca-file"] = self.authority.read_text()
            data["requestheader-allowed-names"] = f'["{self._name()}"]' if self.certificate else "[]"
            data["requestheader-username-headers"] = f'["{_USER}"]'
            data["requestheader-uid-headers"] = f'["{_UID}"]'
            data["requestheader-group-headers"] = f'["{_GROUP}"]'
            data["requestheader-extra-headers-prefix"] = f'["{_EXTRA}"]'
        return data

    def _name(self) -> str:
        assert self.certificate is not None
        subject = x509.load_pem_x509_certificate(self.certificate.read_bytes()).subject
        names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""


def merged(there: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """The ConfigMap's data with what we add: API servers may have different authorities, and all shall be believed."""
    return {**there, **{key: _union(there.get(key, ""), value) for key, value in ours.items()}}


def _union(there: str, ours: str) -> str:
    if not ours.startswith("["):
        return "".join(dict.fromkeys([*_CERTIFICATE.findall(there), *_CERTIFICATE.findall(ours)]))
    try:
        names = json.loads(there) if there else []
    except ValueError:
        names = []
    return json.dumps(list(dict.fromkeys([*names, *json.loads(ours)])))


_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


def headers_for(user: User) -> list[tuple[str, str]]:
    """The headers that tell another server who asks."""
    headers = [(_USER, user.name)]
    if user.uid:
        headers.append((_UID, user.uid))
    headers += [(_GROUP, group) for group in user.groups]
    headers += [(_EXTRA + quote(key, safe=_SAFE), value) for key, values in user.extra.items() for value in values]
    return headers


_SAFE = _PLAIN.replace("%", "")
