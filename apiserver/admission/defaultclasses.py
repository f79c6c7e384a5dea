"""Claims and Ingresses that name no class get the default one, if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apiserver.registry.ingress import CLASS_ANNOTATION
from apiserver.registry.kind import Object
from apiserver.registry.storageclass import DEFAULT_ANNOTATIONS

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State


@dataclass(frozen=True, slots=True)
class Default:
    """Objects of one kind that may name a class of another: in `field` of their spec, or in an old annotation."""

    plural: str
    group: str
    field: str
    annotation: str
    classes: str
    marks: tuple[str, ...]
    """The annotations by which a class says that it is the default."""
    class_group: str


_DEFAULTS = (
    Default(
        "persistentvolumeclaims",
        "",
        "storageClassName",
        "volume.beta.kubernetes.io/storage-class",
        "storageclasses",
        DEFAULT_ANNOTATIONS,
        "storage.k8s.io",
    ),
    Default(
        "ingresses",
        "networking.k8s.io",
        "ingressClassName",
        CLASS_ANNOTATION,
        "ingressclasses",
        ("ingressclass.kubernetes.io/is-default-class",),
        "networking.k8s.io",
    ),
)
_BY_KIND = {(each.plural, each.group): each for each in _DEFAULTS}


async def name_default(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """Name the default class in a new object that names none."""
    kind = attributes.resource.kind
    default = _BY_KIND.get((kind.plural, kind.group))
    if obj is None or default is None or not attributes.creates(default.plural, default.group):
        return
    spec = obj.get("spec")
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    if isinstance(spec, dict) and spec.get(default.field) is None and default.annotation not in annotations:
        name = default_of(state, default.classes, default.class_group, default.marks)
        if name is not None:
            spec[default.field] = name


def default_of(state: State, plural: str, group: str, annotations: tuple[str, ...]) -> str | None:
    """The name of the default class: of several the newest, and of those the first by name."""
    objects = [entry.decode() for entry in state.resource(plural, group).cache.select("", None)]
    defaults = [each for each in objects if _says_so(each, annotations)]
    defaults.sort(key=lambda each: str(each["metadata"].get("creationTimestamp")), reverse=True)
    return str(defaults[0]["metadata"]["name"]) if defaults else None


def _says_so(obj: Object, annotations: tuple[str, ...]) -> bool:
    given = obj["metadata"].get("annotations") or {}
    return any(given.get(annotation) == "true" for annotation in annotations)
