"""The flags by which a command's objects are chosen, and the objects themselves as the server has them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubectl.discovery import Resource
from kubectl.errors import CliError
from kubectl.manifest import Document
from kubectl.parser import Parser
from kubectl.session import Session


@dataclass(frozen=True)
class Item:
    """One object: its resource, where it lives, its name; `obj` as the server or the file has it, if it was read."""

    resource: Resource
    namespace: str | None
    name: str
    obj: dict[str, Any]
    source: str = ""

    @property
    def label(self) -> str:
        """`deployment.apps/web`."""
        return f"{self.resource.prefix}/{self.name}"


def file_arguments(parser: Parser) -> None:
    parser.add_argument(
        "-f", "--filename", action="append", default=[], metavar="FILE", help="a file, a folder, a URL, or - for stdin"
    )
    parser.flag("-R", "--recursive", help="look into the folders of a folder too")


def selector_arguments(parser: Parser, *, all_namespaces: bool = True, fields: bool = True) -> None:
    parser.add_argument(
        "-l", "--selector", default="", metavar="LABELS", help="only objects with these labels: a=b,c!=d,e"
    )
    if fields:
        parser.add_argument(
            "--field-selector",
            default="",
            metavar="FIELDS",
            help="only objects with these fields: status.phase=Running",
        )
    if all_namespaces:
        parser.flag("-A", "--all-namespaces", help="in every namespace")


def named_files(args: argparse.Namespace) -> list[str]:
    return [part for value in args.filename for part in ([value] if "://" in value else value.split(","))]


def documents(session: Session, args: argparse.Namespace) -> list[tuple[Resource, str | None, Document]]:
    """The objects of the files, with their resource and the namespace they go to."""
    from kubectl.manifest import load

    found = []
    for document in load(named_files(args), args.recursive):
        resource = resource_of(session, document)
        namespace = namespace_of(session, resource, document)
        if namespace and not document.namespace:
            document.obj.setdefault("metadata", {})["namespace"] = namespace
        found.append((resource, namespace, document))
    return found


def resource_of(session: Session, document: Document) -> Resource:
    resource = session.catalog.of(document.api_version, document.kind)
    if resource is None:
        raise CliError(
            f'resource mapping not found for name: "{document.name}" namespace: "{document.namespace}" from '
            f'"{document.source}": no matches for kind "{document.kind}" in version "{document.api_version}"\n'
            "ensure CRDs are installed first"
        )
    return resource


def namespace_of(session: Session, resource: Resource, document: Document) -> str | None:
    if not resource.namespaced:
        return None
    own = document.namespace
    if own and session.flags.namespace and own != session.flags.namespace:
        raise CliError(
            f'the namespace from the provided object "{own}" does not match the namespace "{session.flags.namespace}". '
            f"You must pass '--namespace={own}' to perform this operation."
        )
    return own or session.namespace


def existing(
    session: Session, args: argparse.Namespace, words: Sequence[str] | None = None, *, what: str = "resource"
) -> Iterator[Item]:
    """What is on the server of all that the words, selectors and files name."""
    if getattr(args, "filename", None):
        for resource, namespace, document in documents(session, args):
            obj = session.server.get(resource, namespace, document.name)
            yield Item(resource, namespace, document.name, obj, document.source)
        return
    from kubectl.targets import parse_targets

    targets = parse_targets(args.names if words is None else words, session.catalog)
    if not targets:
        raise CliError(
            f"You must provide one or more {what}s by argument or filename.\nExample resource specifications include:\n"
            "   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'"
        )
    for target in targets:
        namespace = session.namespace if target.resource.namespaced else None
        if target.name is not None:
            yield Item(
                target.resource, namespace, target.name, session.server.get(target.resource, namespace, target.name)
            )
        else:
            yield from _listed(session, args, target.resource, namespace)


def _listed(session: Session, args: argparse.Namespace, resource: Resource, namespace: str | None) -> Iterator[Item]:
    labels, fields = getattr(args, "selector", ""), getattr(args, "field_selector", "")
    if not (labels or fields or getattr(args, "all", False) or getattr(args, "any_number", False)):
        raise CliError("resource(s) were provided, but no name was specified")
    everywhere = getattr(args, "all_namespaces", False)
    query = {"labelSelector": labels, "fieldSelector": fields, "limit": 500}
    for obj in session.server.list(resource, None if everywhere else namespace, query).get("items") or ():
        obj.setdefault("apiVersion", resource.api_version)
        obj.setdefault("kind", resource.kind)
        metadata = obj["metadata"]
        yield Item(resource, metadata.get("namespace"), metadata["name"], obj)
