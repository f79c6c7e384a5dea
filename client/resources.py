"""Which path of the API a struct type lives under: `core_v1.Pod` → `/api/v1/namespaces/…/pods`.

The module name says group and version, the class name the kind; the plural follows English. Only what cannot be derived
is listed. A custom kind's struct is made known with `register`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from api.types import meta_v1


class KubeObject(Protocol):
    """Any of lightkube-models' structs that is an object of its own."""

    apiVersion: str | None
    kind: str | None

    @property
    def metadata(self) -> meta_v1.ObjectMeta | None: ...


@dataclass(frozen=True)
class Resource:
    """One kind as the API's paths name it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @cached_property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def _root(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @cached_property
    def name(self) -> str:
        """`deployments.apps`, or `pods`: as error messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """The URL's path. Without a namespace, a namespaced kind's path spans all namespaces."""
        path = f"{self._root}/namespaces/{namespace}/{self.plural}" if self.namespaced and namespace else self._plain
        if name:
            path += "/" + name
        return f"{path}/{subresource}" if subresource else path

    @cached_property
    def _plain(self) -> str:
        return f"{self._root}/{self.plural}"


_GROUPS = {
    "core": "",
    "apps": "apps",
    "batch": "batch",
    "autoscaling": "autoscaling",
    "policy": "policy",
    "admissionregistration": "admissionregistration.k8s.io",
    "apiextensions": "apiextensions.k8s.io",
    "apiregistration": "apiregistration.k8s.io",
    "authentication": "authentication.k8s.io",
    "authorization": "authorization.k8s.io",
    "certificates": "certificates.k8s.io",
    "coordination": "coordination.k8s.io",
    "discovery": "discovery.k8s.io",
    "events": "events.k8s.io",
    "flowcontrol": "flowcontrol.apiserver.k8s.io",
    "networking": "networking.k8s.io",
    "node": "node.k8s.io",
    "rbac": "rbac.authorization.k8s.io",
    "resource": "resource.k8s.io",
    "scheduling": "scheduling.k8s.io",
    "storage": "storage.k8s.io",
}

_CLUSTER_SCOPED = frozenset(
    [
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ComponentStatus",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "ServiceCIDR",
        "StorageClass",
        "SubjectAccessReview",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    ]
)

_known: dict[type[Any], Resource] = {}


def register(cls: type[Any], resource: Resource) -> None:
    """Make a struct type known that is not one of Kubernetes' own."""
    _known[cls] = resource


def resource_of(cls: type[Any]) -> Resource:
    """The resource of a struct type. Raises TypeError for a type that is no object of the API."""
    found = _known.get(cls)
    if found is None:
        found = _known[cls] = _derive(cls)
    return found


def _derive(cls: type[Any]) -> Resource:
    module, _, version = cls.__module__.rpartition(".")[2].rpartition("_")
    if module not in _GROUPS or "metadata" not in getattr(cls, "__struct_fields__", ()):
        raise TypeError(f"{cls.__name__} is not an object of the API")
    kind = cls.__name__
    return Resource(_GROUPS[module], version, kind, _plural(kind), kind not in _CLUSTER_SCOPED)


def _plural(kind: str) -> str:
    word = kind.lower()
    if word == "endpoints":
        return word
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
