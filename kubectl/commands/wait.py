"""`pytheas wait`: until a condition holds, an object is deleted or created, or a field has a value."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from api.errors import NotFound
from kubectl import durations
from kubectl.command import Command
from kubectl.errors import CliError
from kubectl.output.jsonpath import Template, relaxed, show
from kubectl.parser import Parser
from kubectl.progress import Progress
from kubectl.selection import Item, existing, file_arguments, selector_arguments
from kubectl.session import Session
from kubectl.targets import parse_targets
from kubectl.waiting import Deadline, Object, TimedOut, states

Test = Callable[[Object | None], bool]
EXAMPLES = """
  pytheas wait pod web-1 --for=condition=Ready --timeout=60s
  pytheas wait deploy/hello --for=condition=Available
  pytheas wait pod -l app=hello --for=delete
  pytheas wait pod web-1 --for=jsonpath='{.status.phase}'=Running
"""


def arguments(parser: Parser) -> None:
    parser.names("TYPE NAME…, TYPE/NAME…, or TYPE with -l or --all", "TYPE|NAME")
    parser.add_argument(
        "--for",
        dest="what",
        default="",
        metavar="WHAT",
        help="condition=NAME[=VALUE], delete, create, or jsonpath='{PATH}'[=VALUE]",
    )
    parser.add_argument("--timeout", default="30s", metavar="TIME", help="give up after this long; 0: look once")
    parser.flag("--all", help="all objects of the type in the namespace")
    selector_arguments(parser)
    file_arguments(parser)


def run(session: Session, args: argparse.Namespace) -> int:
    test = parse_condition(args.what)
    seconds = durations.parse(args.timeout)
    deadline = Deadline(seconds if seconds > 0 else 604800.0 if seconds < 0 else 0.001)
    failed = False
    for item in _items(session, args):
        try:
            if _wait(session, item, test, deadline):
                session.terminal.print(f"{item.label} condition met")
        except TimedOut as problem:
            failed = True
            session.terminal.complain(f"error: {problem.message} on {item.resource.plural}/{item.name}")
    return 1 if failed else 0


def _items(session: Session, args: argparse.Namespace) -> list[Item]:
    if args.what not in ("create", "delete"):
        found = list(existing(session, args))
        if not found:
            raise CliError("no matching resources found", prefix="error: ")
        return found
    if args.filename or not all(target.name for target in parse_targets(args.names, session.catalog)):
        try:
            return list(existing(session, args))
        except NotFound:
            return []
    return [
        Item(t.resource, session.namespace if t.resource.namespaced else None, t.name or "", {})
        for t in parse_targets(args.names, session.catalog)
    ]


def _wait(session: Session, item: Item, test: Test, deadline: Deadline) -> bool:
    """Whether there was something to wait for: what never was there needs no word."""
    seen = bool(item.obj)
    uid = (item.obj.get("metadata") or {}).get("uid")
    with Progress(session.terminal, f"waiting for {item.label}"):
        for state in states(session.server, item.resource, item.namespace, item.name, deadline):
            other = state is not None and uid is not None and state["metadata"]["uid"] != uid
            if test(None if other else state):
                return seen or state is not None
            seen = True
    return False


def parse_condition(text: str) -> Test:
    """The test for --for. Raises CliError for what it cannot be."""
    if text in ("delete", "create"):
        return (lambda obj: obj is None) if text == "delete" else (lambda obj: obj is not None)
    if text.startswith("condition="):
        name, _, value = text.removeprefix("condition=").partition("=")
        return lambda obj: has_condition(obj, name, value or "True")
    if text.startswith("jsonpath="):
        return _json_path_test(text.removeprefix("jsonpath="))
    raise CliError(
        f"unrecognized condition: {text!r}: write condition=NAME, delete, create or jsonpath='{{PATH}}'=VALUE"
    )


def has_condition(obj: Object | None, name: str, value: str) -> bool:
    """Whether the status has the condition; one that speaks of an earlier generation does not count."""
    if obj is None:
        return False
    generation = obj["metadata"].get("generation")
    status: dict[str, Any] = obj.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition["type"].lower() != name.lower():
            continue
        seen = condition.get("observedGeneration", status.get("observedGeneration"))
        if generation and seen is not None and seen < generation:
            return False
        return bool(condition["status"].lower() == value.lower())
    return False


def _json_path_test(text: str) -> Test:
    path, brace, rest = text.replace("}'", "}").replace('}"', "}").lstrip("'\"").partition("}")
    if not brace:
        path, equals, wanted = text.partition("=")
    else:
        path, equals, wanted = path + brace, rest[:1], rest[1:]
        if rest and equals != "=":
            raise CliError(f"jsonpath wait format must be --for=jsonpath='{{PATH}}'[=VALUE], got {text!r}")
    template = Template(relaxed(path.strip("'\"")))

    def test(obj: Object | None) -> bool:
        values = template.values(obj) if obj is not None else []
        return any(show(value) == wanted.strip("'\"") for value in values) if equals else bool(values)

    return test


COMMAND = Command(
    usage="wait (TYPE NAME… | TYPE/NAME… | TYPE -l LABELS | -f FILE) --for=WHAT [flags]",
    about="Wait for objects to reach a condition.",
    examples=EXAMPLES,
    arguments=arguments,
    run=run,
)
