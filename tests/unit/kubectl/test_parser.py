from __future__ import annotations

import pytest

from kubectl.errors import CliError
from kubectl.main import command_words
from kubectl.parser import Parser


@pytest.fixture
def parser() -> Parser:
    parser = Parser("pytheas test")
    parser.names("things")
    parser.flag("--wait", default=True, help="wait")
    parser.flag("-f", "--follow", help="follow")
    parser.option("--dry-run", bare="client", default="none", help="dry run")
    parser.add_argument("-n", "--namespace", default="", help="namespace")
    parser.add_argument("-l", "--selector", default="", help="labels")
    parser.add_argument("--tail", type=int, default=-1, help="lines")
    return parser


def test_flags_may_stand_between_the_names(parser: Parser) -> None:
    args = parser.parse(["pod", "-n", "x", "a", "--wait=false", "b"])
    assert (args.names, args.namespace, args.wait) == (["pod", "a", "b"], "x", False)


@pytest.mark.parametrize(
    ("words", "wait"), [([], True), (["--wait"], True), (["--wait=true"], True), (["--wait=false"], False)]
)
def test_booleans(parser: Parser, words: list[str], wait: bool) -> None:
    assert parser.parse(words).wait is wait


def test_short_booleans_take_a_value_too(parser: Parser) -> None:
    assert parser.parse(["-f"]).follow
    assert not parser.parse(["-f=false"]).follow


@pytest.mark.parametrize(
    ("words", "value"), [([], "none"), (["--dry-run"], "client"), (["--dry-run=server"], "server")]
)
def test_a_bare_flag_has_its_value_and_leaves_the_next_word_alone(parser: Parser, words: list[str], value: str) -> None:
    args = parser.parse([*words, "name"])
    assert (args.dry_run, args.names) == (value, ["name"])


def test_values_may_be_glued_or_negative(parser: Parser) -> None:
    args = parser.parse(["-lapp=x", "--tail", "-1", "-n=y"])
    assert (args.selector, args.tail, args.namespace) == ("app=x", -1, "y")


def test_words_after_two_dashes_are_kept_apart(parser: Parser) -> None:
    args = parser.parse(["a", "--", "sleep", "-x"])
    assert (args.names, args.after_dashes) == (["a"], ["sleep", "-x"])


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--bogus"], "unknown flag: --bogus"), (["--wait=maybe"], 'invalid argument "maybe" for "--wait" flag')],
)
def test_mistakes_are_told_in_kubectls_words(parser: Parser, words: list[str], message: str) -> None:
    with pytest.raises(CliError, match=message):
        parser.parse(words)


@pytest.mark.parametrize(
    ("words", "positions"),
    [
        (["get", "pods"], [0, 1]),
        (["-n", "x", "get", "-o", "yaml", "pods"], [2, 4]),
        (["--namespace=x", "rollout", "status"], [1, 2]),
        (["--", "x"], []),
        ([], []),
    ],
)
def test_the_command_is_found_among_global_flags(words: list[str], positions: list[int]) -> None:
    assert command_words(words) == positions
