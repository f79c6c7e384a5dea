"""The words of commands: labels, images, ports, conditions, secrets' sources."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl.changing import split_words
from kubectl.commands.create.configmap import config_map
from kubectl.commands.create.deployment import container_name, deployment
from kubectl.commands.create.service import port
from kubectl.commands.set.image import changed
from kubectl.commands.wait import parse_condition
from kubectl.discovery import Resource, match
from kubectl.errors import CliError

RESOURCES = [
    Resource("", "v1", "pods", "Pod", "pod", True, short_names=("po",)),
    Resource("", "v1", "events", "Event", "event", True, short_names=("ev",)),
    Resource("apps", "v1", "deployments", "Deployment", "deployment", True, short_names=("deploy",)),
    Resource("events.k8s.io", "v1", "events", "Event", "event", True, short_names=("ev",)),
]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("po", "pods"),
        ("Pod", "pods"),
        ("pods.v1.", "pods"),
        ("deploy", "deployments.apps"),
        ("deployments.apps", "deployments.apps"),
        ("deployments.v1.apps", "deployments.apps"),
        ("events", "events"),
        ("events.events.k8s.io", "events.events.k8s.io"),
        ("bogus", None),
        ("pods.apps", None),
    ],
)
def test_kinds_are_found_by_any_of_their_names(name: str, found: str | None) -> None:
    resource = match(RESOURCES, name)
    assert (resource.qualified if resource else None) == found


def test_label_words() -> None:
    words = ["pod", "web-1", "a=b", "x.io/y=", "old-"]
    assert split_words(words, "label") == (["pod", "web-1"], {"a": "b", "x.io/y": ""}, ["old"])


def test_a_label_cannot_be_set_and_removed() -> None:
    with pytest.raises(CliError, match="can not both modify and remove"):
        split_words(["pod", "x", "a=b", "a-"], "label")


@pytest.mark.parametrize(
    ("image", "name"),
    [("nginx", "nginx"), ("localhost:5000/team/Web_App:1.2", "web-app"), ("x/busybox@sha256:ab", "busybox")],
)
def test_containers_are_named_for_their_image(image: str, name: str) -> None:
    assert container_name(image) == name


def test_a_deployment_from_flags() -> None:
    made = deployment("web", ["web:1"], 3, 80, ["sleep", "1"])
    assert made["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    assert made["spec"]["template"]["spec"]["containers"] == [
        {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}], "command": ["sleep", "1"]}
    ]


def test_bytes_that_are_no_text_go_to_binary_data() -> None:
    made = config_map("c", {"a": b"text", "b": b"\xff"})
    assert (made["data"], made["binaryData"]) == ({"a": "text"}, {"b": "/w=="})


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("80:8080", {"name": "80-8080", "port": 80, "protocol": "TCP", "targetPort": 8080}),
        ("80", {"name": "80", "port": 80, "protocol": "TCP", "targetPort": 80}),
        ("80:http", {"name": "80-http", "port": 80, "protocol": "TCP", "targetPort": "http"}),
    ],
)
def test_service_ports(text: str, entry: dict[str, Any]) -> None:
    assert port(text) == entry


def test_only_images_that_change_are_patched() -> None:
    containers = [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]
    assert changed(containers, {"a": "a:2", "b": "b:1"}) == [{"name": "a", "image": "a:2"}]
    assert changed(containers, {"*": "x:1"}) == [{"name": "a", "image": "x:1"}, {"name": "b", "image": "x:1"}]


DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "d", "generation": 2},
    "status": {"observedGeneration": 2, "replicas": 3, "conditions": [{"type": "Available", "status": "True"}]},
}


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("condition=Available", True),
        ("condition=available=true", True),
        ("condition=Available=False", False),
        ("condition=Other", False),
        ("delete", False),
        ("create", True),
        ("jsonpath={.status.replicas}=3", True),
        ("jsonpath='{.status.replicas}'=4", False),
        ("jsonpath={.status.nope}", False),
        ("jsonpath=.status.replicas=3", True),
    ],
)
def test_conditions(text: str, met: bool) -> None:
    assert parse_condition(text)(DEPLOYMENT) is met


def test_a_condition_of_an_earlier_generation_does_not_count() -> None:
    stale = {**DEPLOYMENT, "status": {**DEPLOYMENT["status"], "observedGeneration": 1}}
    assert not parse_condition("condition=Available")(stale)


def test_an_unknown_condition_is_refused() -> None:
    with pytest.raises(CliError, match="unrecognized condition"):
        parse_condition("ready")
