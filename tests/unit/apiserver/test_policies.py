"""What a policy makes of a request, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from api.schema import load
from apiserver.admission.policies.definition import Outcome, Policy
from apiserver.admission.policies.mutation import MutatingPolicy
from apiserver.admission.policies.typechecking import warnings
from apiserver.cel import Budget, CelError
from apiserver.cel.library.authorizer import Authorizer, Decision
from apiserver.registry import KINDS

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "nginx"}]},
}


def given(**values: Any) -> dict[str, Any]:
    """The values of a create of POD by somebody who may read and not write."""
    authorizer = Authorizer(lambda question: Decision(question.verb == "get"))
    request = {"operation": "CREATE", "name": "web", "userInfo": {"username": "me", "groups": ["us"]}, "dryRun": False}
    base = {"object": POD, "oldObject": None, "request": request, "params": None, "authorizer": authorizer}
    return {**base, "namespaceObject": {"metadata": {"name": "default", "labels": {}}}, **values}


def decide(**spec: Any) -> Outcome:
    obj = {"metadata": {"name": "p"}, "spec": {"matchConstraints": {}, "failurePolicy": "Fail", **spec}}
    return Policy.of(obj).decide(given())


def messages(**spec: Any) -> list[str]:
    return [refusal.message for refusal in decide(**spec).refusals]


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ({"expression": "object.metadata.name == 'web'"}, []),
        ({"expression": "object.kind != 'Pod'"}, ["failed expression: object.kind != 'Pod'"]),
        ({"expression": "false", "message": " no pods "}, ["no pods"]),
        ({"expression": "false", "messageExpression": "'by ' + request.userInfo.username"}, ["by me"]),
        ({"expression": "false", "messageExpression": "'a\\nb'", "message": "one line"}, ["one line"]),
        (
            {"expression": "false", "messageExpression": "object.missing", "message": "instead"},
            ["must evaluate to string but got dyn"],
        ),
        ({"expression": "false", "messageExpression": "string(object.missing)", "message": "instead"}, ["instead"]),
        (
            {"expression": "has(object.spec.hostNetwork) && oldObject == null"},
            ["failed expression: has(object.spec.hostNetwork) && oldObject == null"],
        ),
        (
            {"expression": "object.spec.priority > 1"},
            ["expression 'object.spec.priority > 1' resulted in error: no such key: priority"],
        ),
        ({"expression": "authorizer.requestResource.check('get').allowed()"}, []),
        ({"expression": "authorizer.path('/x').check('put').allowed()", "message": "not you"}, ["not you"]),
        ({"expression": "'us' in request.userInfo.groups && namespaceObject.metadata.name == 'default'"}, []),
    ],
)
def test_a_validation_refuses_in_its_own_words(validation: dict[str, str], expected: list[str]) -> None:
    assert messages(validations=[validation]) == expected


def test_failures_of_expressions_can_be_ignored() -> None:
    validations = [{"expression": "object.missing == 1"}, {"expression": "false", "message": "still no"}]
    assert messages(validations=validations, failurePolicy="Ignore") == ["still no"]


def test_conditions_choose_the_requests() -> None:
    never = [{"name": "n", "expression": "false"}]
    broken = [{"name": "b", "expression": "object.missing == 1"}]
    validations = [{"expression": "false"}]
    assert messages(validations=validations, matchConditions=never) == []
    assert messages(validations=validations, matchConditions=broken + never) == []
    assert messages(validations=validations, matchConditions=broken) == [
        "expression 'object.missing == 1' resulted in error: no such key: missing"
    ]
    assert messages(validations=validations, matchConditions=broken, failurePolicy="Ignore") == []


def test_variables_are_evaluated_when_they_are_needed() -> None:
    variables = [
        {"name": "names", "expression": "object.spec.containers.map(c, c.name)"},
        {"name": "first", "expression": "variables.names[0]"},
        {"name": "unused", "expression": "1 / 0"},
    ]
    assert messages(variables=variables, validations=[{"expression": "variables.first == 'web'"}]) == []
    assert messages(variables=variables, validations=[{"expression": "variables.unused == 1"}]) == [
        "expression 'variables.unused == 1' resulted in error: "
        'composited variable "unused" fails to evaluate: division by zero'
    ]
    (wrong,) = messages(variables=variables, validations=[{"expression": "variables.names == 'web'"}])
    assert "found no matching overload for '_==_' applied to '(list(dyn), string)'" in wrong


def test_audit_annotations() -> None:
    annotations = [
        {"key": "image", "valueExpression": "object.spec.containers[0].image"},
        {"key": "none", "valueExpression": "null"},
        {"key": "blank", "valueExpression": "' '"},
    ]
    (refused,) = messages(auditAnnotations=annotations)
    assert refused == "must evaluate to one of [string null_type] but got dyn"  # dyn is not certain to be either
    annotations[0]["valueExpression"] = "string(object.spec.containers[0].image)"
    assert decide(auditAnnotations=annotations).annotations == [("image", "nginx")]
    annotations[0]["valueExpression"] = "string(object.missing)"
    assert [failure.message for failure in decide(auditAnnotations=annotations).failures] == [
        "expression 'string(object.missing)' resulted in error: no such key: missing"
    ]


def mutate(*mutations: tuple[str, str]) -> dict[str, Any]:
    fields = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
    spec = {"mutations": [{"patchType": kind, fields[kind]: {"expression": text}} for kind, text in mutations]}
    policy = MutatingPolicy.of({"metadata": {"name": "m"}, "spec": spec})
    return policy.mutate(load("io.k8s.api.core.v1.Pod"), given(), Budget(1_000_000))


def test_mutations_follow_upon_each_other() -> None:
    add = 'Object{spec: Object.spec{containers: [Object.spec.containers{name: "side", image: "s"}]}}'
    label = '[JSONPatch{op: "add", path: "/metadata/labels/n", value: string(object.spec.containers.size())}]'
    new = mutate(("ApplyConfiguration", add), ("JSONPatch", label))
    assert [each["name"] for each in new["spec"]["containers"]] == ["web", "side"]
    assert new["metadata"]["labels"] == {"app": "web", "n": "2"}
    assert POD["metadata"]["labels"] == {"app": "web"}


@pytest.mark.parametrize(
    ("kind", "expression", "message"),
    [
        ("ApplyConfiguration", "Object{spec: Object.spec{nope: 1}}", "field not declared in schema"),
        (
            "ApplyConfiguration",
            'Object{spec: Object.spec{containers: [Object.spec.containers{name: "web", args: ["a"]}]}}',
            "may not mutate atomic arrays, maps or structs: .spec.containers[0].args",
        ),
        ("ApplyConfiguration", "[1]", "must evaluate to Object"),
        ("JSONPatch", "'x'", "must evaluate to list(JSONPatch)"),
        ("JSONPatch", '[JSONPatch{op: "remove", path: "/nope"}]', "error applying JSONPatch"),
    ],
)
def test_a_mutation_that_cannot_be_says_why(kind: str, expression: str, message: str) -> None:
    with pytest.raises(CelError) as raised:
        mutate((kind, expression))
    assert message in str(raised.value)


def test_warnings_are_for_the_types_that_the_rules_name() -> None:
    spec = {
        "matchConstraints": {"resourceRules": [{"apiGroups": ["*"], "apiVersions": ["v1"], "resources": ["pods"]}]},
        "validations": [{"expression": "object.spec.nope == 1"}],
    }
    assert warnings(spec, KINDS) == []
    spec["matchConstraints"]["resourceRules"][0]["apiGroups"] = [""]  # type: ignore[index]
    (warning,) = warnings(spec, KINDS)
    assert warning["warning"].startswith("v1, Kind=Pod: ERROR: <input>:1:12: undefined field 'nope'")
