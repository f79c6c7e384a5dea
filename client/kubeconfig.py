"""Where the API server is and who we are there: kubeconfig files by kubectl's rules, or a pod's service account.

The order is kubectl's: a path given, else every file in `$KUBECONFIG` (the first to say a thing wins), else
`~/.kube/config`, else the service account of the pod we run in. `/etc/pytheas/admin.conf` comes last, so that
`pytheas get pods` works for root on a cluster's machine without any set-up.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.fatal import Fatal

ADMIN_CONF = Path("/etc/pytheas/admin.conf")
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ConfigError(Fatal):
    """The kubeconfig cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Config:
    """One cluster, one user, one namespace. Certificates are PEM, either in a file or as data."""

    server: str
    namespace: str = "default"
    ca_file: Path | None = None
    ca_data: bytes | None = None
    cert_file: Path | None = None
    cert_data: bytes | None = None
    key_file: Path | None = None
    key_data: bytes | None = field(default=None, repr=False)
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    insecure: bool = False
    tls_server_name: str = ""
    context: str = ""
    user: str = ""

    def ssl_context(self) -> ssl.SSLContext | None:
        """None for a plain http server. Raises ConfigError when a certificate cannot be read."""
        if not self.server.startswith("https:"):
            return None
        try:
            return self._ssl_context()
        except (OSError, ssl.SSLError, ValueError) as error:
            raise ConfigError(f"the certificates for {self.server} cannot be used: {error}") from error

    def _ssl_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca_data:
            context.load_verify_locations(cadata=self.ca_data.decode())
        elif self.ca_file:
            context.load_verify_locations(cafile=self.ca_file)
        else:
            context.load_default_certs()
        if (self.cert_file or self.cert_data) and (self.key_file or self.key_data):
            with _as_file(self.cert_file, self.cert_data) as cert, _as_file(self.key_file, self.key_data) as key:
                context.load_cert_chain(cert, key)
        return context

    def bearer_token(self) -> str:
        """The token to send, or "". One in a file is read each time: it is replaced before it ends."""
        if self.token_file:
            try:
                return self.token_file.read_text().strip()
            except OSError as error:
                raise ConfigError(f"the token file {self.token_file} cannot be read: {error.strerror}") from error
        return self.token


class _as_file:  # noqa: N801 - used as a function
    """A path under which `ssl` can read PEM data that must not touch the disk."""

    def __init__(self, path: Path | None, data: bytes | None) -> None:
        self._path, self._data, self._fd = path, data, -1

    def __enter__(self) -> str:
        if self._data is None:
            return str(self._path)
        self._fd = os.memfd_create("pem", os.MFD_CLOEXEC)
        os.write(self._fd, self._data)
        os.lseek(self._fd, 0, os.SEEK_SET)
        return f"/proc/self/fd/{self._fd}"

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)


