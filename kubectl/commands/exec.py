"""`pytheas exec`: run a command in a container."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.session import Session

EXAMPLES = """
  pytheas exec web-1 -- date                  run a command and show what it prints
  pytheas exec -it web-1 -- sh                a shell
  pytheas exec -i web-1 -c db -- psql < dump  with input from a file
  pytheas exec deploy/hello -- env            in a pod of a Deployment
"""


def arguments(parser: Parser) -> None:
    parser.names("POD or TYPE/NAME", "POD")
    parser.add_argument("-c", "--container", default="", metavar="NAME", help="which container")
    parser.flag("-i", "--stdin", help="pass standard input on")
    parser.flag("-t", "--tty", help="with a terminal (with -i)")
    parser.flag("-q", "--quiet", help="print only what the command prints")


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.names) > 1:
        raise CliError("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead")
    if not args.names:
        raise CliError("pod, type/name or --filename must be specified")
    if not args.after_dashes:
        raise CliError("you must specify at least one command for the container")
    from kubectl.containers import choose
    from kubectl.kinds import POD
    from kubectl.pods import running_pod
    from kubectl.server import object_path
    from kubectl.streams import console, remote

    pod = running_pod(session, args.names[0], "exec into")
    container = choose(session, pod, args.container, quiet=args.quiet)
    path = object_path(POD, pod["metadata"]["namespace"], pod["metadata"]["name"], "exec")
    tty = console.may_have_tty(session, stdin=args.stdin, wanted=args.tty)
    with console.ends(session, stdin=args.stdin, tty_wanted=tty) as ends:
        code = remote.run(session, path, remote.query_of(ends, container, args.after_dashes), ends)
    if code and not args.quiet:
        session.terminal.complain(f"command terminated with exit code {code}")
    return code


COMMAND = Command(
    usage="exec (POD | TYPE/NAME) [-c CONTAINER] [-it] -- COMMAND [ARG…]",
    about="Run a command in a container. Its exit code is the command's.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
