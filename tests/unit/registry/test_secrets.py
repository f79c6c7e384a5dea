"""Secrets that hold docker's configuration, and the accounts that name secrets."""

from __future__ import annotations

import base64

import pytest

from tests.unit.registry.objects import plain
from tests.unit.registry.support import create, update

AT = 'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": '


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"auths":{}}', ""),
        ("null", ""),
        ("", "unexpected end of JSON input"),
        ("{oops", "invalid character 'o' looking for beginning of value"),
        ("[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("1", "json: cannot unmarshal number into Go value of type map[string]interface {}"),
    ],
)
def test_docker_configurations(text: str, why: str) -> None:
    data = {".dockerconfigjson": base64.b64encode(text.encode()).decode()}
    found = create(plain("Secret", type="kubernetes.io/dockerconfigjson", data=data))[1]
    assert found == ([AT + why] if why else [])


def test_an_account_keeps_only_the_names_of_its_secrets() -> None:
    account = plain("ServiceAccount", secrets=[{"name": "a", "namespace": "b", "kind": "Secret"}, {"namespace": "c"}])
    stored, errors = create(account)
    assert not errors
    assert stored["secrets"] == [{"name": "a"}, {}]
    assert update(account, stored)[0]["secrets"] == stored["secrets"]
