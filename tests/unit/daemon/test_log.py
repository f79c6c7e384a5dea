"""One line a record, fields that can be read back, and no secret among them."""

from __future__ import annotations

import io
import logging
import re

import pytest

from daemon import log


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log.LineFormatter())
    std = logging.getLogger("pytheas.test")
    monkeypatch.setattr(std, "handlers", [handler])
    monkeypatch.setattr(std, "propagate", False)
    std.setLevel(logging.INFO)
    return stream


def test_a_line(lines: io.StringIO) -> None:
    log.logger("pytheas.test").info("bound 100% of it", pod="default/web-1", took=0.5, why="no reason", none=None)
    text = lines.getvalue()
    stamp, rest = text.split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", stamp)
    assert rest == 'info pytheas.test bound 100% of it pod=default/web-1 took=0.5 why="no reason" none=None\n'


def test_line_breaks_do_not_make_lines(lines: io.StringIO) -> None:
    log.logger("pytheas.test").warning("two\nlines", field="a\nb", quote='say "x"')
    assert lines.getvalue().count("\n") == 1
    assert r'two\nlines field="a\nb" quote="say \"x\""' in lines.getvalue()


@pytest.mark.parametrize("field", ["token", "bearer_token", "Password", "client_secret", "authorization"])
def test_secrets_are_hidden(lines: io.StringIO, field: str) -> None:
    log.logger("pytheas.test").error("login", **{field: "hunter2"})
    assert "hunter2" not in lines.getvalue()
    assert f"{field}=[hidden]" in lines.getvalue()


def test_an_exception_brings_its_traceback(lines: io.StringIO) -> None:
    try:
        raise ValueError("boom")
    except ValueError:
        log.logger("pytheas.test").exception("failed", key="a")
    assert "failed key=a\nTraceback" in lines.getvalue()
    assert lines.getvalue().endswith("ValueError: boom\n")


def test_below_the_level_nothing_is_written(lines: io.StringIO) -> None:
    log.logger("pytheas.test").debug("quiet")
    assert lines.getvalue() == ""
