"""From the words and flags of `pytheas logs` to the containers whose logs are meant."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from api.errors import NotFound
from kubectl.containers import choose
from kubectl.errors import CliError
from kubectl.kinds import POD
from kubectl.pods import pods_of
from kubectl.session import Session

Object = dict[str, Any]


@dataclass(frozen=True)
class Source:
    pod: Object
    container: str

    @property
    def name(self) -> str:
        return str(self.pod["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.pod["metadata"]["namespace"])

    @property
    def prefix(self) -> bytes:
        return f"[pod/{self.name}/{self.container}] ".encode()


def sources(session: Session, args: argparse.Namespace) -> list[Source]:
    """Raises CliError, StatusError."""
    if args.selector:
        if args.names:
            raise CliError("only a selector (-l) or a POD name is allowed")
        pods = session.server.list(POD, session.namespace, {"labelSelector": args.selector}).get("items") or []
        if not pods:
            session.terminal.complain(f"No resources found in {session.namespace} namespace.")
        return [source for pod in pods for source in of_pod(session, args, pod)]
    if not args.names or len(args.names) > 2:
        raise CliError(
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for "
            "the logs command\nSee 'pytheas logs -h' for help and examples"
        )
    if len(args.names) == 2:
        args.container = args.names[1]
    return [source for pod in _pods(session, args, args.names[0]) for source in of_pod(session, args, pod)]


def _pods(session: Session, args: argparse.Namespace, word: str) -> list[Object]:
    kind, slash, name = word.partition("/")
    if not slash:
        return [named(session, word)]
    resource = session.catalog.find(kind)
    if resource.plural == "pods" and not resource.group:
        return [named(session, name)]
    pods = pods_of(session, session.server.get(resource, session.namespace, name), word)
    if args.all_pods:
        args.prefix = True
        return pods
    if len(pods) > 1:
        session.terminal.complain(f"Found {len(pods)} pods, using pod/{pods[0]['metadata']['name']}")
    return pods[:1]


def named(session: Session, name: str) -> Object:
    try:
        return session.server.get(POD, session.namespace, name)
    except NotFound as error:
        text = f'error from server (NotFound): {error.message} in namespace "{session.namespace}"'
        raise CliError(text) from error


def of_pod(session: Session, args: argparse.Namespace, pod: Object) -> list[Source]:
    if args.all_containers:
        order = ("initContainers", "containers", "ephemeralContainers")
        return [Source(pod, each["name"]) for group in order for each in pod["spec"].get(group) or ()]
    return [Source(pod, choose(session, pod, args.container))]
