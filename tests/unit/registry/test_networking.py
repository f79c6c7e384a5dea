"""Ingresses, their classes, network policies, addresses and ranges: refusals, changes, statuses, rows."""

from __future__ import annotations

from typing import Any

import pytest

from apiserver.registry.columns import table_columns
from apiserver.registry.kind import Object
from tests.unit.registry.cases import Case, changed, ids, judged, refused
from tests.unit.registry.objects import plain
from tests.unit.registry.support import NOW, kind_of

RULE, PATH = "spec.rules[0]", "spec.rules[0].http.paths[0]"
AT = "spec.rules.0.http.paths.0"
LABEL = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
WILDCARD = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    r"regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
INGRESS: list[Case] = [
    ("spec.rules", None, ["spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"]),
    ("spec.rules.0.host", "10.0.0.1", [
        f'{RULE}.host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address']),
    ("spec.rules.0.host", "*.example.com", []),
    ("spec.rules.0.host", "a.*.com", [f'{RULE}.host: Invalid value: "a.*.com": {WILDCARD}']),
    ("spec.rules.0.http.paths", [], [f"{RULE}.http.paths: Required value"]),
    (f"{AT}.pathType", None, [f"{PATH}.pathType: Required value: pathType must be specified"]),
    (f"{AT}.pathType", "Fuzzy", [
        f'{PATH}.pathType: Unsupported value: "Fuzzy": supported values: "Exact", "ImplementationSpecific", "Prefix"']),
    (f"{AT}.path", "a", [f'{PATH}.path: Invalid value: "a": must be an absolute path']),
    (f"{AT}.path", "/a//b", [f"{PATH}.path: Invalid value: \"/a//b\": must not contain '//'"]),
    (f"{AT}.path", "/a/..", [f"{PATH}.path: Invalid value: \"/a/..\": cannot end with '/..'"]),
    (f"{AT}.backend", {}, [f'{PATH}.backend: Invalid value: "": resource or service backend is required']),
    (f"{AT}.backend.service.name", "A", [f'{PATH}.backend.service.name: Invalid value: "A": {LABEL}']),
    (f"{AT}.backend.service.port", {}, [f"{PATH}.backend: Required value: port name or number is required"]),
    (f"{AT}.backend.service.port.name", "http", [
        f'{PATH}.backend: Invalid value: "": cannot set both port name & port number']),
    (f"{AT}.backend.resource", {"kind": "A", "name": "b"}, [
        f'{PATH}.backend: Invalid value: "": cannot set both resource and service backends']),
    (f"{AT}.backend", {"resource": {}}, [
        f"{PATH}.backend.resource.kind: Required value: kind is required",
        f"{PATH}.backend.resource.name: Required value: name is required"]),
    ("metadata.annotations", {"kubernetes.io/ingress.class": "other"}, [
        'annotations.kubernetes.io/ingress.class: Invalid value: "other": must match `ingressClassName` when both are '
        "specified"]),
]  # fmt: skip
CLASS: list[Case] = [
    ("spec.controller", None, ["spec.controller: Required value"]),
    ("spec.controller", "web", [
        'spec.controller: Invalid value: "web": must be a domain-prefixed path (such as "acme.io/foo")']),
    ("spec.controller", "example.com/a b", [
        "spec.controller: Invalid value: \"a b\": Invalid path (regex used for validation is "
        r"'[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')"]),
    ("spec.parameters.namespace", "a", [
        "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"]),
    ("spec.parameters.scope", "Namespace", [
        "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"]),
    ("spec.parameters.scope", "World", [
        'spec.parameters.scope: Unsupported value: "World": supported values: "Cluster", "Namespace"']),
]  # fmt: skip
POLICY: list[Case] = [
    ("spec.ingress.0.ports.0.port", "http", [
        "spec.ingress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is non-numeric"]),
    ("spec.ingress.0.ports.0.port", None, [
        "spec.ingress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is not specified"]),
    ("spec.ingress.0.ports.0.endPort", 79, [
        "spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`"]),
    ("spec.ingress.0.ports.0.protocol", "ICMP", [
        'spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"']),
    ("spec.ingress.0.from.0", {}, ["spec.ingress[0].from[0]: Required value: must specify a peer"]),
    ("spec.ingress.0.from.1.podSelector", {}, [
        "spec.ingress[0].from[1]: Forbidden: may not specify both ipBlock and another peer"]),
    ("spec.ingress.0.from.1.ipBlock.except", ["11.0.0.0/16", "10.0.0.0/8"], [
        'spec.ingress[0].from[1].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
        'spec.ingress[0].from[1].ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`']),
    ("spec.policyTypes", ["Both"], [
        'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"']),
]  # fmt: skip
ADDRESS: list[Case] = [
    ("metadata.name", "10.96.00.1", [
        'metadata.name: Invalid value: "10.96.00.1": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']),
    ("metadata.name", "2001:DB8::1", [
        'metadata.name: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")']),
    ("spec.parentRef", None, ["spec.parentRef: Required value"]),
    ("spec.parentRef", {"namespace": "a/b"}, [
        "spec.parentRef.resource: Required value", "spec.parentRef.name: Required value",
        "spec.parentRef.namespace: Invalid value: \"a/b\": may not contain '/'"]),
]  # fmt: skip
RANGE: list[Case] = [
    ("spec.cidrs", [], ["spec.cidrs: Required value: at least one CIDR required"]),
    ("spec.cidrs", ["10.0.0.0/8", "11.0.0.0/8"], [
        'spec.cidrs: Invalid value: {"cidrs":["10.0.0.0/8","11.0.0.0/8"]}: may specify no more than one IP for each IP '
        "family, i.e 192.168.0.0/24 and 2001:db8::/96"]),
    ("spec.cidrs", ["x"], [
        'spec.cidrs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']),
]  # fmt: skip
REFUSED = [
    (name, *case)
    for name, cases in (
        ("ingress", INGRESS),
        ("ingressclass", CLASS),
        ("networkpolicy", POLICY),
        ("ipaddress", ADDRESS),
        ("servicecidr", RANGE),
    )
    for case in cases
]


