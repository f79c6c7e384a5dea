"""Labels and annotations from words like `env=prod` and `old-`; the two commands differ in names only."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.errors import StatusError
from kubectl.errors import CliError
from kubectl.outcome import Outcome, outcome_arguments
from kubectl.parser import Parser
from kubectl.selection import Item, existing, file_arguments, selector_arguments
from kubectl.session import Session

_PAIR = re.compile(r"[^/=]+(/[^/=]+)?=.*|[^=]+-", re.DOTALL)


@dataclass(frozen=True)
class Vocabulary:
    field: str
    one: str
    added: str
    removed: str
    unchanged: str


def arguments(parser: Parser) -> None:
    parser.names("TYPE NAME… or TYPE/NAME…, then KEY=VALUE… and KEY-…", "ARG")
    parser.flag("--overwrite", help="replace values that are there")
    parser.flag("--all", help="all objects of the type in the namespace")
    parser.flag("--list", help="show what the objects have")
    parser.add_argument("--resource-version", default="", metavar="V", help="only if the object is at this version")
    selector_arguments(parser)
    file_arguments(parser)
    outcome_arguments(parser)


def split_words(words: Sequence[str], one: str) -> tuple[list[str], dict[str, str], list[str]]:
    """The words that name objects, the values to set, the keys to remove."""
    names: list[str] = []
    values: dict[str, str] = {}
    removed: list[str] = []
    for word in words:
        if _is_change(word, bool(values or removed)):
            key, equals, value = word.partition("=")
            if equals:
                values[key] = value
            else:
                removed.append(word[:-1])
        elif values or removed:
            raise CliError(f"all resources must be specified before {one} changes: {word}")
        else:
            names.append(word)
    both = sorted(set(values) & set(removed))
    if both:
        raise CliError(f"can not both modify and remove the following {one}(s) in the same command: {', '.join(both)}")
    return names, values, removed


def _is_change(word: str, after_another: bool) -> bool:
    return "=" in word or (word.endswith("-") and _PAIR.fullmatch(word) is not None) or (after_another and "=" in word)


def run(session: Session, args: argparse.Namespace, words: Vocabulary) -> int:
    outcome = Outcome(session, args)
    names, values, removed = split_words([*args.names, *args.after_dashes], words.one)
    if not values and not removed and not args.list:
        raise CliError(f"at least one {words.one} update is required")
    for item in existing(session, args, names):
        if args.list:
            _list(session, item, words)
            continue
        try:
            _change(session, args, outcome, item, values, removed, words)
        except (StatusError, CliError) as error:
            outcome.failure(error)
    return outcome.code


def _list(session: Session, item: Item, words: Vocabulary) -> None:
    for key, value in sorted((item.obj["metadata"].get(words.field) or {}).items()):
        session.terminal.print(f"{key}={value}")


def _change(
    session: Session,
    args: argparse.Namespace,
    outcome: Outcome,
    item: Item,
    values: dict[str, str],
    removed: list[str],
    words: Vocabulary,
) -> None:
    now = item.obj["metadata"].get(words.field) or {}
    if not args.overwrite:
        for key, value in values.items():
            if key in now and now[key] != value:
                raise CliError(f"'{key}' already has a value ({now[key]}), and --overwrite is false")
    for key in removed:
        if key not in now:
            session.terminal.print(f'{words.one} "{key}" not found.')
    new: dict[str, str | None] = {key: value for key, value in values.items() if now.get(key) != value}
    new |= {key: None for key in removed if key in now}
    obj = item.obj
    if new and not outcome.only_here:
        patch: dict[str, Any] = {"metadata": {words.field: new}}
        if args.resource_version:
            patch["metadata"]["resourceVersion"] = args.resource_version
        obj = session.server.patch(item.resource, item.namespace, item.name, patch, query=outcome.query())
    outcome.report(item.resource, item.name, obj, _done(new, words))


def _done(new: dict[str, str | None], words: Vocabulary) -> str:
    if not new:
        return words.unchanged
    return words.removed if all(value is None for value in new.values()) else words.added
