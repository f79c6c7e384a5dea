"""Admission policies and rules in CEL as the administrator meets them: the examples of Kubernetes' documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.harness.kubectl import Kubectl

DEPLOYMENTS = [
    {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}
]
CONFIGMAPS = [
    {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE", "DELETE"],
        "resources": ["configmaps"],
    }
]
REPLICA_LIMITS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: replicalimits.rules.example.com}
spec:
  group: rules.example.com
  names: {kind: ReplicaLimit, plural: replicalimits}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        x-kubernetes-validations:
        - rule: "self.maxReplicas >= self.minReplicas"
          messageExpression: "'%d is less than %d'.format([self.maxReplicas, self.minReplicas])"
        properties:
          maxReplicas: {type: integer}
          minReplicas: {type: integer, default: 0}
          owner:
            type: string
            x-kubernetes-validations:
            - {rule: self == oldSelf, message: owner is immutable, reason: FieldValueForbidden}
"""


def policy(name: str, rules: list[dict[str, Any]], validations: list[dict[str, Any]], **spec: Any) -> str:
    """The manifest of a policy."""
    body = {"matchConstraints": {"resourceRules": rules}, "validations": validations, **spec}
    return yaml.safe_dump(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": body,
        }
    )


def binding(name: str, actions: list[str], **spec: Any) -> str:
    """The manifest of a binding `<policy>-binding` in the namespaces labelled with the policy's name."""
    selector = {"namespaceSelector": {"matchLabels": {"policy": name}}}
    body = {"policyName": name, "validationActions": actions, "matchResources": selector, **spec}
    return yaml.safe_dump(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": f"{name}-binding"},
            "spec": body,
        }
    )


@pytest.fixture
def put(kubectl: Kubectl) -> Iterator[Any]:
    """Applies manifests, and deletes them after the test."""
    applied: list[str] = []

    def apply(*manifests: str) -> None:
        for manifest in manifests:
            applied.append(manifest)
            kubectl("apply", "-f", "-", stdin=manifest)

    yield apply
    for manifest in reversed(applied):
        kubectl("delete", "--ignore-not-found", "-f", "-", stdin=manifest)


def namespace(kubectl: Kubectl, name: str) -> Kubectl:
    """kubectl in a namespace of its own, labelled with the policy it is for."""
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, f"policy={name}")
    return Kubectl(kubectl.kubeconfig, name)


def test_a_policy_is_in_force_as_soon_as_it_is_bound(kubectl: Kubectl, put: Any) -> None:
    here = namespace(kubectl, "simple")
    put(policy("simple", DEPLOYMENTS, [{"expression": "object.spec.replicas <= 5"}]), binding("simple", ["Deny"]))
    said = here.fails("create", "deployment", "nginx", "--image=nginx", "--replicas=6")
    assert (
        "ValidatingAdmissionPolicy 'simple' with binding 'simple-binding' denied request: "
        "failed expression: object.spec.replicas <= 5" in said
    )
    here("create", "deployment", "nginx", "--image=nginx", "--replicas=5")
    said = here.fails("patch", "deployment", "nginx", "-p", '{"spec":{"replicas":6}}')
    assert said.startswith('The deployments "nginx" is invalid: ')
    kubectl("create", "deployment", "elsewhere", "--image=nginx", "--replicas=6")
    kubectl("delete", "validatingadmissionpolicybinding", "simple-binding")
    here("patch", "deployment", "nginx", "-p", '{"spec":{"replicas":6}}')


def test_a_policy_takes_its_limits_from_a_custom_resource(kubectl: Kubectl, put: Any) -> None:
    here = namespace(kubectl, "limited")
    put(REPLICA_LIMITS)
    kubectl("wait", "--for=condition=Established", "crd/replicalimits.rules.example.com", "--timeout=20s")
    limit = {"apiVersion": "rules.example.com/v1", "kind": "ReplicaLimit", "metadata": {"name": "limit"}}
    put(
        policy(
            "limited",
            DEPLOYMENTS,
            [{"expression": "object.spec.replicas <= params.maxReplicas", "reason": "Forbidden"}],
            paramKind={"apiVersion": "rules.example.com/v1", "kind": "ReplicaLimit"},
        ),
        binding("limited", ["Deny"], paramRef={"name": "limit", "parameterNotFoundAction": "Deny"}),
    )
    said = here.fails("create", "deployment", "web", "--image=nginx", "--replicas=2")
    assert "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction" in said
    here("create", "-f", "-", stdin=yaml.safe_dump({**limit, "maxReplicas": 3}))
    here("create", "deployment", "web", "--image=nginx", "--replicas=3")
    assert "failed expression: object.spec.replicas <= params.maxReplicas" in here.fails(
        "create", "deployment", "more", "--image=nginx", "--replicas=4"
    )
    here("patch", "replicalimit", "limit", "--type=merge", "-p", '{"maxReplicas": 4}')
    here("create", "deployment", "more", "--image=nginx", "--replicas=4")
    assert "limited   1             rules.example.com/v1/ReplicaLimit" in kubectl("get", "validatingadmissionpolicies")
    assert "limited-binding   limited      limit" in kubectl("get", "validatingadmissionpolicybindings")


