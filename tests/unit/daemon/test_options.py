"""Flags, files and defaults, in this order of strength."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon.duration import Duration
from daemon.options import Common, option, parse


@dataclass(frozen=True)
class Options(Common):
    name: str = option(help="who")
    count: int = option(3, help="how many (100% sure)")
    wait: Duration = option(Duration(90), help="how long")
    addresses: tuple[str, ...] = option(("a", "b"), help="where")
    path: Path | None = option(None, help="a file")
    elect: bool = option(True, help="whether")


def read(*argv: str) -> Options:
    return parse(Options, "tester", "what it does", argv)


def test_defaults() -> None:
    assert read("--name", "x") == Options(name="x")
    assert read("--name", "x").log_level == "info"


def test_flags() -> None:
    options = read("--name=x", "--count", "5", "--wait", "1m30s", "--addresses", "c, d,", "--path", "/p", "--no-elect")
    assert options == Options(name="x", count=5, wait=Duration(90), addresses=("c", "d"), path=Path("/p"), elect=False)


def test_a_file_stands_between_defaults_and_flags(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("name: filed\ncount: 7\nwait: 5m\naddresses: [x, y]\nelect: false\nlog-level: debug\n")
    options = read("--config", str(file), "--count", "9")
    assert (options.name, options.count, options.wait) == ("filed", 9, 300.0)
    assert (options.addresses, options.elect, options.log_level) == (("x", "y"), False, "debug")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nmae: x", "there is no option 'nmae'"),
        ("elect: maybe", "must be true or false"),
        ("count: many", "count: invalid literal"),
        ("wait: soon", "'soon' is not a duration"),
        ("[1]", "must hold a map"),
        ("{", "is not YAML"),
    ],
)
def test_a_wrong_file_is_refused(
    tmp_path: Path, content: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(content)
    with pytest.raises(SystemExit) as caught:
        read("--name", "x", "--config", str(file))
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "--name must be given"),
        (["--name", "x", "--nam", "y"], "unrecognized arguments"),
        (["--name", "x", "--wait", "1x"], "'1x' is not a duration"),
        (["--name", "x", "--log-level", "loud"], "invalid choice"),
        (["--name", "x", "--config", "/missing"], "No such file"),
    ],
)
def test_wrong_flags_are_refused(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read(*argv)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_help_names_every_option_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read("--help")
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in ("--name", "(required)", "--wait", "(default: 1m30s)", "(default: a,b)", "--no-elect", "--config FILE"):
        assert part in text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("40s", 40), ("5m", 300), ("1m30s", 90), ("1.5h", 5400), ("250ms", 0.25), ("-1s", -1), ("7", 7), ("0", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "5 m", "1m30", "ten", "1s1"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["0s", "40s", "1m30s", "2h", "1h1m1.5s", "-5m"])
def test_durations_are_written_as_they_are_read(text: str) -> None:
    assert str(Duration.parse(text)) == text
