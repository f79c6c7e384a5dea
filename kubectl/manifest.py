"""The objects that `-f` names: files, folders, URLs, standard input; YAML or JSON, many to a file, also Lists."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubectl.errors import CliError

SUFFIXES = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class Document:
    """One object, and where it came from as messages name it."""

    obj: dict[str, Any]
    source: str

    @property
    def api_version(self) -> str:
        return str(self.obj["apiVersion"])

    @property
    def kind(self) -> str:
        return str(self.obj["kind"])

    @property
    def name(self) -> str:
        return str((self.obj.get("metadata") or {}).get("name") or "")

    @property
    def namespace(self) -> str:
        return str((self.obj.get("metadata") or {}).get("namespace") or "")


def load(paths: Sequence[str], recursive: bool = False) -> list[Document]:
    """Every object, in order. Raises CliError, naming the file and the line."""
    found = [document for path in paths for source, data in _read(path, recursive) for document in parse(data, source)]
    if not found:
        raise CliError("no objects passed to apply" if paths == ["-"] else f"no objects in {', '.join(paths)}")
    return found


def _read(path: str, recursive: bool) -> Iterator[tuple[str, bytes]]:
    if path == "-":
        yield "STDIN", sys.stdin.buffer.read()
    elif path.startswith(("http://", "https://")):
        yield path, _download(path)
    else:
        for file in _files(Path(path), recursive):
            try:
                yield str(file), file.read_bytes()
            except OSError as problem:
                raise CliError(f"cannot read {file}: {problem.strerror}") from problem


def _files(path: Path, recursive: bool) -> Iterable[Path]:
    if not path.exists():
        raise CliError(f'the path "{path}" does not exist')
    if not path.is_dir():
        return [path]
    inside = sorted(path.rglob("*") if recursive else path.glob("*"))
    files = [file for file in inside if file.is_file() and file.suffix in SUFFIXES]
    if not files:
        raise CliError(f"error reading [{path}]: recognized file extensions are [{' '.join(SUFFIXES)}]")
    return files


def _download(url: str) -> bytes:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            content: bytes = response.read()
            return content
    except urllib.error.HTTPError as problem:
        raise CliError(f'unable to read URL "{url}", server reported {problem.code} {problem.reason}') from problem
    except OSError as problem:
        raise CliError(f'unable to read URL "{url}": {problem}') from problem


def parse(data: bytes, source: str) -> Iterator[Document]:
    for value in _decode(data, source):
        if value is not None:
            yield from _flatten(value, source)


def _decode(data: bytes, source: str) -> Iterable[Any]:
    if data.lstrip()[:1] == b"{":
        try:
            return [json.loads(data)]
        except ValueError:
            pass  # several documents, or YAML's flow style: the YAML parser reads both and reports the line
    from api.codec import MalformedBody
    from api.yaml import documents

    try:
        found = list(documents(data))
    except MalformedBody as problem:
        raise CliError(f"error parsing {source}: {problem}") from problem
    repeated = _said_twice(data)
    if repeated:
        raise CliError(f"error parsing {source}: error converting YAML to JSON: yaml: {repeated[0]}")
    return found


def _said_twice(data: bytes) -> list[str]:
    """Keys that a mapping has twice: one of the two would be lost without a word."""
    from api.yaml import Loader

    loader = Loader(data)
    try:
        while loader.check_data():  # type: ignore[no-untyped-call]
            loader.get_data()
        return loader.duplicates
    finally:
        loader.dispose()


def _flatten(value: Any, source: str) -> Iterator[Document]:
    if not isinstance(value, dict):
        raise CliError(f'error validating "{source}": an object is expected, found {type(value).__name__}')
    missing = [f"{key} not set" for key in ("apiVersion", "kind") if not value.get(key)]
    if missing:
        what = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
        hint = "if you choose to ignore these errors, turn validation off with --validate=false"
        raise CliError(f'error validating "{source}": error validating data: {what}; {hint}')
    if str(value["kind"]).endswith("List") and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _flatten(item, source)
    else:
        yield Document(value, source)
