"""The cluster's own certificate authority and every certificate that a daemon shows.

Kubernetes identities are certificate subjects: the common name is the user, each organization a group (RFC 5280 names,
Kubernetes' "X509 client certificates"). A certificate that is missing, about to expire, from another authority or for
other names is made anew; a good one is left alone, so that running this again changes nothing.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
CERTIFICATE_LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Subject:
    """Whom a certificate names. `hosts` (DNS names and addresses) makes it good for serving under those."""

    user: str
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    client: bool = True


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files (PEM; the key 0600)."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority whose key lies in a folder; made on first use."""

    def __init__(self, folder: Path, name: str) -> None:
        self.pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
        folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        if not (self.pair.certificate.exists() and self.pair.key.exists()):
            _make_authority(self.pair, name)
        self._certificate = x509.load_pem_x509_certificate(self.pair.certificate.read_bytes())
        self._key = _load_key(self.pair.key)

    def issue(self, pair: Pair, subject: Subject) -> bool:
        """Make `pair` for `subject` unless a good one is there. True when it was made.

        Raises:
            OSError: the files cannot be written.
        """
        if self._is_good(pair, subject):
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))  # clocks of other machines may be a little behind
            .not_valid_after(min(now + CERTIFICATE_LIFE, self._certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_usages(subject)), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if subject.hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(_alternatives(subject.hosts)), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        _write(pair, certificate, key)
        return True

    def _is_good(self, pair: Pair, subject: Subject) -> bool:
        if not (pair.certificate.exists() and pair.key.exists()):
            return False
        old = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        if old.not_valid_after_utc - datetime.now(UTC) < RENEW_BEFORE or old.subject != _name(subject):
            return False
        try:
            old.verify_directly_issued_by(self._certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return _hosts_of(old) == {str(name.value) for name in _alternatives(subject.hosts)}


def _make_authority(pair: Pair, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(pair, certificate, key)


def make_signing_key(path: Path) -> None:
    """Make the key that signs service account tokens (PEM, 0600), unless it is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, _pem(ec.generate_private_key(ec.SECP256R1())))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, at once whole: a reader sees the old content or the new."""
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pair.key.parent.mkdir(parents=True, exist_ok=True)
    write_private(pair.key, _pem(key))
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(
            f"{path}: not an elliptic curve key; move it and {path.with_suffix('.crt')} away to make new ones"
        )
    return key


def _name(subject: Subject) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in subject.groups]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, subject.user)])


def _usages(subject: Subject) -> list[x509.ObjectIdentifier]:
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH] if subject.client else []
    return [*usages, ExtendedKeyUsageOID.SERVER_AUTH] if subject.hosts else usages


def _alternatives(hosts: Sequence[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(hosts):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _hosts_of(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in names}


def _key_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
