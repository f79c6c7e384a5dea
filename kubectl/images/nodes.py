"""The nodes that a command on images is about, and their kubelets' `/images` pages, asked several at once."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

from api.errors import StatusError
from kubectl.errors import CliError
from kubectl.kinds import NODE
from kubectl.parser import Parser
from kubectl.server import Object, Server, decode, object_path
from kubectl.session import Session
from kubectl.transport import Query

T = TypeVar("T")
AT_ONCE = 8


def node_arguments(parser: Parser) -> None:
    parser.add_argument("--node", action="append", default=[], metavar="NAME", help="only this node (may be repeated)")
    parser.flag("--all-nodes", help="all nodes (the default)")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS", help="only nodes with these labels: a=b,c!=d")


def chosen(session: Session, args: argparse.Namespace) -> list[Object]:
    """The Node objects. Raises CliError, StatusError."""
    if args.node and (args.all_nodes or args.selector):
        raise CliError("--node can be combined neither with --all-nodes nor with --selector")
    if args.node:
        return [session.server.get(NODE, None, name) for name in dict.fromkeys(args.node)]
    found: list[Object] = session.server.list(NODE, None, {"labelSelector": args.selector})["items"]
    if not found:
        raise CliError("no nodes found")
    return found


def name_of(node: Object) -> str:
    return str(node["metadata"]["name"])


def is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def on_each(
    nodes: Sequence[Object], work: Callable[[Object], T], interrupt: Callable[[], None] = lambda: None
) -> Iterator[tuple[str, T | Exception]]:
    """Run `work` for each node, several at once; as each ends, its name with the result or what went wrong.

    `interrupt` is called when the user has had enough: it ends the work that is under way.
    """
    if not nodes:
        return
    with ThreadPoolExecutor(min(AT_ONCE, len(nodes))) as threads:
        futures = {threads.submit(_on_ready, node, work): name_of(node) for node in nodes}
        try:
            for future in as_completed(futures):
                problem = future.exception()
                if problem is None:
                    yield futures[future], future.result()
                elif isinstance(problem, StatusError | CliError):
                    yield futures[future], problem
                else:
                    raise problem
        except KeyboardInterrupt:
            interrupt()
            threads.shutdown(cancel_futures=True)
            raise


def _on_ready(node: Object, work: Callable[[Object], T]) -> T:
    if not is_ready(node):
        raise CliError(f"node {name_of(node)} is not ready")
    return work(node)


def said(problem: Exception) -> str:
    """What went wrong, for a line that begins with the node's name."""
    return problem.message if isinstance(problem, CliError | StatusError) else str(problem)


class NodeImages:
    """One node's `/images` pages, through the API server. Each call has a connection of its own."""

    def __init__(self, server: Server, node: str) -> None:
        self._transport = server.transport
        self._path = f"{object_path(NODE, None, node)}/proxy/images"

    def present(self) -> list[Object]:
        with self._transport.open(self._path) as response:
            found: list[Object] = decode(_answer(response))["images"]
            return found

    def layers(self, chains: Sequence[str]) -> tuple[set[str], int | None]:
        """Which of the chains the node has, and how many bytes its disk has left (None if it doesn't know)."""
        body = json.dumps({"chains": chains}).encode()
        told = decode(self._transport.upload(f"{self._path}/layers", [body], len(body), "application/json"))
        return set(told["present"]), told.get("free")

    def load(self, body: Iterable[bytes], length: int) -> list[str]:
        """Send an archive; the names that Docker has loaded."""
        told = decode(self._transport.upload(f"{self._path}/load", body, length, "application/x-tar"))
        return [str(each) for each in told["loaded"]]

    def remove(self, name: str, force: bool) -> Object:
        query: Query = {"name": name, "force": force}
        with self._transport.open(self._path, query, method="DELETE") as response:
            told: Object = decode(_answer(response))
            return told


def _answer(response: Any) -> Any:
    from kubectl.transport import Answer

    return Answer(response.status, response.read())
