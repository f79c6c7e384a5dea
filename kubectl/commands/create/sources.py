"""The contents of a ConfigMap or Secret from literals, files, folders and env files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from kubectl.commands.create.making import key_value
from kubectl.errors import CliError
from kubectl.parser import Parser


def source_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--from-literal", action="append", default=[], metavar="KEY=VALUE", help="a key and its value; again for more"
    )
    parser.add_argument(
        "--from-file", action="append", default=[], metavar="[KEY=]PATH", help="a file, or each file of a folder"
    )
    parser.add_argument(
        "--from-env-file", action="append", default=[], metavar="PATH", help="a file of KEY=VALUE lines"
    )


def contents(args: argparse.Namespace) -> dict[str, bytes]:
    """Raises CliError for a key given twice and for files that cannot be read."""
    if args.from_env_file and (args.from_file or args.from_literal):
        raise CliError("from-env-file cannot be combined with from-file or from-literal")
    found: dict[str, bytes] = {}
    for key, value in _pairs(args):
        if key in found:
            raise CliError(f'cannot add key "{key}", another key by that name already exists')
        found[key] = value
    return found


def _pairs(args: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    for text in args.from_file:
        yield from _files(text)
    for text in args.from_literal:
        key, value = key_value(text, "--from-literal")
        yield key, value.encode()
    for text in args.from_env_file:
        for line in _read(Path(text)).decode().splitlines():
            stripped = line.lstrip()
            if stripped and not stripped.startswith("#"):
                key, value = key_value(stripped, "--from-env-file")
                yield key, value.encode()


def _files(text: str) -> Iterator[tuple[str, bytes]]:
    key, separator, rest = text.partition("=")
    path = Path(rest if separator else text)
    if path.is_dir():
        if separator:
            raise CliError("cannot give a key name for a directory path")
        for file in sorted(path.iterdir()):
            if file.is_file():
                yield file.name, _read(file)
    else:
        yield key if separator else path.name, _read(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise CliError(f"error reading {path}: {problem.strerror}") from problem