def test_rules_of_a_custom_resource(kubectl: Kubectl, put: Any) -> None:
    put(REPLICA_LIMITS)
    kubectl("wait", "--for=condition=Established", "crd/replicalimits.rules.example.com", "--timeout=20s")
    limit = {"apiVersion": "rules.example.com/v1", "kind": "ReplicaLimit", "metadata": {"name": "ruled"}}
    said = kubectl.fails("create", "-f", "-", stdin=yaml.safe_dump({**limit, "maxReplicas": 1, "minReplicas": 2}))
    assert 'The ReplicaLimit "ruled" is invalid: <nil>: Invalid value: 1 is less than 2' in said
    put(yaml.safe_dump({**limit, "maxReplicas": 2, "owner": "me"}))
    said = kubectl.fails("patch", "replicalimit", "ruled", "--type=merge", "-p", '{"owner": "you"}')
    assert 'The ReplicaLimit "ruled" is invalid: owner: Forbidden: owner is immutable' in said
    wrong = REPLICA_LIMITS.replace("self.maxReplicas >=", "self.maxReplica >=").replace("replicalimits", "wronglimits")
    said = kubectl.fails("create", "-f", "-", stdin=wrong)
    assert "compilation failed: ERROR: <input>:1:5: undefined field 'maxReplica'" in said


def test_messages_variables_conditions_and_the_request(kubectl: Kubectl, put: Any) -> None:
    here = namespace(kubectl, "composed")
    put(
        policy(
            "composed",
            CONFIGMAPS,
            [
                {
                    "expression": "variables.level in ['low', 'high']",
                    "messageExpression": "request.userInfo.username + ' asked for level ' + variables.level + ' in '"
                    " + namespaceObject.metadata.name",
                },
                {
                    "expression": "authorizer.group('').resource('configmaps').namespace(request.namespace)"
                    ".check('delete').allowed()",
                    "message": "may not delete",
                },
            ],
            variables=[
                {"name": "labels", "expression": "object.metadata.?labels.orValue({})"},
                {"name": "level", "expression": "variables.labels[?'level'].orValue('low')"},
                {"name": "unused", "expression": "1 / 0"},
            ],
            matchConditions=[
                {"name": "not-deleted", "expression": "request.operation != 'DELETE'"},
                {"name": "not-exempt", "expression": "!object.metadata.name.startsWith('exempt-')"},
            ],
        ),
        binding("composed", ["Deny"]),
    )
    labelled = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"level": "odd"}}}
    assert "kubernetes-admin asked for level odd in composed" in here.fails(
        "create", "-f", "-", stdin=yaml.safe_dump(labelled)
    )
    here("create", "configmap", "plain")
    here("delete", "configmap", "plain")
    labelled["metadata"]["name"] = "exempt-a"  # type: ignore[index]
    here("create", "-f", "-", stdin=yaml.safe_dump(labelled))


def test_warnings_and_failures_of_expressions(kubectl: Kubectl, put: Any) -> None:
    here = namespace(kubectl, "warned")
    put(policy("warned", CONFIGMAPS, [{"expression": "object.data.size() < 2"}]), binding("warned", ["Warn", "Audit"]))
    said = here.run("create", "configmap", "two", "--from-literal=a=1", "--from-literal=b=2")
    assert said.code == 0
    assert (
        "Warning: Validation failed for ValidatingAdmissionPolicy 'warned' with binding 'warned-binding': "
        "failed expression: object.data.size() < 2" in said.err
    )
    put(binding("warned", ["Deny"]))
    said_of_none = here.fails("create", "configmap", "none")
    assert "expression 'object.data.size() < 2' resulted in error: no such key: data" in said_of_none
    put(policy("warned", CONFIGMAPS, [{"expression": "object.data.size() < 2"}], failurePolicy="Ignore"))
    here("create", "configmap", "none")
    here.fails("create", "configmap", "three", "--from-literal=a=1", "--from-literal=b=2")


def test_a_policy_that_cannot_be_is_refused(kubectl: Kubectl) -> None:
    wrong = policy("wrong", CONFIGMAPS, [{"expression": "object.metadata.name"}, {"expression": "objekt == 1"}])
    said = kubectl.fails("create", "-f", "-", stdin=wrong)
    assert 'spec.validations[0].expression: Invalid value: "object.metadata.name": must evaluate to bool' in said
    assert "compilation failed: ERROR: <input>:1:1: undeclared reference to 'objekt'" in said
    assert "request.userinfo" in kubectl.fails(
        "create", "-f", "-", stdin=policy("wrong", CONFIGMAPS, [{"expression": "request.userinfo == 'a'"}])
    )


