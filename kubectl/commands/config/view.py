"""`pytheas config view`: the merged kubeconfig, its secrets left out."""

from __future__ import annotations

import argparse
from typing import Any

from kubectl.command import Command
from kubectl.commands.config.files import named, read
from kubectl.errors import CliError
from kubectl.output.objects import ObjectPrinter
from kubectl.parser import Parser
from kubectl.session import Session

HIDDEN = {
    "certificate-authority-data": "DATA+OMITTED",
    "client-certificate-data": "DATA+OMITTED",
    "client-key-data": "DATA+OMITTED",
    "token": "REDACTED",
    "password": "REDACTED",
}


def arguments(parser: Parser) -> None:
    parser.flag("--minify", help="only what the current context uses")
    parser.flag("--raw", help="with certificates, keys and tokens")
    parser.add_argument("-o", "--output", default="yaml", metavar="FORMAT", help="yaml, json or jsonpath=…")


def run(session: Session, args: argparse.Namespace) -> int:
    config = read(args)
    if args.minify:
        config = minified(config, args.context or config["current-context"])
    ObjectPrinter(session.terminal, args.output).print(config if args.raw else redacted(config), "config")
    return 0


def minified(config: dict[str, Any], context: str) -> dict[str, Any]:
    entry = named(config, "contexts", context)
    if entry is None:
        raise CliError(
            f'cannot locate context "{context}"' if context else "current-context must exist in order to minify"
        )
    keep = {"contexts": context, "clusters": entry["context"].get("cluster"), "users": entry["context"].get("user")}
    sections = {key: [e for e in config[key] if e.get("name") == name] for key, name in keep.items()}
    return {**config, **sections, "current-context": context}


def redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: HIDDEN.get(key, redacted(inner)) for key, inner in value.items()}
    return [redacted(item) for item in value] if isinstance(value, list) else value


COMMAND = Command(
    usage="config view [flags]",
    about="Show the kubeconfig in use, merged from its files.",
    arguments=arguments,
    run=run,
)
