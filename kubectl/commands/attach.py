"""`pytheas attach`: the standard streams of a container's own process."""

from __future__ import annotations

import argparse
from typing import Any

from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.session import Session


def arguments(parser: Parser) -> None:
    parser.names("POD or TYPE/NAME", "POD")
    parser.add_argument("-c", "--container", default="", metavar="NAME", help="which container")
    parser.flag("-i", "--stdin", help="pass standard input on")
    parser.flag("-t", "--tty", help="with a terminal (with -i)")
    parser.flag("-q", "--quiet", help="print only what the container prints")


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.names) != 1:
        raise CliError(f"expected POD, TYPE/NAME, or TYPE NAME, got {len(args.names)} arguments: {args.names}")
    from kubectl.containers import choose
    from kubectl.pods import running_pod

    pod = running_pod(session, args.names[0], "attach to")
    container = choose(session, pod, args.container, quiet=args.quiet)
    return attach(session, pod, container, stdin=args.stdin, tty=args.tty, quiet=args.quiet)


def attach(session: Session, pod: dict[str, Any], container: str, *, stdin: bool, tty: bool, quiet: bool) -> int:
    from kubectl.kinds import POD
    from kubectl.server import object_path
    from kubectl.streams import console, remote

    has_tty = _has_tty(pod, container)
    if tty and not has_tty:
        session.terminal.complain(f"error: Unable to use a TTY - container {container} did not allocate one")
    tty = console.may_have_tty(session, stdin=stdin, wanted=tty and has_tty)
    if tty and not quiet:
        session.terminal.complain("If you don't see a command prompt, try pressing enter.")
    path = object_path(POD, pod["metadata"]["namespace"], pod["metadata"]["name"], "attach")
    with console.ends(session, stdin=stdin, tty_wanted=tty) as ends:
        query = remote.query_of(ends, container)
        if has_tty:  # it has one output only
            query = [pair for pair in query if pair[0] not in ("stderr", "tty")] + [("tty", "true")]
        return remote.run(session, path, query, ends)


def _has_tty(pod: dict[str, Any], container: str) -> bool:
    groups = ("containers", "initContainers", "ephemeralContainers")
    found = (each for group in groups for each in pod["spec"].get(group) or () if each["name"] == container)
    return any(each.get("tty") for each in found)


COMMAND = Command(
    usage="attach (POD | TYPE/NAME) [-c CONTAINER] [-it]",
    about="Watch, and with -i talk to, the process that a container runs.",
    examples="  pytheas attach web-1\n  pytheas attach -it web-1 -c shell",
    arguments=arguments,
    run=run,
)