@pytest.mark.parametrize(("name", "path", "value", "messages"), REFUSED, ids=ids(REFUSED))
def test_refused(name: str, path: str, value: Any, messages: list[str]) -> None:
    assert refused(name, path, value) == messages


CHANGES: list[tuple[str, str, Any, list[str]]] = [
    ("ingressclass", "spec.controller", "example.com/b", [
        'spec.controller: Invalid value: "example.com/b": field is immutable']),
    ("ingress", "spec.tls", None, []),
    ("ipaddress", "spec.parentRef.name", "b", [
        'spec.parentRef: Invalid value: {"name":"b","namespace":"default","resource":"services"}: field is immutable']),
    ("servicecidr", "spec.cidrs", ["10.98.0.0/24"], [
        'spec.cidrs[0]: Invalid value: "10.98.0.0/24": field is immutable']),
    ("servicecidr", "spec.cidrs", ["10.97.0.0/24", "2001:db8::/112"], []),
    ("servicecidr", "spec.cidrs", [], ["spec.cidrs: Invalid value: []: field is immutable"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "value", "messages"), CHANGES, ids=ids(CHANGES))
def test_changes(name: str, path: str, value: Any, messages: list[str]) -> None:
    assert changed(name, path, value) == messages


def test_the_status_of_an_ingress() -> None:
    points = [{"ip": "x"}, {"hostname": "10.0.0.1"}, {"ip": "10.0.0.1"}]
    at = "status.loadBalancer.ingress"
    assert judged("ingress", {"loadBalancer": {"ingress": points}}) == [
        f'{at}[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        f'{at}[1].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
    ]


def networking(kind: str, **fields: Any) -> Object:
    return {**plain(kind, **fields), "apiVersion": "networking.k8s.io/v1"}


ROWS: list[tuple[Object, list[Any]]] = [
    (networking("Ingress", spec={"rules": [{"host": f"{n}.a"} for n in range(5)], "tls": [{}]},
                status={"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}, {"hostname": "b"}]}}),
     ["it", "<none>", "0.a,1.a,2.a + 2 more...", "10.0.0.1,b", "80, 443"]),
    (networking("Ingress", spec={"defaultBackend": {}}), ["it", "<none>", "*", "", "80"]),
    (networking("IngressClass", spec={"controller": "a/b", "parameters": {"kind": "A", "name": "b"}}),
     ["it", "a/b", "A/b"]),
    (networking("NetworkPolicy", spec={"podSelector": {}}), ["it", "<none>"]),
    (networking("IPAddress", spec={"parentRef": {"group": "Apps", "resource": "Pods", "name": "b"}}),
     ["it", "pods.apps/b"]),
]  # fmt: skip


@pytest.mark.parametrize(("obj", "cells"), ROWS, ids=[str(n) for n in range(len(ROWS))])
def test_rows(obj: Object, cells: list[Any]) -> None:
    shown = [column.cell(obj, NOW) for column in table_columns(kind_of(obj)) if column.name != "Age"]
    assert shown == cells
