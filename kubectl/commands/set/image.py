"""`pytheas set image`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from api.errors import StatusError
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.outcome import Outcome, outcome_arguments
from kubectl.parser import Parser
from kubectl.selection import Item, existing, file_arguments, selector_arguments
from kubectl.session import Session

EXAMPLES = """
  pytheas set image deployment/hello hello=hello:2
  pytheas set image deploy hello '*=hello:2'          every container
"""


def arguments(parser: Parser) -> None:
    parser.names("TYPE NAME or TYPE/NAME, then CONTAINER=IMAGE…", "ARG")
    parser.flag("--all", help="all objects of the type in the namespace")
    selector_arguments(parser, all_namespaces=False, fields=False)
    file_arguments(parser)
    outcome_arguments(parser)


def run(session: Session, args: argparse.Namespace) -> int:
    names = [word for word in args.names if "=" not in word]
    images = dict(word.split("=", 1) for word in args.names if "=" in word)
    if not images:
        raise CliError("at least one image update is required")
    outcome = Outcome(session, args)
    for item in existing(session, args, names):
        try:
            _set(session, outcome, item, images)
        except (StatusError, CliError) as error:
            outcome.failure(error)
    return outcome.code


def _set(session: Session, outcome: Outcome, item: Item, images: dict[str, str]) -> None:
    spec, wrap = _pod_spec(item)
    changes = {
        field: found for field in ("initContainers", "containers") if (found := changed(spec.get(field) or (), images))
    }
    known = {c["name"] for field in ("initContainers", "containers") for c in spec.get(field) or ()}
    for name in images:
        if name != "*" and name not in known:
            raise CliError(f'unable to find container named "{name}"')
    if not changes:
        return  # as asked for already; kubectl says nothing either
    obj = item.obj
    if not outcome.only_here:
        obj = session.server.patch(
            item.resource, item.namespace, item.name, wrap(changes), "strategic", outcome.query()
        )
    outcome.report(item.resource, item.name, obj, "image updated")


def _pod_spec(item: Item) -> tuple[dict[str, Any], Any]:
    """The object's pod spec, and how to wrap a change of it into a patch of the object."""
    spec = item.obj.get("spec") or {}
    if "containers" in spec:
        return spec, lambda change: {"spec": change}
    if "template" in spec:
        return spec["template"]["spec"], lambda change: {"spec": {"template": {"spec": change}}}
    raise CliError(f"{item.label} has no containers")


def changed(containers: Sequence[dict[str, Any]], images: dict[str, str]) -> list[dict[str, str]]:
    """The containers whose image becomes another, as a strategic merge patch lists them."""
    found = []
    for container in containers:
        image = images.get(container["name"], images.get("*"))
        if image is not None and image != container.get("image"):
            found.append({"name": container["name"], "image": image})
    return found


COMMAND = Command(
    usage="set image (TYPE NAME | TYPE/NAME | -f FILE) CONTAINER=IMAGE… [flags]",
    about="Change the images of a pod template's containers.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
