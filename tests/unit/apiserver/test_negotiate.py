"""Which form of an answer an Accept header asks for."""

from __future__ import annotations

import pytest

from api.codec import JSON, PROTOBUF, YAML
from api.errors import NotAcceptable
from apiserver.endpoints.negotiate import Form, form_of

TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
PARTIAL = "as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
GO = "application/vnd.kubernetes.protobuf,application/json"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("application/*", Form()),
        ("application/json", Form()),
        ("application/json;charset=utf-8", Form()),
        ("application/json;stream=watch", Form()),
        ("Application/JSON", Form()),
        (GO, Form(PROTOBUF)),
        ("application/cbor,application/vnd.kubernetes.protobuf", Form(PROTOBUF)),
        ("application/yaml", Form(YAML)),
        ("*/*, application/yaml", Form(YAML)),
        ("application/json;q=0.5, application/yaml;q=0.9", Form(YAML)),
        ("application/yaml;q=0, application/json;q=0.1", Form()),
        ("application/json;pretty=1", Form(pretty=True)),
        (BROWSER, Form(pretty=True)),
        (TABLE, Form(JSON, "Table", "v1")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Form(JSON, "Table", "v1beta1")),
        ("application/yaml;as=Table;v=v1;g=meta.k8s.io", Form(YAML, "Table", "v1")),
        (f"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,{TABLE}", Form(JSON, "Table", "v1")),
        (f"application/json;{PARTIAL}", Form(JSON, "PartialObjectMetadata", "v1")),
        (f"{PROTOBUF};{PARTIAL}", Form(PROTOBUF, "PartialObjectMetadata", "v1")),
        ("application/json;as=Unknown;g=meta.k8s.io;v=v1,application/json", Form()),
        ("application/json;as=Table;g=other;v=v1,*/*", Form()),
    ],
)
def test_forms(accept: str, form: Form) -> None:
    assert form_of(accept) == form


def test_custom_kinds_have_metadata_in_protobuf_and_nothing_else() -> None:
    assert form_of(GO, messages=False) == Form()
    assert form_of(f"{PROTOBUF};{PARTIAL}", messages=False) == Form(PROTOBUF, "PartialObjectMetadata", "v1")
    with pytest.raises(NotAcceptable, match=r"accepted: application/json, application/yaml\Z"):
        form_of(PROTOBUF, messages=False)


def test_no_watch_is_written_as_yaml() -> None:
    assert form_of("application/yaml,application/json", stream=True) == Form()
    with pytest.raises(NotAcceptable, match=r"accepted: application/json, application/vnd\.kube"):
        form_of("application/yaml", stream=True)


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/cbor",
        "application/json;as=Table",
        "application/json;q=0",
        "application/json;stream=other",
        "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io",
    ],
)
def test_nothing_that_is_served(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="accepted: application/json, application/yaml, application/vnd"):
        form_of(accept)
