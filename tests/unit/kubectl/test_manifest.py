from __future__ import annotations

from pathlib import Path

import pytest

from kubectl.errors import CliError
from kubectl.manifest import load, parse

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


def names(paths: list[Path], recursive: bool = False) -> list[str]:
    return [document.name for document in load([str(path) for path in paths], recursive)]


def test_documents_lists_and_empty_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        MAP % "a"
        + "---\n# nothing\n---\n"
        + "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n"
    )
    assert names([path]) == ["a", "b"]


def test_json_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}')
    assert names([path]) == ["x"]


def test_folders_are_read_in_order_and_deeper_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.yml").write_text(MAP % "b")
    (tmp_path / "a.yaml").write_text(MAP % "a")
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "deep/c.yaml").write_text(MAP % "c")
    assert names([tmp_path]) == ["a", "b"]
    assert names([tmp_path], recursive=True) == ["a", "b", "c"]


def test_dates_and_octals_keep_their_text() -> None:
    document = next(iter(parse(b"apiVersion: v1\nkind: X\nmetadata: {name: a}\ndata: {d: 2026-11-22, m: 0644}\n", "x")))
    assert document.obj["data"] == {"d": "2026-11-22", "m": 420}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [\n", "error parsing x: error converting YAML to JSON: yaml: line 2"),
        ("kind: Pod\n", 'error validating "x": error validating data: apiVersion not set'),
        ("a: b\n", "[apiVersion not set, kind not set]"),
        ("- a\n", "an object is expected, found list"),
        ("apiVersion: v1\nkind: Pod\nkind: Pod\n", 'key "kind" already set in map'),
    ],
)
def test_bad_manifests_are_named(text: str, message: str) -> None:
    with pytest.raises(CliError) as problem:
        list(parse(text.encode(), "x"))
    assert message in str(problem.value)


def test_a_missing_file_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r'the path ".*/nope" does not exist'):
        names([tmp_path / "nope"])
    with pytest.raises(CliError, match="recognized file extensions are"):
        names([tmp_path])
