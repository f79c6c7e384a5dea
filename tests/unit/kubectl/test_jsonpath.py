from __future__ import annotations

from typing import Any

import pytest

from kubectl.errors import CliError
from kubectl.output.columns import CustomColumns
from kubectl.output.jsonpath import Template, relaxed

POD: dict[str, Any] = {
    "metadata": {"name": "web", "labels": {"app": "web", "app.kubernetes.io/name": "w"}},
    "spec": {"containers": [{"name": "a", "image": "a:1", "port": 1}, {"name": "b", "image": "b:2", "port": 2}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.metadata.name}", "web"),
        ("{$.metadata.name}", "web"),
        ("{@.metadata.name}", "web"),
        ("{.spec.containers[*].name}", "a b"),
        ("{.spec.containers[0].name}", "a"),
        ("{.spec.containers[-1].name}", "b"),
        ("{.spec.containers[-1:].name}", "b"),
        ("{.spec.containers[0:2].name}", "a b"),
        ("{.spec.containers[0,1].name}", "a b"),
        ('{.status.conditions[?(@.type=="Ready")].status}', "True"),
        ("{.status.conditions[?(@.type!='Ready')].status}", "False"),
        ("{.spec.containers[?(@.port>1)].name}", "b"),
        ("{.spec.containers[?(@.port)].name}", "a b"),
        (r"{.metadata.labels.app\.kubernetes\.io/name}", "w"),
        ("{.metadata.labels['app\\.kubernetes\\.io/name']}", "w"),
        ('{.metadata.labels["app.kubernetes.io/name"]}', "w"),
        ("{..image}", "a:1 b:2"),
        ('{range .spec.containers[*]}{.name}{"\\t"}{.image}{"\\n"}{end}', "a\ta:1\nb\tb:2\n"),
        ("name={.metadata.name}!", "name=web!"),
        ("{.metadata.nope}", ""),
        ("{.spec.containers[0]}", '{"image":"a:1","name":"a","port":1}'),
        ("{.metadata['name','labels']}", 'web {"app":"web","app.kubernetes.io/name":"w"}'),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert Template(template).render(POD) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{.metadata", "unclosed action"),
        ("{range .items[*]}{.x}", "unterminated range"),
        ("{end}", "not in range"),
        ("{.items[x]}", "invalid array index x"),
        ("{.items[?(@.a==", "unclosed action"),
        ("{.a b}", "unrecognized character"),
    ],
)
def test_what_does_not_parse_says_why(template: str, message: str) -> None:
    with pytest.raises(CliError, match=message):
        Template(template)


def test_an_index_outside_of_the_list_is_an_error() -> None:
    with pytest.raises(CliError, match="array index out of bounds: index 5, length 2"):
        Template("{.spec.containers[5].name}").render(POD)


@pytest.mark.parametrize("text", [".metadata.name", "metadata.name", "{.metadata.name}", "{metadata.name}"])
def test_relaxed_paths(text: str) -> None:
    assert relaxed(text) == "{.metadata.name}"


def test_custom_columns() -> None:
    columns = CustomColumns.from_spec("NAME:.metadata.name,IMAGES:.spec.containers[*].image,X:.nope,L:.metadata.labels")
    assert columns.lines([POD]) == [
        "NAME   IMAGES    X        L",
        "web    a:1,b:2   <none>   map[app:web app.kubernetes.io/name:w]",
    ]
    assert columns.lines([POD])[0].startswith("web    a:1,b:2")


@pytest.mark.parametrize(
    ("spec", "message"), [("", "no custom columns"), ("NAME", "expected <header>:<json-path-expr>")]
)
def test_bad_custom_columns(spec: str, message: str) -> None:
    with pytest.raises(CliError, match=message):
        CustomColumns.from_spec(spec)
