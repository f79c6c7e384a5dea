"""Which form of an answer an Accept header asks for."""

from __future__ import annotations

import pytest

from api.errors import NotAcceptable
from apiserver.endpoints.negotiate import JSON, YAML, Form, form_of

TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("application/json", Form()),
        ("application/vnd.kubernetes.protobuf,application/json", Form()),
        ("text/html, application/json; q=0.5", Form()),
        ("application/yaml", Form(YAML)),
        (TABLE, Form(JSON, "Table", "v1")),
        ("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", Form(JSON, "PartialObjectMetadata", "v1")),
        ("application/json;as=Unknown;g=meta.k8s.io;v=v1,application/json", Form()),
        ("application/json;as=Table;g=other;v=v1,*/*", Form()),
    ],
)
def test_forms(accept: str, form: Form) -> None:
    assert form_of(accept) == form


@pytest.mark.parametrize("accept", ["text/html", "application/vnd.kubernetes.protobuf", "application/json;as=Table"])
def test_nothing_that_is_served(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="only the following media types are accepted"):
        form_of(accept)
