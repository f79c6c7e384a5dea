"""`pytheas port-forward`: local ports that lead into a pod."""

from __future__ import annotations

import argparse

from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.session import Session

EXAMPLES = """
  pytheas port-forward web-1 8080:80           local port 8080 leads to the pod's port 80
  pytheas port-forward svc/hello :http         any free port to the Service's port named http
  pytheas port-forward deploy/db 5432 9187     two ports at once
  pytheas port-forward --address 0.0.0.0 web-1 8080:80
"""


def arguments(parser: Parser) -> None:
    parser.names("POD or TYPE/NAME, then [LOCAL:]REMOTE ports", "WORD")
    parser.add_argument(
        "--address", action="append", default=[], metavar="LIST", help="where to listen (default: localhost)"
    )


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.names) < 2:
        raise CliError("TYPE/NAME and list of ports are required for port-forward")
    import asyncio

    from kubectl.kinds import POD
    from kubectl.pods import pods_of
    from kubectl.server import object_path
    from kubectl.streams.forwarding import Forwarder
    from kubectl.streams.ports import parse

    kind, slash, name = args.names[0].partition("/")
    resource = session.catalog.find(kind) if slash else POD
    owner = session.server.get(resource, session.namespace, name if slash else kind)
    service = owner if (resource.plural, resource.group) == ("services", "") else None
    pod = owner if (resource.plural, resource.group) == ("pods", "") else pods_of(session, owner, args.names[0])[0]
    phase = (pod.get("status") or {}).get("phase")
    if phase != "Running":
        raise CliError(f"unable to forward port because pod is not running. Current status={phase}")
    pairs = [parse(word, pod, service) for word in args.names[1:]]
    path = object_path(POD, pod["metadata"]["namespace"], pod["metadata"]["name"], "portforward")

    def say(text: str) -> None:
        session.terminal.print(text)
        session.terminal.flush()

    asyncio.run(Forwarder(session, path, pairs, addresses(args.address), say).run())
    return 0


def addresses(given: list[str]) -> list[str]:
    """`localhost` is both of its addresses."""
    words = [word for each in given or ["localhost"] for word in each.split(",") if word]
    return [address for word in words for address in (("127.0.0.1", "::1") if word == "localhost" else (word,))]


COMMAND = Command(
    usage="port-forward (POD | TYPE/NAME) [LOCAL:]REMOTE… [--address LIST]",
    about="Let local ports lead to ports of a pod, until the pod goes or an interrupt.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
