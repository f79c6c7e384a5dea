"""Reading and changing kubeconfig files."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from client.kubeconfig import ADMIN_CONF, ConfigError, merged
from kubectl.errors import CliError
from kubectl.output.yaml import dump

Kubeconfig = dict[str, Any]


def paths(args: argparse.Namespace) -> list[Path]:
    """The files that count, whether they exist or not; the last resort only if nothing else does."""
    if args.kubeconfig:
        return [Path(args.kubeconfig)]
    if os.environ.get("KUBECONFIG"):
        return [Path(part) for part in os.environ["KUBECONFIG"].split(":") if part]
    home = Path.home() / ".kube/config"
    return [home] if home.exists() or not os.access(ADMIN_CONF, os.R_OK) else [ADMIN_CONF]


def read(args: argparse.Namespace) -> Kubeconfig:
    try:
        whole = merged([path for path in paths(args) if path.exists()])
    except ConfigError as problem:
        raise CliError(str(problem)) from problem
    return {"apiVersion": "v1", "kind": "Config", "current-context": "", **whole}


def named(config: Kubeconfig, section: str, name: str) -> Kubeconfig | None:
    return next((entry for entry in config.get(section) or () if entry.get("name") == name), None)


def change(args: argparse.Namespace, holding: str = "") -> tuple[Path, Kubeconfig]:
    """The one file to change: that which has the context `holding`, or the first."""
    candidates = paths(args)
    for path in candidates:
        config = _load(path)
        if holding and named(config, "contexts", holding):
            return path, config
    return candidates[0], _load(candidates[0])


def _load(path: Path) -> Kubeconfig:
    try:
        loaded = yaml.safe_load(path.read_bytes()) if path.exists() else None
    except (OSError, yaml.YAMLError) as problem:
        raise CliError(f"{path} cannot be read: {problem}") from problem
    return loaded or {"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": []}


def save(path: Path, config: Kubeconfig) -> None:
    """Replace the file in one step, readable by its owner only: it holds keys."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(dump(config))
        os.replace(temporary, path)
    except OSError as problem:
        raise CliError(f"{path} cannot be written: {problem.strerror}") from problem
