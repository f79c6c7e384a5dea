"""The connection a run uses: the kubeconfig's, with what the flags override."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from client.kubeconfig import Config, ConfigError, load
from kubectl.errors import CliError


def connection(flags: argparse.Namespace) -> Config:
    """Raises CliError when there is no usable kubeconfig and no --server that makes up for it."""
    try:
        config = load(flags.kubeconfig, flags.context)
    except ConfigError as problem:
        if not flags.server:
            unmade = "no kubeconfig was found" in str(problem) or "cannot be read" in str(problem)
            hint = "\n`pytheas up` starts a cluster on this machine and writes its kubeconfig." if unmade else ""
            raise CliError(f"{problem}{hint}") from problem
        config = Config(server=flags.server)
    except PermissionError as problem:
        raise CliError(
            f"{problem.filename} may not be read by this user: try it as root, or with --kubeconfig"
        ) from problem
    return replace(config, **_overrides(flags))


def _overrides(flags: argparse.Namespace) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if flags.server:
        changes["server"] = flags.server.rstrip("/") if "://" in flags.server else f"https://{flags.server}"
    if flags.certificate_authority:
        changes |= {"ca_file": Path(flags.certificate_authority), "ca_data": None}
    if flags.insecure_skip_tls_verify:
        changes["insecure"] = True
    if flags.token:
        changes |= {"token": flags.token, "token_file": None}
    if flags.client_certificate:
        changes |= {"cert_file": Path(flags.client_certificate), "cert_data": None}
    if flags.client_key:
        changes |= {"key_file": Path(flags.client_key), "key_data": None}
    return changes
