"""`pytheas logs`: what the containers print; of one pod, of a Deployment's pod, of all pods with a label, of pods
that are no more."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from typing import Any

from api.errors import StatusError
from kubectl import durations
from kubectl.command import Command
from kubectl.errors import CliError, status_message
from kubectl.kinds import POD
from kubectl.logs.sources import Source, sources
from kubectl.parser import Parser
from kubectl.server import object_path
from kubectl.session import Session

EXAMPLES = """
  pytheas logs web-1                          all that the pod's container printed
  pytheas logs web-1 -c sidecar -f --tail=20  the last 20 lines of one container, and on, over its restarts
  pytheas logs deploy/hello --since=5m
  pytheas logs -l app=hello --prefix -f       of all pods with a label
  pytheas logs web-1 -p                       of the container before the last restart
  pytheas logs --deleted                      which logs are kept of pods that are gone
  pytheas logs --deleted deploy/hello         and what they are
"""
Write = Callable[[bytes], None]


def arguments(parser: Parser) -> None:
    parser.names("POD, TYPE/NAME, or POD CONTAINER", "POD")
    parser.flag("-f", "--follow", help="go on as new lines come, and over restarts of the container")
    parser.flag("-p", "--previous", help="of the container that ran before this one")
    parser.add_argument("-c", "--container", default="", metavar="NAME", help="which container")
    parser.flag("--all-containers", help="all containers of the pod")
    parser.flag("--all-pods", help="all pods of what is named, with --prefix")
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
    parser.flag("--insecure-skip-tls-verify-backend", help="let the server take any certificate of the kubelet")
    parser.flag("--deleted", help="what is kept of pods and containers that are gone")


def run(session: Session, args: argparse.Namespace) -> int:
    if args.since and args.since_time:
        raise CliError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if args.deleted:
        from kubectl.logs.deleted import show

        return show(session, args, query_of(args))
    found = sources(session, args)
    if args.follow and len(found) > args.max_log_requests:
        raise CliError(
            f"you are attempting to follow {len(found)} log streams, but maximum allowed concurrency is "
            f"{args.max_log_requests}, use --max-log-requests to increase the limit"
        )
    if args.follow and len(found) > 1:
        return _follow_all(session, args, found)
    failed = False
    for source in found:
        try:
            _copy(session, args, source, session.terminal.write_bytes)
        except StatusError as problem:
            if not args.ignore_errors:
                raise
            session.terminal.complain(status_message(problem))
            failed = True
    return 1 if failed and len(found) == 1 else 0


def query_of(args: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the request, but for the container."""
    tail = args.tail if args.tail is not None else 10 if args.selector else -1
    return {
        "follow": args.follow or None,
        "previous": args.previous or None,
        "timestamps": args.timestamps or None,
        "tailLines": tail if tail >= 0 else None,
        "sinceSeconds": max(1, round(durations.parse(args.since))) if args.since else None,
        "sinceTime": args.since_time,
        "limitBytes": args.limit_bytes or None,
        "insecureSkipTLSVerifyBackend": args.insecure_skip_tls_verify_backend or None,
    }


def _copy(session: Session, args: argparse.Namespace, source: Source, write: Write) -> None:
    query = {"container": source.container, **query_of(args)}
    lines = prefixed(write, source.prefix) if args.prefix else write
    if args.follow and not (args.previous or args.limit_bytes):
        from kubectl.logs.following import follow

        follow(session, source, query, lines)
    else:
        for piece in session.server.lines(object_path(POD, source.namespace, source.name, "log"), query):
            lines(piece)
    if args.prefix:
        lines(b"")


def prefixed(write: Write, head: bytes) -> Write:
    """Writes whole lines with something before each. An empty piece is the end: a last line may have none."""
    rest = b""

    def take(piece: bytes) -> None:
        nonlocal rest
        *lines, rest = (rest + piece).split(b"\n")
        if not piece and rest:
            lines, rest = [rest], b""
        if lines:
            write(b"".join(head + line + b"\n" for line in lines))

    return take


def _follow_all(session: Session, args: argparse.Namespace, found: list[Source]) -> int:
    """One thread a container, whole lines only, so that no two lines mix."""
    lock = threading.Lock()
    failed: list[str] = []

    def follow(source: Source) -> None:
        def write(piece: bytes) -> None:
            with lock:
                session.terminal.write_bytes(piece)

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
