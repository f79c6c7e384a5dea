"""The typed structs of every Kubernetes object, without the client library they ship beside.

`lightkube-models` installs into the package `lightkube`, whose own `__init__` imports a whole HTTP client (24 MB and a
fifth of a second). The models need only `lightkube.core.schema`, so while they are imported this module stands in for
the two package `__init__`s with empty modules that have the right search path, and takes them away again afterwards. A
real `import lightkube` still works, before or after.

One struct is not as it ships: `ObjectMeta` here has no `managedFields`. No daemon reads them, and they are half of many
an object: decoded, two thirds of its memory. A write without them leaves them as they are.

    from api.types import core_v1, meta_v1
    pod = msgspec.json.decode(body, type=core_v1.Pod)

Modules are imported when first asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from lightkube.models import admissionregistration_v1 as admissionregistration_v1
    from lightkube.models import apiextensions_v1 as apiextensions_v1
    from lightkube.models import apiregistration_v1 as apiregistration_v1
    from lightkube.models import apps_v1 as apps_v1
    from lightkube.models import authentication_v1 as authentication_v1
    from lightkube.models import authorization_v1 as authorization_v1
    from lightkube.models import autoscaling_v1 as autoscaling_v1
    from lightkube.models import autoscaling_v2 as autoscaling_v2
    from lightkube.models import batch_v1 as batch_v1
    from lightkube.models import certificates_v1 as certificates_v1
    from lightkube.models import coordination_v1 as coordination_v1
    from lightkube.models import core_v1 as core_v1
    from lightkube.models import discovery_v1 as discovery_v1
    from lightkube.models import events_v1 as events_v1
    from lightkube.models import meta_v1 as meta_v1
    from lightkube.models import networking_v1 as networking_v1
    from lightkube.models import node_v1 as node_v1
    from lightkube.models import policy_v1 as policy_v1
    from lightkube.models import rbac_v1 as rbac_v1
    from lightkube.models import scheduling_v1 as scheduling_v1
    from lightkube.models import storage_v1 as storage_v1

_PACKAGES = ("lightkube", "lightkube.core")
_METADATA = "lightkube.models.meta_v1"


@contextmanager
def _bare_packages() -> Iterator[None]:
    """Stand in for the packages whose `__init__` must not run, unless the real ones are loaded already."""
    stand_ins: dict[str, ModuleType] = {}
    spec = importlib.util.find_spec("lightkube")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package lightkube-models is not installed", name="lightkube")
    root = list(spec.submodule_search_locations)
    for name in _PACKAGES:
        if name not in sys.modules:
            module = ModuleType(name)
            module.__path__ = root if name == "lightkube" else [f"{path}/core" for path in root]
            sys.modules[name] = stand_ins[name] = module
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def load(name: str) -> ModuleType:
    """The models of one group and version, by lightkube's name for it (`apps_v1`). Raises ModuleNotFoundError."""
    full = f"lightkube.models.{name}"
    loaded = sys.modules.get(full)
    if loaded is not None:
        return loaded
    with _bare_packages():
        module = importlib.import_module(full)
    shared = sys.modules.get(_METADATA)  # most models import it, by whichever they are loaded first
    if shared is not None and "managedFields" in shared.ObjectMeta.__struct_fields__:
        shared.ObjectMeta = _without_managers(shared.ObjectMeta)  # type: ignore[attr-defined]
    return module


def _without_managers(full: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """`ObjectMeta` without the one field. Other models name their types by string: they find this one in its place."""
    kept = [(name, full.__annotations__[name], None) for name in full.__struct_fields__ if name != "managedFields"]
    return msgspec.defstruct(full.__name__, kept, bases=full.__bases__, module=full.__module__)


def __getattr__(name: str) -> ModuleType:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        module = load(name)
    except ModuleNotFoundError as missing:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from missing
    globals()[name] = module
    return module
