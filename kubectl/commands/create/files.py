"""`pytheas create -f`: make what files describe; an error for what is there already."""

from __future__ import annotations

import argparse
import json
from typing import Any

from api.errors import StatusError
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.outcome import Outcome, outcome_arguments
from kubectl.parser import Parser
from kubectl.selection import documents, file_arguments
from kubectl.session import Session

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

EXAMPLES = """
  pytheas create -f pod.yaml
  pytheas create namespace staging
  pytheas create deployment web --image=web:1 --replicas=3
  pytheas create configmap settings --from-literal=level=info --from-file=app.ini
"""


def arguments(parser: Parser) -> None:
    file_arguments(parser)
    outcome_arguments(parser)
    parser.flag("--save-config", help="note the object in an annotation, as apply does")
    parser.option(
        "--validate", bare="strict", default="strict", metavar="HOW", help="strict, warn or ignore unknown fields"
    )


def run(session: Session, args: argparse.Namespace) -> int:
    if not args.filename:
        raise CliError("must specify one of -f and -k\nSee 'pytheas create --help' for the kinds it makes from flags.")
    outcome = Outcome(session, args)
    for resource, namespace, document in documents(session, args):
        obj = with_last_applied(document.obj) if args.save_config else document.obj
        try:
            if not outcome.only_here:
                query = outcome.query(fieldValidation=field_validation(args.validate))
                obj = session.server.create(resource, namespace, obj, query)
            outcome.report(resource, obj["metadata"].get("name", ""), obj, "created")
        except StatusError as error:
            outcome.failure(error, f'error when creating "{document.source}"')
    return outcome.code


def field_validation(choice: str) -> str:
    """The server's parameter for --validate."""
    known = {"strict": "Strict", "true": "Strict", "warn": "Warn", "ignore": "Ignore", "false": "Ignore"}
    if choice.lower() not in known:
        raise CliError(f'invalid - validate option "{choice}"; must be strict, warn, ignore, true or false')
    return known[choice.lower()]


def with_last_applied(obj: dict[str, Any]) -> dict[str, Any]:
    """A copy that carries itself in the annotation from which the next apply tells what was removed."""
    copy = json.loads(json.dumps(obj))
    annotations = copy.setdefault("metadata", {}).get("annotations") or {}
    annotations.pop(LAST_APPLIED, None)
    copy["metadata"]["annotations"] = annotations
    text = json.dumps(copy, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    copy["metadata"]["annotations"] = annotations | {LAST_APPLIED: text}
    result: dict[str, Any] = copy
    return result


COMMAND = Command(
    usage="create -f FILE | create KIND NAME [flags]",
    about="Create objects from files, or one of a common kind from flags.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