def test_a_policys_status_says_what_its_expressions_get_wrong(kubectl: Kubectl, put: Any) -> None:
    put(
        policy("typed", DEPLOYMENTS, [{"expression": "object.spec.replicas > '1'"}, {"expression": "has(object.spec)"}])
    )
    status = kubectl.get("validatingadmissionpolicy", "typed")["status"]
    (warning,) = status["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression"
    assert warning["warning"].startswith(
        "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'"
    )


def test_a_policy_for_a_custom_kind_is_checked_against_its_schema(kubectl: Kubectl, put: Any) -> None:
    put(REPLICA_LIMITS)
    kubectl("wait", "--for=condition=Established", "crd/replicalimits.rules.example.com", "--timeout=20s")
    limits = {
        "apiGroups": ["rules.example.com"],
        "apiVersions": ["v1"],
        "operations": ["*"],
        "resources": ["replicalimits"],
    }
    put(
        policy(
            "custom",
            [limits],
            [{"expression": "object.maxReplicas.startsWith('x')"}, {"expression": "object.metadata.namespace == 'x'"}],
        )
    )
    status = kubectl.get("validatingadmissionpolicy", "custom")["status"]
    (warning,) = status["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression"
    assert "rules.example.com/v1, Kind=ReplicaLimit: ERROR: <input>:1:30: " in warning["warning"]


def test_a_policys_status_says_at_once_that_it_was_seen(kubectl: Kubectl, put: Any) -> None:
    put(policy("seen", CONFIGMAPS, [{"expression": "true"}]))
    put(policy("seen", CONFIGMAPS, [{"expression": "1 == 1"}]))
    found = kubectl.get("validatingadmissionpolicy", "seen")
    assert found["metadata"]["generation"] == found["status"]["observedGeneration"] == 2


def test_deletes_and_parameters_by_label(kubectl: Kubectl, put: Any) -> None:
    here = namespace(kubectl, "selected")
    for name, pattern in (("one", "keep-"), ("two", "hold-")):
        here("create", "configmap", name, f"--from-literal=prefix={pattern}")
        here("label", "configmap", name, "params=yes")
    put(
        policy(
            "selected",
            CONFIGMAPS,
            [
                {
                    "expression": "request.operation != 'DELETE' || "
                    "!oldObject.metadata.name.startsWith(params.data.prefix)",
                    "messageExpression": "'kept by ' + params.metadata.name",
                }
            ],
            paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        ),
        binding(
            "selected",
            ["Deny"],
            paramRef={"selector": {"matchLabels": {"params": "yes"}}, "parameterNotFoundAction": "Allow"},
        ),
    )
    for name in ("keep-a", "hold-a", "free"):
        here("create", "configmap", name)
    here("delete", "configmap", "free")
    assert "kept by one" in here.fails("delete", "configmap", "keep-a")
    assert "kept by two" in here.fails("delete", "configmap", "hold-a")
    here("delete", "configmap", "two")
    here("delete", "configmap", "hold-a")


def test_mutations_by_configuration_and_by_patch(kubectl: Kubectl, put: Any) -> None:
    here = namespace(kubectl, "mutated")
    sidecar = """
        Object{
          spec: Object.spec{
            template: Object.spec.template{
              spec: Object.spec.template.spec{
                initContainers: [
                  Object.spec.template.spec.initContainers{
                    name: "mesh",
                    image: "mesh/proxy:" + variables.version,
                    restartPolicy: "Always"
                  }
                ]
              }
            }
          }
        }
    """
    label = """
        [
          JSONPatch{op: "test", path: "/metadata/name", value: object.metadata.name},
          JSONPatch{
            op: "add", path: "/spec/template/metadata/labels/" + jsonpatch.escapeKey("example.com/mesh"), value: "on"
          }
        ]
    """
    mutations = [
        {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": sidecar}},
        {"patchType": "JSONPatch", "jsonPatch": {"expression": label}},
    ]
    spec = {
        "matchConstraints": {"resourceRules": DEPLOYMENTS},
        "variables": [{"name": "version", "expression": "'v1'"}],
        "matchConditions": [
            {
                "name": "once",
                "expression": "!object.spec.template.spec.?initContainers.orValue([]).exists(c, c.name == 'mesh')",
            }
        ],
        "mutations": mutations,
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
    }
    manifest = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "mutated"},
        "spec": spec,
    }
    bound = yaml.safe_load(binding("mutated", []))
    bound["kind"] = "MutatingAdmissionPolicyBinding"
    del bound["spec"]["validationActions"]
    put(yaml.safe_dump(manifest), yaml.safe_dump(bound))
    here("create", "deployment", "web", "--image=nginx")
    template = here.get("deployment", "web")["spec"]["template"]
    assert [each["image"] for each in template["spec"]["initContainers"]] == ["mesh/proxy:v1"]
    assert template["spec"]["initContainers"][0]["terminationMessagePolicy"] == "File"
    assert [each["name"] for each in template["spec"]["containers"]] == ["nginx"]
    assert template["metadata"]["labels"] == {"app": "web", "example.com/mesh": "on"}
    here("scale", "deployment", "web", "--replicas=2")
    assert len(here.get("deployment", "web")["spec"]["template"]["spec"]["initContainers"]) == 1
    atomic = 'Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {"a": "b"}}}}'
    spec["mutations"] = [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": atomic}}]
    put(yaml.safe_dump(manifest))
    assert (
        "policy 'mutated' with binding 'mutated-binding' denied request: error applying patch: invalid "
        "ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector"
    ) in here.fails("create", "deployment", "other", "--image=nginx")
