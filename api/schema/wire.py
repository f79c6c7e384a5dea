"""Makes the protobuf tables: for each message, what its field numbers mean in JSON.

    python -m api.schema.wire FILE

FILE is the content of Kubernetes' published `generated.proto` files as JSON: package → message → field → [number, type,
"repeated"?]. The tables combine it with the schema data, which knows how fields are called in JSON, which messages are
inlined into the one around them, and which fields are always written.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from api.schema.node import DATA, Schema, UnknownDefinition, load
from api.schema.pointers import is_pointer

TABLES = DATA / "protobuf"

_SCALARS = frozenset({"bool", "bytes", "double", "int32", "int64", "string"})
_RENAMED = {("k8s.io.apiextensions_apiserver", "schema"): "$schema", ("k8s.io.apiextensions_apiserver", "ref"): "$ref"}
_UNUSED = ("k8s.io.apimachinery.pkg.apis.testapigroup.",)


def definition_name(package: str, message: str) -> str:
    """The OpenAPI name of a protobuf message."""
    return f"{package.replace('k8s.io.', 'io.k8s.', 1).replace('_', '-')}.{message}"


def _schema(package: str, message: str) -> Schema | None:
    try:
        return load(definition_name(package, message))
    except UnknownDefinition:
        return None


def _plain(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def json_name(package: str, field: str, schema: Schema | None) -> str:
    """What a protobuf field is called in JSON; empty if JSON has no such field."""
    names = schema.properties if schema else {}
    if not names or field in names:
        return field
    renamed = _RENAMED.get((".".join(package.split(".")[:3]), field))
    return renamed or next((name for name in names if _plain(name) == _plain(field)), "")


def _full_type(package: str, type_name: str) -> str:
    match = re.match(r"map<string,\.?(.*)>\Z", type_name)
    if match:
        return f"map:{_full_type(package, match[1])}"
    return type_name if type_name in _SCALARS or "." in type_name else f"{package}.{type_name}"


def table(package: str, message: str, fields: dict[str, list[Any]]) -> dict[str, list[str]]:
    """Field number → [JSON name, type, flags]. Flags: r repeated, i inlined, k zero values are kept."""
    schema = _schema(package, message)
    required = schema.required if schema else ()
    rows: dict[str, list[str]] = {}
    for field, (number, type_name, *repeated) in fields.items():
        name = json_name(package, field, schema)
        full = _full_type(package, type_name)
        flags = "r" if repeated else ""
        if not name and full not in _SCALARS:
            flags += "i"
        elif name in required or is_pointer(message, name):
            flags += "k"
        rows[str(number)] = [name or field, full, flags]
    return rows


def main() -> None:
    packages: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    packages.pop("source", None)
    TABLES.mkdir(exist_ok=True)
    for package, messages in packages.items():
        if package.startswith(_UNUSED):
            continue
        tables = {name: table(package, name, fields) for name, fields in sorted(messages.items())}
        (TABLES / f"{package}.json").write_text(json.dumps(tables, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
