"""What the rollout commands share: their arguments, and the check that the kind has rollouts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.selection import Item, existing, file_arguments, selector_arguments
from kubectl.session import Session


def rollout_arguments(parser: Parser) -> None:
    parser.names("deployment NAME or deployment/NAME", "TYPE|NAME")
    file_arguments(parser)
    selector_arguments(parser, all_namespaces=False, fields=False)


def deployments(session: Session, args: argparse.Namespace, verb: str) -> Iterator[Item]:
    """The Deployments named. Raises CliError for a kind without rollouts."""
    if not args.names and not args.filename:
        raise CliError("required resource not specified")
    for item in existing(session, args):
        if (item.resource.group, item.resource.kind) != ("apps", "Deployment"):
            raise CliError(f"{item.resource.plural} {verb} is not supported: only deployments have rollouts here")
        yield item
