"""Every served type against the published API of Kubernetes 1.36: its fields, its place, its verbs, its subresources.

The definitions are those of the OpenAPI document (`kubernetes-validate` carries them), the list of resources and verbs
is the one of its paths (`lightkube-models`, made from the same document).
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from kubernetes import client
from lightkube.core.resource import ApiInfo, NamespacedResource, NamespacedSubResource

from api import schema as schemas
from api.schema import Schema
from apiserver.endpoints.subresources.served import subresources_of
from apiserver.endpoints.virtual import VIRTUAL
from apiserver.registry import KINDS as ALL_KINDS
from apiserver.registry.kind import Kind

VERSION = "1.36.0"
_SPELT = {"put": "update", "post": "create"}

GROUPS = (
    "admissionregistration_v1",
    "apiextensions_v1",
    "apiregistration_v1",
    "apps_v1",
    "authentication_v1",
    "authorization_v1",
    "autoscaling_v1",
    "autoscaling_v2",
    "batch_v1",
    "certificates_v1",
    "coordination_v1",
    "core_v1",
    "discovery_v1",
    "events_v1",
    "networking_v1",
    "node_v1",
    "policy_v1",
    "rbac_authorization_v1",
    "scheduling_v1",
    "storage_v1",
)


@cache
def published() -> Mapping[str, Any]:
    source = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{VERSION}-local" / "_definitions.json"
    definitions: dict[str, Any] = json.loads(source.read_text())["$defs"]
    return definitions


def differences(schema: Schema, said: Mapping[str, Any], at: str, seen: set[str]) -> Iterator[str]:
    """Where a type as we know it is not as published, the types in it included."""
    if "$ref" in said:
        name = said["$ref"].rsplit("/", 1)[1]
        if "JSONSchemaPropsOr" in name:  # a schema, or something simpler: what is published says neither
            name = name[: name.index("Or")]
        if schema.name != name:
            yield f"{at}: {schema.name or schema.form} instead of {name}"
            return
        if name in seen:
            return
        seen.add(name)
        at, said = name, published()[name]
    ours, theirs = set(schema.properties), set(said.get("properties", {}))
    yield from (f"{at}.{name}: missing" for name in sorted(theirs - ours))
    yield from (f"{at}.{name}: not published" for name in sorted(ours - theirs))
    if sorted(schema.required) != sorted(said.get("required", ())) and theirs:
        yield f"{at}: requires {schema.required}, not {said.get('required')}"
    for name in sorted(ours & theirs):
        yield from _place(schema.properties[name], said["properties"][name], f"{at}.{name}", seen)


def _place(schema: Schema, said: Mapping[str, Any], at: str, seen: set[str]) -> Iterator[str]:
    """A field's node: its facts for merging, and what is below."""
    facts = {
        "x-kubernetes-list-type": schema.list_type,
        "x-kubernetes-patch-merge-key": schema.merge_key,
        "x-kubernetes-list-map-keys": list(schema.list_keys),
    }
    for fact, ours in facts.items():
        if (ours or None) != (said.get(fact) or None):
            yield f"{at}: {fact} is {ours!r}, not {said.get(fact)!r}"
    if isinstance(said.get("items"), Mapping):
        yield from _place(schema.items, said["items"], f"{at}[]", seen)
    elif isinstance(said.get("additionalProperties"), Mapping):
        yield from _place(schema.values, said["additionalProperties"], f"{at}[*]", seen)
    else:
        yield from differences(schema, said, at, seen)


KINDS = tuple(kind for kind in ALL_KINDS if kind.live is None)
"""Without those of the metrics API, which Kubernetes leaves to another server."""

TYPES = sorted({kind.definition for kind in KINDS} | {each.definition for each in VIRTUAL})


@pytest.mark.parametrize("definition", TYPES)
def test_fields(definition: str) -> None:
    schema = schemas.load(definition)
    assert list(differences(schema, {"$ref": f"#/$defs/{definition}"}, "", set())) == []
    named = published()[definition]["x-kubernetes-group-version-kind"]
    assert list(schema.kinds) == named


def resources() -> Iterator[tuple[bool, ApiInfo]]:
    """(whether it is in a namespace, what is published of it) for each resource and subresource of the groups."""
    for group in GROUPS:
        module = importlib.import_module(f"lightkube.resources.{group}")
        for value in vars(module).values():
            info = getattr(value, "_api_info", None)
            if isinstance(info, ApiInfo):
                yield issubclass(value, (NamespacedResource, NamespacedSubResource)), info


def verbs(info: ApiInfo) -> set[str]:
    found = {_SPELT.get(verb, verb) for verb in info.verbs if not verb.startswith("global_")}
    # Its list takes the parameter as every list does, but discovery never offered the verb.
    return found - {"watch"} if info.plural == "componentstatuses" else found


