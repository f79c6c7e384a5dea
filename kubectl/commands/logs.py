"""`pytheas logs`: what the containers print; of one pod, of a Deployment's pod, of all pods with a label."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.errors import NotFound, StatusError
from kubectl import durations
from kubectl.command import Command
from kubectl.errors import CliError, status_message
from kubectl.kinds import POD
from kubectl.parser import Parser
from kubectl.pods import pods_of
from kubectl.server import object_path
from kubectl.session import Session

EXAMPLES = """
  pytheas logs web-1                          all that the pod's container printed
  pytheas logs web-1 -c sidecar -f --tail=20  the last 20 lines of one container, and on
  pytheas logs deploy/hello --since=5m
  pytheas logs -l app=hello --prefix -f       of all pods with a label
  pytheas logs web-1 -p                       of the container before the last restart
"""
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
Object = dict[str, Any]


@dataclass(frozen=True)
class Source:
    pod: str
    namespace: str
    container: str


def arguments(parser: Parser) -> None:
    parser.names("POD, TYPE/NAME, or POD CONTAINER", "POD")
    parser.flag("-f", "--follow", help="go on as new lines come")
    parser.flag("-p", "--previous", help="of the container that ran before this one")
    parser.add_argument("-c", "--container", default="", metavar="NAME", help="which container")
    parser.flag("--all-containers", help="all containers of the pod")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS", help="all pods with these labels")
    parser.add_argument("--tail", type=int, default=None, metavar="N", help="only the last lines (10 with -l); -1: all")
    parser.add_argument("--since", default="", metavar="TIME", help="only what is newer than this, e.g. 5m")
    parser.add_argument(
        "--since-time", default="", metavar="MOMENT", help="only what is newer than this moment (RFC 3339)"
    )
    parser.flag("--timestamps", help="each line with its time")
    parser.flag("--prefix", help="each line with its pod and container")
    parser.add_argument("--limit-bytes", type=int, default=0, metavar="N", help="at most so many bytes")
    parser.flag("--ignore-errors", help="go on with the other pods when one fails")
    parser.add_argument(
        "--max-log-requests", type=int, default=5, metavar="N", help="how many to follow at once with -l"
    )


def run(session: Session, args: argparse.Namespace) -> int:
    if args.since and args.since_time:
        raise CliError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    found = _sources(session, args)
    if args.follow and len(found) > args.max_log_requests:
        raise CliError(
            f"you are attempting to follow {len(found)} log streams, but maximum allowed concurrency is "
            f"{args.max_log_requests}, use --max-log-requests to increase the limit"
        )
    if args.follow and len(found) > 1:
        return _follow_all(session, args, found)
    for source in found:
        _copy(session, args, source, lambda piece: _write(session, piece))
    return 0


def _sources(session: Session, args: argparse.Namespace) -> list[Source]:
    if args.selector:
        if args.names:
            raise CliError("only a selector (-l) or a POD name is allowed")
        pods = session.server.list(POD, session.namespace, {"labelSelector": args.selector}).get("items") or []
        if not pods:
            session.terminal.complain(f"No resources found in {session.namespace} namespace.")
        return [source for pod in pods for source in _containers(session, args, pod)]
    if not args.names or len(args.names) > 2:
        raise CliError(
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for "
            "the logs command\nSee 'pytheas logs -h' for help and examples"
        )
    if len(args.names) == 2:
        args.container = args.names[1]
    return _containers(session, args, _pod(session, args.names[0]))


def _pod(session: Session, word: str) -> Object:
    kind, slash, name = word.partition("/")
    if not slash:
        return _named(session, word)
    resource = session.catalog.find(kind)
    if resource.plural == "pods" and not resource.group:
        return _named(session, name)
    pods = pods_of(session, session.server.get(resource, session.namespace, name), word)
    if len(pods) > 1:
        session.terminal.complain(f"Found {len(pods)} pods, using pod/{pods[0]['metadata']['name']}")
    return pods[0]


def _named(session: Session, name: str) -> Object:
    try:
        return session.server.get(POD, session.namespace, name)
    except NotFound as error:
        text = f'error from server (NotFound): {error.message} in namespace "{session.namespace}"'
        raise CliError(text) from error


def _containers(session: Session, args: argparse.Namespace, pod: Object) -> list[Source]:
    metadata = pod["metadata"]
    inits = [c["name"] for c in pod["spec"].get("initContainers") or ()]
    mains = [c["name"] for c in pod["spec"].get("containers") or ()]
    if args.all_containers:
        chosen = inits + mains
    elif args.container:
        if args.container not in inits + mains:
            raise CliError(
                f"container {args.container} is not valid for pod {metadata['name']} out of: {_choice(inits, mains)}"
            )
        chosen = [args.container]
    else:
        chosen = [(metadata.get("annotations") or {}).get(DEFAULT_CONTAINER) or mains[0]]
        if len(inits + mains) > 1:
            session.terminal.complain(f'Defaulted container "{chosen[0]}" out of: {_choice(inits, mains)}')
    return [Source(metadata["name"], metadata["namespace"], name) for name in chosen]


def _choice(inits: list[str], mains: list[str]) -> str:
    return ", ".join(mains + [f"{name} (init)" for name in inits])


def _query(args: argparse.Namespace, source: Source) -> dict[str, Any]:
    tail = args.tail if args.tail is not None else 10 if args.selector else -1
    return {
        "container": source.container,
        "follow": args.follow or None,
        "previous": args.previous or None,
        "timestamps": args.timestamps or None,
        "tailLines": tail if tail >= 0 else None,
        "sinceSeconds": max(1, round(durations.parse(args.since))) if args.since else None,
        "sinceTime": args.since_time,
        "limitBytes": args.limit_bytes or None,
    }


def _copy(session: Session, args: argparse.Namespace, source: Source, write: Callable[[bytes], None]) -> None:
    pieces = session.server.lines(object_path(POD, source.namespace, source.pod, "log"), _query(args, source))
    if not args.prefix:
        for piece in pieces:
            write(piece)
        return
    head = f"[pod/{source.pod}/{source.container}] ".encode()
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        write(b"".join(head + line + b"\n" for line in lines))
    if rest:
        write(head + rest + b"\n")


def _write(session: Session, piece: bytes) -> None:
    out = session.terminal.out
    buffer = getattr(out, "buffer", None)
    if buffer is None:
        out.write(piece.decode(errors="replace"))
    else:
        buffer.write(piece)
    out.flush()


def _follow_all(session: Session, args: argparse.Namespace, found: list[Source]) -> int:
    """One thread a container, whole lines only, so that no two lines mix."""
    lock = threading.Lock()
    failed: list[str] = []

    def follow(source: Source) -> None:
        rest = b""

        def write(piece: bytes) -> None:
            nonlocal rest
            whole, newline, tail = (rest + piece).rpartition(b"\n")
            rest = tail
            with lock:
                _write(session, whole + newline)

        try:
            _copy(session, args, source, write)
        except CliError as problem:
            failed.append(str(problem))
        except StatusError as problem:
            failed.append(status_message(problem))

    threads = [threading.Thread(target=follow, args=(source,), daemon=True) for source in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for message in failed:
        session.terminal.complain(message)
    return 1 if failed and not args.ignore_errors else 0


COMMAND = Command(
    usage="logs [-f] [-p] (POD | TYPE/NAME | -l LABELS) [-c CONTAINER] [flags]",
    about="Print what containers have written to their standard output and error.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
