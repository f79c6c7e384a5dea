"""Objects inside of custom resources."""

from __future__ import annotations

from typing import Any

from api.schema import structural
from apiserver.customresources.embedded import embedded_problems

TEMPLATE = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
SCHEMA = structural(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "template": TEMPLATE,
                    "list": {"type": "array", "items": TEMPLATE},
                    "map": {"type": "object", "additionalProperties": TEMPLATE},
                },
            }
        },
    }
)


def said(**spec: Any) -> list[str]:
    return [str(error) for error in embedded_problems(SCHEMA, {"metadata": {"name": "/"}, "spec": spec})]


def test_what_is_right() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"a": "b"}}, "spec": {}}
    assert said(template=pod, list=[pod, {"apiVersion": "a.b/v1", "kind": "Thing"}], map={"x": pod}) == []


def test_what_every_object_has() -> None:
    assert said(template={}) == [
        "spec.template.apiVersion: Required value: must not be empty",
        "spec.template.kind: Required value: must not be empty",
    ]
    assert said(list=[{"apiVersion": "a/b/c", "kind": ""}]) == [
        'spec.list[0].kind: Invalid value: "": must not be empty',
        'spec.list[0].apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
    ]


def test_names_and_metadata() -> None:
    (kind, name, label) = said(
        map={"x": {"apiVersion": "v1", "kind": "A_B", "metadata": {"name": "a/b", "labels": {"a": "-"}}}}
    )
    assert kind.startswith(
        'spec.map.x.kind: Invalid value: "A_B": may have mixed case, but should otherwise match: a DNS'
    )
    assert name == "spec.map.x.metadata.name: Invalid value: \"a/b\": may not contain '/'"
    assert label.startswith('spec.map.x.metadata.labels: Invalid value: "-": a valid label must be')