def found(info: ApiInfo) -> Kind | None:
    group, version, _ = info.parent or info.resource
    place = (group, version, info.plural)
    return next((kind for kind in KINDS if (kind.group, kind.version, kind.plural) == place), None)


def main_resources() -> list[tuple[bool, ApiInfo]]:
    return [each for each in resources() if each[1].action is None]


def test_every_published_resource_is_served() -> None:
    virtual = {(each.group, each.version, each.plural): each for each in VIRTUAL}
    wrong = []
    for namespaced, info in main_resources():
        kind = found(info)
        if kind is not None:
            served = (kind.kind, kind.namespaced, set(kind.verbs))
        elif (each := virtual.get((*info.resource[:2], info.plural))) is not None:
            served = (each.kind, each.namespaced, set(each.verbs))
        else:
            wrong.append(f"{info.plural}.{info.resource.group}: not served")
            continue
        if served != (info.resource.kind, namespaced, verbs(info)):
            wrong.append(f"{info.plural}: {served}, not {(info.resource.kind, namespaced, verbs(info))}")
    assert wrong == []


def test_every_published_subresource_is_served() -> None:
    wrong = []
    for _, info in resources():
        if info.action is None:
            continue
        kind = found(info)
        below = subresources_of(kind).get(info.action) if kind is not None else None
        if below is None:
            wrong.append(f"{info.plural}/{info.action}: not served")
        elif set(below.verbs) != verbs(info):
            wrong.append(f"{info.plural}/{info.action}: {below.verbs}, not {sorted(verbs(info))}")
        elif below.kind and (below.group, below.version, below.kind) != tuple(info.resource):
            wrong.append(
                f"{info.plural}/{info.action}: {below.group}/{below.version} {below.kind}, not {info.resource}"
            )
    assert wrong == []


SHORT_NAMES = {
    "certificatesigningrequests": "csr",
    "componentstatuses": "cs",
    "configmaps": "cm",
    "cronjobs": "cj",
    "customresourcedefinitions": "crd crds",
    "daemonsets": "ds",
    "deployments": "deploy",
    "endpoints": "ep",
    "events": "ev",
    "horizontalpodautoscalers": "hpa",
    "ingresses": "ing",
    "ipaddresses": "ip",
    "limitranges": "limits",
    "namespaces": "ns",
    "networkpolicies": "netpol",
    "nodes": "no",
    "persistentvolumeclaims": "pvc",
    "persistentvolumes": "pv",
    "poddisruptionbudgets": "pdb",
    "pods": "po",
    "priorityclasses": "pc",
    "replicasets": "rs",
    "replicationcontrollers": "rc",
    "resourcequotas": "quota",
    "serviceaccounts": "sa",
    "services": "svc",
    "statefulsets": "sts",
    "storageclasses": "sc",
    "volumeattributesclasses": "vac",
}
"""As the reference of kubectl lists them (`kubectl api-resources`)."""

OF_ALL = {
    "cronjobs",
    "daemonsets",
    "deployments",
    "horizontalpodautoscalers",
    "jobs",
    "pods",
    "replicasets",
    "replicationcontrollers",
    "services",
    "statefulsets",
}
OF_EXTENSIONS = {
    "apiservices",
    "customresourcedefinitions",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "validatingwebhookconfigurations",
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.api_version}-{kind.plural}")
def test_names(kind: Kind) -> None:
    assert " ".join(kind.short_names) == SHORT_NAMES.get(kind.plural, "")
    assert kind.singular in ("", kind.kind.lower())
    categories = {"all"} if kind.plural in OF_ALL else {"api-extensions"} if kind.plural in OF_EXTENSIONS else set()
    assert set(kind.categories) == categories


def _camel(group: str) -> str:
    words = re.split(r"[.-]", group.removesuffix(".k8s.io")) if group else ["core"]
    return "".join(word.capitalize() for word in words)


def _snake(kind: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()


@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS if "delete" in kind.verbs],
    ids=lambda kind: f"{kind.api_version}-{kind.plural}",
)
def test_what_a_delete_answers(kind: Kind) -> None:
    """The object, or a Status: the official client, made from the same document, says which."""
    api = getattr(client, f"{_camel(kind.group)}{kind.version.capitalize()}Api")
    method = getattr(api, f"delete_{'namespaced_' if kind.namespaced else ''}{_snake(kind.kind)}")
    answer = inspect.signature(method).return_annotation
    assert (
        getattr(answer, "__name__", "") == f"{kind.version.capitalize()}{kind.kind}"
    ) is kind.strategy.returns_deleted
