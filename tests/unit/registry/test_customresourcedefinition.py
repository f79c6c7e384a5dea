"""What a CustomResourceDefinition may say: every violation with its path, in the API's words."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from api import metadata
from apiserver.registry.customresourcedefinition import CLEANUP, KIND
from apiserver.registry.kind import Context, Object

CTX = Context(now=metadata.now())
SCHEMA = "spec.validation.openAPIV3Schema"


def definition(schema: Object | None = None, **version: Any) -> Object:
    whole = {"type": "object", "properties": {"spec": {"type": "object"} if schema is None else schema}}
    one = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": whole}, **version}
    return {
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": "crontabs", "kind": "CronTab"},
            "versions": [one],
        },
    }


def made(obj: Object) -> Object:
    KIND.strategy.default(obj)
    KIND.strategy.prepare_for_create(obj, CTX)
    return obj


def said(obj: Object) -> list[str]:
    return [str(error) for error in KIND.strategy.validate(made(obj), CTX)]


def of_schema(schema: Object) -> list[str]:
    """What is said of the schema of `spec`, each without the common path."""
    return [text.removeprefix(f"{SCHEMA}.properties[spec]") for text in said(definition(schema))]


def changed(change: Any, established: bool = True) -> list[str]:
    old = made(definition())
    if established:
        old["status"]["conditions"] = [{"type": "Established", "status": "True"}]
    new = deepcopy(old)
    change(new)
    KIND.strategy.default(new)
    KIND.strategy.prepare_for_update(new, old, CTX)
    return [str(error) for error in KIND.strategy.validate_update(new, old, CTX)]


def test_defaults() -> None:
    obj = made(definition())
    assert said(definition()) == []
    names = {"plural": "crontabs", "kind": "CronTab", "singular": "crontab", "listKind": "CronTabList"}
    assert (obj["spec"]["names"], obj["spec"]["conversion"]) == (names, {"strategy": "None"})
    assert obj["status"]["storedVersions"] == ["v1"]
    KIND.strategy.prepare_for_delete(obj, CTX)
    assert obj["metadata"]["finalizers"] == [CLEANUP]
    assert obj["status"]["conditions"][0]["reason"] == "InstanceDeletionPending"


def test_names() -> None:
    obj = definition()
    obj["metadata"]["name"] = "tabs.stable.example.com"
    obj["spec"] |= {"group": "example", "scope": "Everywhere"}
    obj["spec"]["names"] |= {"kind": "Cron_Tab", "listKind": "Cron_Tab", "shortNames": ["CT"]}
    texts = said(obj)
    assert (
        texts[0] == 'metadata.name: Invalid value: "tabs.stable.example.com": must be spec.names.plural+"."+spec.group'
    )
    assert texts[1] == 'spec.group: Invalid value: "example": should be a domain with at least one dot'
    assert texts[2] == 'spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"'
    assert [text.partition(": ")[0] for text in texts[3:]] == [
        "spec.names.singular",
        "spec.names.kind",
        "spec.names.listKind",
        "spec.names.shortNames[0]",
        "spec.names.listKind",
    ]


def test_groups_of_the_community_need_an_approval() -> None:
    obj = definition()
    obj["spec"]["group"] = "things.k8s.io"
    obj["metadata"]["name"] = "crontabs.things.k8s.io"
    (text,) = said(obj)
    assert text.startswith(
        "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have"
    )
    obj["metadata"]["annotations"] = {"api-approved.kubernetes.io": "yes"}
    (text,) = said(obj)
    assert 'Invalid value: "yes": protected groups must have' in text
    obj["metadata"]["annotations"] = {"api-approved.kubernetes.io": "https://example.com/1"}
    assert said(obj) == []


def test_versions() -> None:
    obj = definition(deprecationWarning="old")
    del obj["spec"]["versions"][0]["schema"]
    obj["spec"]["versions"].append({**obj["spec"]["versions"][0], "name": "V2"})
    texts = said(obj)
    assert texts[0].startswith('spec.versions[1].name: Invalid value: "V2": a DNS-1035 label must')
    assert texts[1].endswith(": must have exactly one version marked as storage version")
    assert texts[2:4] == [
        "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
        'spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions',
    ]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, ".type: Required value: must not be empty for specified object fields"),
        ({"type": "array"}, ".items: Required value: must be specified"),
        ({"type": "array", "items": {}}, ".items.type: Required value: must not be empty for specified array items"),
        (
            {"type": "object", "oneOf": [{"type": "object"}]},
            ".oneOf[0].type: Forbidden: must be empty to be structural",
        ),
        (
            {"type": "object", "not": {"nullable": True}},
            ".not.nullable: Forbidden: must be false to be structural",
        ),
        (
            {"type": "object", "allOf": [{"properties": {"metadata": {}}}]},
            ".allOf[0].properties[metadata]: Forbidden: must not be specified in a nested context",
        ),
        (
            {"type": "string", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            '.type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true',
        ),
        (
            {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
            ".x-kubernetes-preserve-unknown-fields: Invalid value: true: "
            "must be false if x-kubernetes-int-or-string is true",
        ),
        (
            {"type": "object", "x-kubernetes-preserve-unknown-fields": False},
            ".x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
            ".additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        ({"type": "object", "$ref": "#/x"}, ".$ref: Forbidden: $ref is not supported"),
        (
            {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            ".uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
        (
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "bag"},
            '.x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "set", "map"',
        ),
        (
            {"type": "string", "x-kubernetes-map-type": "atomic"},
            '.type: Invalid value: "string": must be object if x-kubernetes-map-type is specified',
        ),
        (
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"},
            '.items.x-kubernetes-map-type: Invalid value: "null": '
            "must be atomic as item of a list with x-kubernetes-list-type=set",
        ),
        (
            {
                "type": "array",
                "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
            ".items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, "
            "so it must have a default or be a required property",
        ),
        (
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"},
            ".x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            {"type": "string", "pattern": "(a"},
            '.pattern: Invalid value: "(a": must be a valid regular expression, but isn\'t: '
            "error parsing regexp: missing ): (a",
        ),
        (
            {"type": "integer", "default": "x"},
            '.default: Invalid value: "string":  in body must be of type integer: "string"',
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "default": {"b": 1}},
            '.default: Invalid value: {"b":1}: must not have unknown fields',
        ),
    ],
)
def test_schemas(schema: Object, expected: str) -> None:
    assert expected in of_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"x-kubernetes-int-or-string": True, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}]},
        {"x-kubernetes-preserve-unknown-fields": True},
        {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}, "oneOf": [{"required": ["a"]}]},
        {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
        {"type": "object", "default": {"a": 1}, "properties": {"a": {"type": "integer"}}},
    ],
)
def test_good_schemas(schema: Object) -> None:
    assert of_schema(schema) == []


def test_the_root() -> None:
    obj = definition()
    whole = obj["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    whole["properties"]["metadata"] = {"type": "object", "properties": {"labels": {"type": "object"}}}
    whole["additionalProperties"] = {"type": "string"}
    whole["nullable"] = True
    assert said(obj) == [
        f"{SCHEMA}.nullable: Forbidden: nullable cannot be true at the root",
        f"{SCHEMA}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        f"{SCHEMA}.additionalProperties: Forbidden: must not be used at the root",
        f"{SCHEMA}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, "
        "but metadata is implicitly specified",
    ]


def test_what_is_restricted_must_be_specified() -> None:
    obj = definition()
    obj["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["anyOf"] = [{"properties": {"extra": {"minLength": 1}}}]
    assert said(obj) == [
        f"{SCHEMA}.properties[extra]: Required value: because it is defined in {SCHEMA}.anyOf[0].properties[extra]"
    ]


def test_paths_into_objects() -> None:
    obj = definition(
        additionalPrinterColumns=[{"name": "", "type": "text", "jsonPath": "spec"}],
        selectableFields=[{"jsonPath": ".spec"}, {"jsonPath": ".spec.x"}, {"jsonPath": ".metadata.name"}],
        subresources={"scale": {"specReplicasPath": ".x", "statusReplicasPath": ".status.n", "labelSelectorPath": "x"}},
    )
    assert said(obj) == [
        'spec.subresources.scale.specReplicasPath: Invalid value: ".x": should be a json path under .spec',
        'spec.subresources.scale.labelSelectorPath: Invalid value: "x": must be a simple json path starting with .',
        "spec.additionalPrinterColumns[0].name: Required value",
        'spec.additionalPrinterColumns[0].type: Invalid value: "text": '
        "must be one of boolean,date,integer,number,string",
        'spec.additionalPrinterColumns[0].jsonPath: Invalid value: "spec": must be a simple json path starting with .',
        'spec.selectableFields[0].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or '
        "integer. Enum string fields and strings with formats are allowed.",
        'spec.selectableFields[1].jsonPath: Invalid value: ".spec.x": '
        "is an invalid path: does not refer to a valid field",
        'spec.selectableFields[2].jsonPath: Invalid value: ".metadata.name": must not point to fields in metadata',
    ]


def test_rules_have_to_compile() -> None:
    (text,) = of_schema({"type": "object", "x-kubernetes-validations": [{"rule": "self.nothing == 1"}]})
    assert text.startswith(".x-kubernetes-validations[0].rule: Invalid value")
    assert "undefined field 'nothing'" in text


def test_defaults_have_to_follow_the_rules() -> None:
    rule = {"rule": "self > 3", "message": "too few"}
    assert of_schema({"type": "integer", "x-kubernetes-validations": [rule], "default": 4}) == []
    few = {"type": "integer", "x-kubernetes-validations": [rule]}
    assert of_schema(few | {"default": 2}) == [".default: Invalid value: 2: too few"]
    whole = {"type": "object", "properties": {"a": few}, "default": {"a": 1}}
    assert of_schema(whole) == [".default.a: Invalid value: 1: too few"]


def test_conversion() -> None:
    obj = definition()
    obj["spec"]["conversion"] = {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v3"]}}
    assert said(obj) == [
        "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        'spec.conversion.conversionReviewVersions: Invalid value: ["v3"]: must include at least one of v1, v1beta1',
    ]
    obj["spec"]["conversion"] = {"strategy": "Magic", "webhook": {"clientConfig": {}}}
    assert said(obj) == [
        'spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"',
        "spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook",
    ]


def test_what_cannot_change() -> None:
    def change(new: Object) -> None:
        new["spec"] |= {"scope": "Cluster"}
        new["spec"]["names"] = {"plural": "crontabs", "kind": "Other"}

    assert [text.partition(":")[0] for text in changed(change)] == ["spec.scope", "spec.names.kind"]
    assert changed(change, established=False) == []


def test_a_stored_version_stays() -> None:
    def change(new: Object) -> None:
        new["spec"]["versions"][0]["name"] = "v2"

    (text,) = changed(change)
    assert text.startswith(
        'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously'
    )


def test_formats_that_mean_nothing_are_told() -> None:
    obj = made(definition({"type": "object", "properties": {"a": {"type": "string", "format": "phone"}}}))
    assert KIND.strategy.warnings(obj) == ['unrecognized format "phone"']
