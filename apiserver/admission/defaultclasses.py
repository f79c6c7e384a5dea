"""Claims and Ingresses that name no class get the default one, if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiserver.registry.ingress import CLASS_ANNOTATION
from apiserver.registry.kind import Object
from apiserver.registry.storageclass import DEFAULT_ANNOTATIONS

if TYPE_CHECKING:
    from apiserver.admission.attributes import Attributes
    from apiserver.endpoints.state import State

_INGRESS_DEFAULT = ("ingressclass.kubernetes.io/is-default-class",)
_OLD_STORAGE = "volume.beta.kubernetes.io/storage-class"


def default_of(state: State, plural: str, group: str, annotations: tuple[str, ...]) -> str | None:
    """The name of the default class: of several the newest, and of those the first by name."""
    objects = [entry.decode() for entry in state.resource(plural, group).cache.select("", None)]
    defaults = [each for each in objects if _says_so(each, annotations)]
    defaults.sort(key=lambda each: str(each["metadata"].get("creationTimestamp")), reverse=True)
    return str(defaults[0]["metadata"]["name"]) if defaults else None


def _says_so(obj: Object, annotations: tuple[str, ...]) -> bool:
    given = obj["metadata"].get("annotations") or {}
    return any(given.get(annotation) == "true" for annotation in annotations)


def _annotated(obj: Object, annotation: str) -> bool:
    return annotation in ((obj.get("metadata") or {}).get("annotations") or {})


async def of_storage(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """A claim for storage."""
    if obj is None or not attributes.creates("persistentvolumeclaims"):
        return
    spec = obj.get("spec")
    if isinstance(spec, dict) and spec.get("storageClassName") is None and not _annotated(obj, _OLD_STORAGE):
        name = default_of(state, "storageclasses", "storage.k8s.io", DEFAULT_ANNOTATIONS)
        if name is not None:
            spec["storageClassName"] = name


async def of_ingress(state: State, attributes: Attributes, obj: Object | None, old: Object | None) -> None:
    """An Ingress."""
    if obj is None or not attributes.creates("ingresses", "networking.k8s.io"):
        return
    spec = obj.get("spec")
    if isinstance(spec, dict) and spec.get("ingressClassName") is None and not _annotated(obj, CLASS_ANNOTATION):
        name = default_of(state, "ingressclasses", "networking.k8s.io", _INGRESS_DEFAULT)
        if name is not None:
            spec["ingressClassName"] = name
