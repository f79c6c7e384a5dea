"""What the load generators share: how they are started, told where to go, and heard."""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from bench.plane import TOKEN
from bench.wire import Connection

DEADLINE = 120.0
"""No generator runs longer, whatever it was told."""


class Generator:
    """A load generator that runs in a process of its own."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._argv = [sys.executable, "-m", f"bench.load.{module}", *arguments]
        self._process = subprocess.Popen(self._argv, stdout=subprocess.PIPE)

    def result(self) -> dict[str, Any]:
        """Wait for its end; what it found out. Raises CalledProcessError, TimeoutExpired."""
        try:
            out, _ = self._process.communicate(timeout=DEADLINE + 30)
        finally:
            self._process.kill()
            self._process.wait()
        if self._process.returncode:
            raise subprocess.CalledProcessError(self._process.returncode, self._argv)
        found: dict[str, Any] = json.loads(out)
        return found


def generate(module: str, *arguments: str) -> dict[str, Any]:
    """Run a generator to its end; what it found out."""
    return Generator(module, *arguments).result()


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True, help="host:port")
    parser.add_argument("--ca", default="", help="the CA of the server's certificate; empty is plain HTTP")
    parser.add_argument("--cert", default="", help="a client certificate to show, instead of the token")
    parser.add_argument("--key", default="")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--count", type=int, default=1000)
    return parser


async def connect(options: argparse.Namespace) -> Connection:
    host, _, port = options.server.rpartition(":")
    tls = ssl.create_default_context(cafile=options.ca) if options.ca else None
    if tls and options.cert:
        tls.load_cert_chain(options.cert, options.key)
    return await Connection.open(host, int(port), tls, "" if options.cert else TOKEN)


def report(work: Callable[[], Coroutine[Any, Any, dict[str, Any]]]) -> None:
    """Do the work, within the deadline, and print what it found out."""

    async def bounded() -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE):
            return await work()

    print(json.dumps(uvloop.run(bounded())))
