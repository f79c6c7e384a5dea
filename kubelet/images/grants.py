"""Who may use an image that was pulled with somebody's secret (KEP-2535, policy NeverVerifyPreloadedImages).

That an image is present must not open it to every pod: one that doesn't bring a credential by which the image was
pulled before has to pull it itself. What was pulled without any, or with the node's own, is everybody's, and so is
what the kubelet didn't pull. Credentials are kept as salted digests only.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from kubelet.images import kept
from kubelet.images.keyring import Credential
from kubelet.images.names import ImageName

_ANY = ""
"""In place of a repository."""


class Grant(msgspec.Struct):
    """By what an image was pulled from one repository."""

    everybody: bool = False
    prints: list[str] = []
    secrets: list[str] = []


class _Kept(msgspec.Struct):
    salt: str
    pulling: list[str] = []
    """Names whose pull has begun: if the kubelet ends before it has noted how that went, they count as not allowed."""
    images: dict[str, dict[str, Grant]] = {}
    """By image id and repository."""


class Grants:
    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._kept = (kept.read(file, _Kept) if file else None) or _Kept(secrets.token_hex(16))

    def concerns(self, image_id: str, name: ImageName) -> bool:
        """Whether the image is not simply everybody's: the pod's credentials have to be looked at."""
        pulled = self._kept.images.get(image_id)
        if pulled is None:
            return str(name) in self._kept.pulling
        # What everybody may have by one name is no secret by another.
        return not any(grant.everybody for grant in pulled.values())

    def allows(self, image_id: str, name: ImageName, credentials: Iterable[Credential]) -> bool:
        """Whether a pod with these credentials may use the image as it is."""
        if not self.concerns(image_id, name):
            return True
        grant = self._kept.images.get(image_id, {}).get(name.full_repository, Grant())
        return any(self._print(each) in grant.prints or each.secret in grant.secrets for each in credentials)

    def open(self, image_id: str) -> None:
        """An administrator has brought the image, for whoever names it."""
        self._kept.images.setdefault(image_id, {})[_ANY] = Grant(everybody=True)
        self._write()

    def begin(self, name: ImageName) -> None:
        if str(name) not in self._kept.pulling:
            self._kept.pulling.append(str(name))
            self._write()

    def end(self, name: ImageName) -> None:
        if str(name) in self._kept.pulling:
            self._kept.pulling.remove(str(name))
            self._write()

    def pulled(self, image_id: str, name: ImageName, credential: Credential | None) -> None:
        """An image came by this credential, or by none."""
        grant = self._kept.images.setdefault(image_id, {}).setdefault(name.full_repository, Grant())
        if credential is None or not credential.secret:
            grant.everybody = True
        else:
            grant.prints = [*dict.fromkeys([*grant.prints, self._print(credential)])]
            grant.secrets = [*dict.fromkeys([*grant.secrets, credential.secret])]
        self._write()

    def keep(self, present: Collection[str]) -> None:
        """Forget the images that are gone."""
        left = {image_id: grants for image_id, grants in self._kept.images.items() if image_id in present}
        if left != self._kept.images:
            self._kept.images = left
            self._write()

    def _print(self, credential: Credential) -> str:
        content = json.dumps([credential.registry, credential.username, credential.password]).encode()
        return hashlib.blake2b(content, key=bytes.fromhex(self._kept.salt), digest_size=32).hexdigest()

    def _write(self) -> None:
        if self._file is not None:
            kept.write(self._file, self._kept)
