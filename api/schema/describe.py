"""What types and fields are for, in prose: read from the docstrings of the typed models when somebody asks.

The prose is several megabytes and only `explain` and the OpenAPI documents want it, so it is not part of the schema
data. The docstrings live in the modules' source: it is read from the files, without importing the modules.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

_API = re.compile(r"io\.k8s\.(?:api|kube-aggregator\.pkg\.apis|apiextensions-apiserver\.pkg\.apis)\.([^.]+)\.(v\w+)\Z")
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_FIELD = re.compile(r"^\* \*\*(\S+?)\*\* ``(.*?)``(?: - (.*))?$")


def describe(name: str) -> str:
    """The prose of a type by definition name; empty if there is none."""
    return _split(_docstrings(name.rpartition(".")[0]).get(name.rpartition(".")[2], ""))[0]


def field_descriptions(name: str) -> dict[str, str]:
    """The prose of a type's fields, by field name."""
    return _split(_docstrings(name.rpartition(".")[0]).get(name.rpartition(".")[2], ""))[1]


def module_of(package: str) -> str:
    """The models' module for a definition's package (`io.k8s.api.apps.v1` → `apps_v1`); empty if there is none."""
    if package == _META:
        return "meta_v1"
    match = _API.match(package)
    return f"{match[1]}_{match[2]}" if match else ""


def _docstrings(package: str) -> dict[str, str]:
    """The docstrings of a package's types. Not cached: the caller's document is."""
    module = module_of(package)
    spec = importlib.util.find_spec("lightkube")
    if not module or spec is None or not spec.submodule_search_locations:
        return {}
    path = Path(next(iter(spec.submodule_search_locations)), "models", f"{module}.py")
    if not path.is_file():
        return {}
    tree = ast.parse(path.read_text())
    return {node.name: ast.get_docstring(node) or "" for node in tree.body if isinstance(node, ast.ClassDef)}


def _split(docstring: str) -> tuple[str, dict[str, str]]:
    """(the type's prose, the fields' prose), each as one line of text."""
    head, _, tail = docstring.partition("**parameters**")
    fields: dict[str, list[str]] = {}
    current: list[str] = []
    for line in tail.splitlines():
        match = _FIELD.match(line.strip())
        if match:
            current = fields.setdefault(match[1], [])
            current.append(match[3] or "")
        elif line.strip():
            current.append(line.strip())
    return " ".join(head.split()), {name: " ".join(parts).strip() for name, parts in fields.items()}
