"""`pytheas explain`: the fields of a kind and what they mean, from the server's own schema."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from kubectl.command import Command
from kubectl.discovery import Resource
from kubectl.errors import CliError
from kubectl.parser import Parser
from kubectl.session import Session

EXAMPLES = """
  pytheas explain deployment
  pytheas explain deploy.spec.strategy.rollingUpdate
  pytheas explain pod.spec --recursive
"""
Node = Mapping[str, Any]


def arguments(parser: Parser) -> None:
    parser.names("TYPE or TYPE.FIELD.FIELD…", "TYPE[.FIELD]")
    parser.flag("--recursive", help="all fields below, names and types only")


def run(session: Session, args: argparse.Namespace) -> int:
    if len(args.names) != 1:
        raise CliError('You must specify the type of resource to explain. Use "pytheas api-resources" for a list.')
    kind, *path = args.names[0].split(".")
    resource = session.catalog.find(kind)
    schemas = _schemas(session, resource)
    explainer = Explainer(schemas)
    node = _root(schemas, resource)
    found = explainer.walk(node, path)
    terminal = session.terminal
    if resource.group:
        terminal.print(f"GROUP:      {resource.group}")
    terminal.print(f"KIND:       {resource.kind}")
    terminal.print(f"VERSION:    {resource.version}\n")
    if path:
        terminal.print(f"FIELD: {path[-1]} <{explainer.type(found)}>\n\n")
    terminal.print("DESCRIPTION:")
    for line in _wrapped(explainer.description(found) or "<empty>", 4):
        terminal.print(line)
    lines = list(explainer.tree(found, 1) if args.recursive else explainer.fields(found))
    if lines:
        terminal.print("    \nFIELDS:")
        for line in lines:
            terminal.print(line)
    terminal.print()
    return 0


def _schemas(session: Session, resource: Resource) -> Mapping[str, Node]:
    index = session.server.call("GET", "/openapi/v3").get("paths") or {}
    place = f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
    if place not in index:
        raise CliError(f'couldn\'t find resource for "{resource.api_version}, Resource={resource.plural}"')
    url, _, query = index[place]["serverRelativeURL"].partition("?")
    document = session.server.call("GET", url, dict(part.split("=", 1) for part in query.split("&") if "=" in part))
    found: Mapping[str, Node] = document["components"]["schemas"]
    return found


def _root(schemas: Mapping[str, Node], resource: Resource) -> Node:
    wanted = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    for schema in schemas.values():
        if wanted in [dict(entry) for entry in schema.get("x-kubernetes-group-version-kind") or ()]:
            return schema
    raise CliError(f"the server publishes no schema of {resource.kind}")


def _reference(node: Node) -> str | None:
    """What a node refers to; a reference with a description of its own stands in an `allOf` of one."""
    parts: list[Node] = list(node.get("allOf") or [])
    found: str | None = node.get("$ref") or (parts[0].get("$ref") if len(parts) == 1 else None)
    return found


class Explainer:
    """Walks schemas, references resolved."""

    def __init__(self, schemas: Mapping[str, Node]) -> None:
        self._schemas = schemas

    def resolve(self, node: Node) -> Node:
        """The node that a reference names, or the node itself."""
        reference = _reference(node)
        return self._schemas[reference.rsplit("/", 1)[-1]] if reference else node

    def _inner(self, node: Node) -> Node:
        """What a list or a map holds, all the way in; else the node itself."""
        node = self.resolve(node)
        while True:
            inside = node.get("items") or node.get("additionalProperties")
            if not isinstance(inside, Mapping):
                return node
            node = self.resolve(inside)

    def walk(self, node: Node, path: list[str]) -> Node:
        for name in path:
            properties = self._inner(node).get("properties") or {}
            if name not in properties:
                raise CliError(f'field "{name}" does not exist')
            node = properties[name]
        return node

    def description(self, node: Node) -> str:
        """The field's own words, then its type's."""
        own, meant = node.get("description"), self._inner(node).get("description")
        return str(own if own and (not meant or own == meant) else f"{own}\n{meant}" if own else meant or "")

    def type(self, node: Node) -> str:
        resolved = self.resolve(node)
        if "items" in resolved:
            return f"[]{self.type(resolved['items'])}"
        if isinstance(resolved.get("additionalProperties"), Mapping):
            return f"map[string]{self.type(resolved['additionalProperties'])}"
        reference = _reference(node)
        if reference and resolved.get("type", "object") == "object":
            return str(reference.rsplit(".", 1)[-1])
        return str(resolved.get("type") or "Object") if resolved.get("type") != "object" else "Object"

    def _members(self, node: Node) -> Iterator[tuple[str, Node, bool]]:
        inner = self._inner(node)
        required = set(inner.get("required") or ())
        for name, child in sorted((inner.get("properties") or {}).items()):
            yield name, child, name in required

    def fields(self, node: Node) -> Iterator[str]:
        for name, child, required in self._members(node):
            yield f"  {name}\t<{self.type(child)}>{' -required-' if required else ''}"
            yield from _wrapped(str(child.get("description") or "<no description>"), 4)
            yield ""

    def tree(self, node: Node, level: int, above: tuple[str, ...] = ()) -> Iterator[str]:
        for name, child, required in self._members(node):
            kind = self.type(child)
            yield f"{'  ' * level}{name}\t<{kind}>{' -required-' if required else ''}"
            if kind not in above:  # a type within itself (JSONSchemaProps) would never end
                yield from self.tree(child, level + 1, (*above, kind))


def _wrapped(text: str, indent: int) -> Iterator[str]:
    pad = " " * indent
    for paragraph in text.split("\n"):
        yield from textwrap.wrap(
            paragraph, 80, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False, break_long_words=False
        ) or [""]


COMMAND = Command(
    usage="explain TYPE[.FIELD…] [flags]",
    about="Describe the fields of a kind.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
