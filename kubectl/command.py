"""What a command is, and the flags that every command has."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl.parser import Parser

if TYPE_CHECKING:
    from kubectl.session import Session


@dataclass(frozen=True)
class Command:
    """One command: how it is called, what it is for, its own flags, and what it does (the result is the exit code)."""

    usage: str
    about: str
    run: Callable[[Session, argparse.Namespace], int]
    arguments: Callable[[Parser], None] = lambda parser: None
    examples: str = ""


GLOBAL_OPTIONS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("-n", "--namespace"), "NAME", "the namespace to work in (default: the context's)"),
    (("--context",), "NAME", "the kubeconfig context to use"),
    (
        ("--kubeconfig",),
        "FILE",
        "the kubeconfig (default: $KUBECONFIG, ~/.kube/config, /etc/pytheas/admin.conf)",
    ),
    (("-s", "--server"), "URL", "the API server's address"),
    (("--token",), "TOKEN", "a bearer token"),
    (("--certificate-authority",), "FILE", "the CA that signed the server's certificate"),
    (("--client-certificate",), "FILE", "a client certificate"),
    (("--client-key",), "FILE", "its key"),
    (("--request-timeout",), "TIME", "give up a single request after this long, e.g. 30s (default: never)"),
    (("-v", "--v"), "LEVEL", "6 and above: print each request"),
)
GLOBAL_FLAGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("--insecure-skip-tls-verify",), "do not check the server's certificate"),
    (("-h", "--help"), "show this help"),
)
VALUED = frozenset(name for names, _, _ in GLOBAL_OPTIONS for name in names)


def build_parser(path: str, command: Command) -> Parser:
    """The parser of a command: its own flags, then the global ones."""
    examples = f"Examples:\n{command.examples.strip(chr(10))}" if command.examples else None
    parser = Parser(f"pytheas {path}", usage=f"pytheas {command.usage}", description=command.about, epilog=examples)
    command.arguments(parser)
    group = parser.add_argument_group("global options")
    for names, metavar, help_text in GLOBAL_OPTIONS:
        group.add_argument(*names, metavar=metavar, help=help_text, default=None)
    for names, help_text in GLOBAL_FLAGS:
        parser.flag(*names, help=help_text, group=group)
    return parser
