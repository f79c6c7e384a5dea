"""The functions: CEL's standard ones and those that Kubernetes adds, one file for each library.

Importing a file registers its functions; `load` imports them all, once the first expression needs them.
"""

from __future__ import annotations

from importlib import import_module

_LIBRARIES = (
    "optional",
    "strings",
    "text_format",
    "lists",
    "numbers",
    "regex",
    "quantity",
    "network",
    "url",
    "semver",
    "formats",
    "authorizer",
)


def load() -> None:
    """Have every function registered."""
    import_module("apiserver.cel.operators")
    import_module("apiserver.cel.conversions")
    for name in _LIBRARIES:
        import_module(f"{__name__}.{name}")
