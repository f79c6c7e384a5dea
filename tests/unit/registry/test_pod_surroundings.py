"""Pods: names and variables that come from somewhere else."""

from __future__ import annotations

import pytest

from apiserver.registry.kind import Object
from tests.unit.registry.cases import Case, ids
from tests.unit.registry.objects import pod
from tests.unit.registry.support import create, edited

A = "spec.containers[0].env[0].valueFrom.fileKeyRef"


def from_file(**ref: str) -> Object:
    env = [{"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "tmp", "path": "f", "key": "K", **ref}}}]
    volumes = [{"name": "tmp", "emptyDir": {}}, {"name": "host", "hostPath": {"path": "/"}}]
    spec: Object = pod(volumes=volumes, containers=[{"name": "c", "image": "i", "env": env}])["spec"]
    return spec


BAD: list[Case] = [
    ("spec", from_file(volumeName="none"), [f'{A}.volumeName: Not found: "none"']),
    ("spec", from_file(volumeName="host"), [
        f'{A}.volumeName: Invalid value: "host": referenced volume must be of type emptyDir']),
    ("spec", from_file(path="/f"), [f'{A}.path: Invalid value: "/f": must be a relative path']),
    ("spec", from_file(path="a/../f"), [f"{A}.path: Invalid value: \"a/../f\": must not contain '..'"]),
    ("spec", from_file(path="..f"), [f"{A}.path: Invalid value: \"..f\": must not start with '..'"]),
    ("spec", from_file(key="a=b", path=""), [
        f"{A}.path: Required value",
        f"{A}.key: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII "
        "characters other than '='"]),
    ("spec", pod(hostnameOverride="a" * 65, setHostnameAsFQDN=True, hostNetwork=True)["spec"], [
        'spec.hostnameOverride: Too long: may not be more than 64 bytes',
        "spec.setHostnameAsFQDN: Forbidden: may not be true when `hostnameOverride` is set",
        "spec.hostNetwork: Forbidden: may not be true when `hostnameOverride` is set"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "messages"), BAD, ids=ids(BAD))
def test_what_is_refused(path: str, value: Object, messages: list[str]) -> None:
    assert create(edited(pod(), path, value))[1] == messages


def test_what_is_taken() -> None:
    stored, errors = create(edited(pod(), "spec", from_file()))
    assert errors == []
    assert stored["spec"]["containers"][0]["env"][0]["valueFrom"]["fileKeyRef"]["optional"] is False
    assert create(pod(hostnameOverride="own.example"))[1] == []


def test_apparmor_profiles_by_annotation() -> None:
    names = {"a": "localhost/own", "b": "runtime/default", "c": "unconfined", "d": "localhost/", "e": "unconfined"}
    containers: list[Object] = [{"name": name, "image": "i"} for name in names]
    containers[4]["securityContext"] = {"appArmorProfile": {"type": "RuntimeDefault"}}
    whole = {"appArmorProfile": {"type": "Unconfined"}}
    prefix = "container.apparmor.security.beta.kubernetes.io/"
    made = edited(pod(containers=containers, securityContext=whole), "metadata.annotations", {})
    made["metadata"]["annotations"] = {prefix + name: value for name, value in names.items()}
    stored, errors = create(made)
    assert errors == []
    contexts = [each.get("securityContext") for each in stored["spec"]["containers"]]
    assert contexts == [
        {"appArmorProfile": {"type": "Localhost", "localhostProfile": "own"}},
        {"appArmorProfile": {"type": "RuntimeDefault"}},
        None,
        None,
        {"appArmorProfile": {"type": "RuntimeDefault"}},
    ]
