"""Makes the schema data beside this file from the published OpenAPI definitions of Kubernetes.

Run it when the supported Kubernetes version changes:

    python -m api.schema.generate            # needs kubernetes-validate of that version (a development dependency)

Only facts are kept: field names, types, formats, required lists and the `x-kubernetes-*` extensions; no descriptions.
One file holds the definitions of one API group and version, so that a process loads only what it serves. Alpha and beta
versions are left out. `null` is dropped from the types, since every field accepts it.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

VERSION = "1.36.0"
DATA = Path(__file__).with_name("data")

_STABLE = re.compile(r"\.v\d+\.[^.]+\Z|\A(?!.*\.v\d+(?:alpha|beta)\d+\.)")
_KEPT = (
    "type",
    "format",
    "items",
    "additionalProperties",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-group-version-kind",
)


def compact(node: dict[str, Any]) -> dict[str, Any]:
    """One schema without its prose, references as bare definition names."""
    kept: dict[str, Any] = {}
    if "$ref" in node:
        kept["$ref"] = node["$ref"].rsplit("/", 1)[1]
    for key in _KEPT:
        if key in node:
            kept[key] = node[key]
    if isinstance(kept.get("type"), list):
        kept["type"] = next(name for name in kept["type"] if name != "null")
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = compact(kept[key])
    if "properties" in node:
        kept["properties"] = {name: compact(child) for name, child in sorted(node["properties"].items())}
    return kept


def read_definitions(version: str = VERSION) -> dict[str, dict[str, Any]]:
    """The definitions as published, by name."""
    source = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}-local" / "_definitions.json"
    definitions: dict[str, dict[str, Any]] = json.loads(source.read_text())["$defs"]
    return definitions


def by_package(definitions: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Compact definitions, by package (`io.k8s.api.apps.v1`) and then by the type's name."""
    packages: dict[str, dict[str, Any]] = {}
    for name, definition in sorted(definitions.items()):
        if _STABLE.search(name):
            package, _, type_name = name.rpartition(".")
            packages.setdefault(package, {})[type_name] = compact(definition)
    return packages


def main() -> None:
    DATA.mkdir(exist_ok=True)
    for package, types in by_package(read_definitions()).items():
        text = json.dumps(types, separators=(",", ":"), sort_keys=True)
        (DATA / f"{package}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
