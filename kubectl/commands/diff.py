"""`pytheas diff`: what apply would change, as the server says by a dry run."""

from __future__ import annotations

import argparse
import difflib
from typing import Any

from api.errors import NotFound
from kubectl.command import Command
from kubectl.commands.apply import difference
from kubectl.commands.create.files import LAST_APPLIED, with_last_applied
from kubectl.discovery import Resource
from kubectl.errors import CliError
from kubectl.manifest import Document
from kubectl.output.objects import without_managed_fields
from kubectl.output.yaml import dump
from kubectl.parser import Parser
from kubectl.selection import documents, file_arguments
from kubectl.serverside import Applier
from kubectl.session import Session

DRY = {"dryRun": "All", "fieldValidation": "Strict"}


def arguments(parser: Parser) -> None:
    file_arguments(parser)
    parser.flag("--server-side", help="what would a server-side apply change?")
    parser.flag("--force-conflicts", help="with --server-side: as if fields that others own were taken over")
    parser.add_argument("--field-manager", default="", metavar="NAME", help="with --server-side: who would apply")


def run(session: Session, args: argparse.Namespace) -> int:
    """0: no difference, 1: some, more than 1: an error."""
    if not args.filename:
        raise CliError("must specify one of -f and -k", code=2)
    different = False
    for resource, namespace, document in documents(session, args):
        live, merged = (_server_side if args.server_side else _both)(session, args, resource, namespace, document)
        name = f"{resource.prefix}/{document.name}"
        lines = list(difflib.unified_diff(_text(live), _text(merged), f"LIVE/{name}", f"MERGED/{name}", lineterm=""))
        different = different or bool(lines)
        for line in lines:
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
            session.terminal.print(session.terminal.paint(line, style))
    return 1 if different else 0


def _server_side(
    session: Session, args: argparse.Namespace, resource: Resource, namespace: str | None, document: Document
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    try:
        live = session.server.get(resource, namespace, document.name)
    except NotFound:
        live = None
    applier = Applier(session.server, args.field_manager, {**DRY, "force": args.force_conflicts or None})
    return live, applier.apply(resource, namespace, document)


def _both(
    session: Session, args: argparse.Namespace, resource: Resource, namespace: str | None, document: Document
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    modified = with_last_applied(document.obj)
    try:
        live = session.server.get(resource, namespace, document.name)
    except NotFound:
        return None, session.server.create(resource, namespace, modified, DRY)
    patch, kind = difference(modified, live)
    return live, session.server.patch(resource, namespace, document.name, patch, kind, DRY) if patch else live


def _text(obj: dict[str, Any] | None) -> list[str]:
    if obj is None:
        return []
    shown = without_managed_fields({**obj, "metadata": dict(obj["metadata"])})
    annotations = {k: v for k, v in (shown["metadata"].get("annotations") or {}).items() if k != LAST_APPLIED}
    shown["metadata"].pop("annotations", None)
    if annotations:
        shown["metadata"]["annotations"] = annotations
    return dump(shown).splitlines()


COMMAND = Command(
    usage="diff -f FILE [flags]",
    about="Show what apply would change. Exit code 0: nothing, 1: something, more: an error.",
    examples="  pytheas diff -f examples/hello.yaml",
    arguments=arguments,
    run=run,
)
