"""What `create deployment`, `create configmap` and their like share: build an object, send it or only print it."""

from __future__ import annotations

import argparse
from typing import Any

from api.errors import AlreadyExists
from kubectl.discovery import Resource
from kubectl.errors import CliError
from kubectl.outcome import Outcome, outcome_arguments
from kubectl.parser import Parser
from kubectl.session import Session

Object = dict[str, Any]


def making_arguments(parser: Parser) -> None:
    parser.names("the name", "NAME")
    outcome_arguments(parser)
    parser.flag("--save-config", help="note the object in an annotation, as apply does")


def one_name(args: argparse.Namespace) -> str:
    if len(args.names) != 1:
        raise CliError(f"exactly one NAME is required, got {len(args.names)}")
    name: str = args.names[0]
    return name


def make(session: Session, args: argparse.Namespace, resource: Resource, obj: Object, done: str = "created") -> int:
    """Create the object and say so. Raises StatusError."""
    outcome = Outcome(session, args)
    if resource.namespaced and session.flags.namespace:
        obj["metadata"]["namespace"] = session.flags.namespace
    if getattr(args, "save_config", False):
        from kubectl.commands.create.files import with_last_applied

        obj = with_last_applied(obj)
    if not outcome.only_here:
        namespace = session.namespace if resource.namespaced else None
        try:
            obj = session.server.create(resource, namespace, obj, outcome.query(fieldValidation="Strict"))
        except AlreadyExists as error:
            if resource.plural == "namespaces" or done != "created":
                raise
            raise CliError(f"failed to create {resource.singular}: {error.message}") from error
    outcome.report(resource, obj["metadata"]["name"], obj, done)
    return 0


def key_value(text: str, flag: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise CliError(f"invalid {flag} value {text!r}, expected key=value")
    return key, value
