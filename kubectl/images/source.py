"""Where an archive comes from: a file, standard input, or the Docker engine of this machine.

Its headers are read before anything is sent, and several nodes read it at once; what can't be read twice (a pipe, a
compressed file, what Docker streams) is put into a temporary file first.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

from kubectl.errors import CliError

PIECE = 1 << 20
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "lzma"))

Tell = Callable[[int], None]
"""Hears how many bytes have been fetched so far."""


@contextmanager
def opened(source: str, tell: Tell) -> Iterator[BinaryIO]:
    """The archive as a plain file that can be read anywhere. Raises CliError."""
    if source == "-":
        with _spooled(_plain(sys.stdin.buffer), tell) as file:
            yield file
    elif os.path.isfile(source):
        with _file(source) as given:
            if _compression(given) is None:
                yield given
                return
            with _spooled(_plain(given), tell) as file:
                yield file
    elif _looks_like_a_path(source):
        raise CliError(f"{source}: no such file")
    else:
        with _spooled(_saved(source), tell) as file:
            yield file


def _looks_like_a_path(source: str) -> bool:
    return source.startswith(("/", "./", "../", "~")) or source.endswith((".tar", ".gz", ".tgz"))


def _file(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as problem:
        raise CliError(f"{path}: {problem.strerror}") from problem


def _compression(file: BinaryIO) -> str | None:
    start = file.read(6)
    file.seek(0)
    return next((name for magic, name in _MAGIC if start.startswith(magic)), None)


def _plain(given: BinaryIO) -> Iterator[bytes]:
    """The content, decompressed if need be. Raises CliError."""
    import importlib

    start = given.peek(6) if hasattr(given, "peek") else b""
    kind = next((name for magic, name in _MAGIC if start.startswith(magic)), None)
    stream = cast(IO[bytes], importlib.import_module(kind).open(given)) if kind else given
    try:
        while piece := stream.read(PIECE):
            yield piece
    except (OSError, EOFError) as problem:
        raise CliError(f"the archive cannot be read: {problem}") from problem


def _saved(image: str) -> Iterator[bytes]:
    """An image of the local engine, as Docker saves it. Raises CliError."""
    import docker.errors
    import requests.exceptions
    from docker.api.client import APIClient
    from docker.utils import kwargs_from_env

    neither = f"{image} is no file"
    try:
        client: Any = APIClient(version="auto", **kwargs_from_env())
        try:
            yield from client.get_image(image, chunk_size=PIECE)
        finally:
            client.close()
    except docker.errors.NotFound as problem:
        raise CliError(f"{neither}, and Docker on this machine has no such image") from problem
    except (docker.errors.DockerException, requests.exceptions.RequestException) as problem:
        raise CliError(f"{neither}, and Docker on this machine can't give it: {problem}") from problem


@contextmanager
def _spooled(pieces: Iterable[bytes], tell: Tell) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile(prefix="pytheas-image-") as file:
        fetched = 0
        try:
            for piece in pieces:
                file.write(piece)
                fetched += len(piece)
                tell(fetched)
            file.flush()
        except OSError as problem:
            raise CliError(f"{tempfile.gettempdir()}: {problem.strerror}") from problem
        yield cast(BinaryIO, file)
