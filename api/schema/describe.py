"""What types and fields are for, in prose: read from the docstrings of the typed models when somebody asks.

The prose is several megabytes and only `explain` and the OpenAPI documents want it, so it is not part of the schema
data. The docstrings live in the modules' source: it is read from the files, without importing the modules.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

_API = re.compile(r"io\.k8s\.(?:api|kube-aggregator\.pkg\.apis|apiextensions-apiserver\.pkg\.apis)\.([^.]+)\.(v\w+)\Z")
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_CLASS = re.compile(r'^class (\w+)\(.*?\):\n    r?"""(.*?)"""', re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\* \*\*(\S+?)\*\* ``(.*?)``(?: - (.*))?$")


_SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": (
        "An exact amount of a resource: a decimal number with an optional suffix, binary (Ki, Mi, Gi, Ti, Pi, Ei), "
        "decimal (n, u, m, k, M, G, T, P, E) or an exponent (e3). 100m is a tenth, 64Mi is 64 times 1048576."
    ),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": (
        "A whole number or a string: where a share is meant, a percentage such as 25%; where a port is meant, its name."
    ),
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "A moment in RFC 3339 form, to the second: 2026-11-22T11:00:00Z.",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": (
        "A moment in RFC 3339 form, to the microsecond: 2026-11-22T11:00:00.000000Z."
    ),
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "Any object.",
}
"""Types that the models have as plain Python types, without a docstring."""


class Prose:
    """The prose of types, read a package at a time and kept as long as this object lives."""

    def __init__(self) -> None:
        self._packages: dict[str, dict[str, str]] = {}

    def of(self, name: str) -> tuple[str, dict[str, str]]:
        """(the type's prose, its fields' prose by name) of a definition; empty where there is none."""
        if name in _SCALARS:
            return _SCALARS[name], {}
        package, _, type_name = name.rpartition(".")
        if package not in self._packages:
            self._packages[package] = _docstrings(package)
        return _split(self._packages[package].get(type_name, ""))


def describe(name: str) -> str:
    """The prose of a type by definition name; empty if there is none."""
    return Prose().of(name)[0]


def field_descriptions(name: str) -> dict[str, str]:
    """The prose of a type's fields, by field name."""
    return Prose().of(name)[1]


def module_of(package: str) -> str:
    """The models' module for a definition's package (`io.k8s.api.apps.v1` → `apps_v1`); empty if there is none."""
    if package == _META:
        return "meta_v1"
    match = _API.match(package)
    return f"{match[1]}_{match[2]}" if match else ""


def _docstrings(package: str) -> dict[str, str]:
    """The docstrings of a package's types. Not kept: they are large, and the documents made of them are."""
    module = module_of(package)
    spec = importlib.util.find_spec("lightkube")
    if not module or spec is None or not spec.submodule_search_locations:
        return {}
    path = Path(next(iter(spec.submodule_search_locations)), "models", f"{module}.py")
    return dict(_CLASS.findall(path.read_text())) if path.is_file() else {}


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