def load(
    path: str | Path | None = None,
    context: str | None = None,
    *,
    cluster: str | None = None,
    user: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Config:
    """Find and read the configuration. Raises ConfigError with a sentence that tells the user what to do."""
    files = _files(path, environ)
    if not files and (inside := in_cluster(environ)) is not None:
        return inside
    if not files and _readable(ADMIN_CONF):
        files = [ADMIN_CONF]
    if not files:
        raise ConfigError("no kubeconfig was found: set $KUBECONFIG, or write ~/.kube/config, or give --kubeconfig")
    return choose(merged(files), context, cluster=cluster, user=user)


def _files(path: str | Path | None, environ: Mapping[str, str]) -> list[Path]:
    if path:
        return [Path(path)]
    if listed := environ.get("KUBECONFIG"):
        return [file for part in listed.split(":") if part and (file := Path(part)).exists()]
    home = Path(environ.get("HOME", "/root")) / ".kube/config"
    return [home] if _readable(home) else []


def _readable(path: Path) -> bool:
    return os.access(path, os.R_OK)


def merged(files: list[Path]) -> dict[str, Any]:
    """The files as one: of two entries of one name, or two values of one setting, the first wins."""
    whole: dict[str, Any] = {"clusters": [], "users": [], "contexts": []}
    for file in files:
        read = _read(file)
        for section in ("clusters", "users", "contexts"):
            known = {entry.get("name") for entry in whole[section]}
            entries = [entry for entry in read.get(section) or [] if isinstance(entry, dict)]
            for entry in entries:
                _make_absolute(entry, file.parent)
            whole[section] += [entry for entry in entries if entry.get("name") not in known]
        if not whole.get("current-context") and read.get("current-context"):
            whole["current-context"] = read["current-context"]
    return whole


def _read(file: Path) -> dict[str, Any]:
    import yaml  # only here: a pod's service account needs none

    try:
        loaded = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is not YAML: {error}") from error
    if loaded is not None and not isinstance(loaded, dict):
        raise ConfigError(f"{file} is not a kubeconfig")
    return loaded or {}


_PATH_KEYS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


def _make_absolute(entry: dict[str, Any], folder: Path) -> None:
    for part in entry.values():
        if isinstance(part, dict):
            for key in _PATH_KEYS:
                if part.get(key):
                    part[key] = str(folder / part[key])


def choose(
    config: Mapping[str, Any], context: str | None = None, *, cluster: str | None = None, user: str | None = None
) -> Config:
    """The Config that a context of a merged kubeconfig stands for."""
    name = context or config.get("current-context") or ""
    entry = _named(config, "contexts", name) if name else None
    if name and entry is None:
        raise ConfigError(f'context "{name}" does not exist')
    chosen = (entry or {}).get("context") or {}
    cluster, user = cluster or chosen.get("cluster"), user or chosen.get("user")
    if not cluster:
        raise ConfigError("the kubeconfig has no current context: choose one with --context")
    where = (_named(config, "clusters", cluster) or {}).get("cluster")
    if where is None:
        raise ConfigError(f'cluster "{cluster}" does not exist')
    who = (_named(config, "users", user) or {}).get("user") if user else {}
    if who is None:
        raise ConfigError(f'user "{user}" does not exist')
    for key in ("exec", "auth-provider"):
        if who.get(key):
            raise ConfigError(f'user "{user}" logs in by {key!r}, which is not supported: use a certificate or a token')
    return Config(
        server=str(where.get("server") or "http://localhost:8080").rstrip("/"),
        namespace=chosen.get("namespace") or "default",
        ca_file=_path(where, "certificate-authority"),
        ca_data=_data(where, "certificate-authority-data"),
        cert_file=_path(who, "client-certificate"),
        cert_data=_data(who, "client-certificate-data"),
        key_file=_path(who, "client-key"),
        key_data=_data(who, "client-key-data"),
        token=who.get("token") or "",
        token_file=_path(who, "tokenFile"),
        insecure=bool(where.get("insecure-skip-tls-verify")),
        tls_server_name=where.get("tls-server-name") or "",
        context=name,
        user=user or "",
    )


def _named(config: Mapping[str, Any], section: str, name: str) -> dict[str, Any] | None:
    return next((entry for entry in config.get(section) or [] if entry.get("name") == name), None)


def _path(entry: Mapping[str, Any], key: str) -> Path | None:
    return Path(entry[key]) if entry.get(key) else None


def _data(entry: Mapping[str, Any], key: str) -> bytes | None:
    if not entry.get(key):
        return None
    try:
        return base64.b64decode(entry[key], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"{key} in the kubeconfig is not base64: {error}") from None


def in_cluster(environ: Mapping[str, str] = os.environ, folder: Path = SERVICE_ACCOUNT) -> Config | None:
    """The configuration of a pod's own service account; None outside of a pod."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (folder / "token").exists():
        return None
    namespace = folder / "namespace"
    return Config(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        namespace=namespace.read_text().strip() if namespace.exists() else "default",
        ca_file=folder / "ca.crt",
        token_file=folder / "token",
    )
