from __future__ import annotations

import io
from typing import Any

import pytest

from kubectl.errors import status_message
from kubectl.output.table import Look, TableWriter, colour_of
from kubectl.terminal import Terminal

TABLE: dict[str, Any] = {
    "columnDefinitions": [{"name": "Name"}, {"name": "Ready"}, {"name": "IP", "priority": 1}],
    "rows": [
        {"cells": ["a", "1/1", "10.0.0.1"], "object": {"metadata": {"namespace": "x", "labels": {"app": "web"}}}},
        {"cells": ["b", "0/1", None], "object": {"metadata": {"namespace": "y"}}},
    ],
}


def shown(look: Look, *tables: dict[str, Any], colour: bool = False) -> str:
    out = io.StringIO()
    terminal = Terminal(out, io.StringIO())
    terminal.colour = colour
    writer = TableWriter(terminal, look)
    for table in tables:
        writer.write(table, "ADDED")
    return out.getvalue()


def test_plain_and_wide() -> None:
    assert shown(Look(), TABLE) == "NAME   READY\na      1/1\nb      0/1\n"
    assert shown(Look(wide=True), TABLE) == "NAME   READY   IP\na      1/1     10.0.0.1\nb      0/1     \n"


def test_more_columns() -> None:
    text = shown(Look(namespace=True, label_columns=("app",), show_labels=True, prefix="pod/", event=True), TABLE)
    assert text.splitlines() == [
        "EVENT   NAMESPACE   NAME    READY   APP   LABELS",
        "ADDED   x           pod/a   1/1     web   app=web",
        "ADDED   y           pod/b   0/1           <none>",
    ]


def test_a_watch_sends_the_columns_once() -> None:
    later = {"columnDefinitions": [], "rows": [{"cells": ["c", "1/1", ""], "object": {}}]}
    assert shown(Look(headers=False), TABLE, later).splitlines()[-1] == "c     1/1"


def test_colour_adds_nothing_but_colour() -> None:
    painted = shown(Look(), TABLE, colour=True)
    assert "\x1b[1mNAME\x1b[0m" in painted
    assert "\x1b[32m1/1\x1b[0m" in painted
    assert "\x1b[33m0/1\x1b[0m" in painted


def test_a_pipe_gets_no_colour_and_no_color_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Terminal(io.StringIO(), io.StringIO()).colour

    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Terminal(Tty(), io.StringIO()).colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Terminal(Tty(), io.StringIO()).colour


@pytest.mark.parametrize(
    ("header", "text", "colour"),
    [
        ("STATUS", "Running", "green"),
        ("STATUS", "CrashLoopBackOff", "red"),
        ("STATUS", "ContainerCreating", "yellow"),
        ("STATUS", "Ready,SchedulingDisabled", "yellow"),
        ("STATUS", "Completed", "dim"),
        ("RESTARTS", "0", ""),
        ("RESTARTS", "3 (2m ago)", "yellow"),
        ("TYPE", "ClusterIP", ""),
        ("TYPE", "Warning", "red"),
    ],
)
def test_colours_tell_good_from_bad(header: str, text: str, colour: str) -> None:
    assert colour_of(header, text) == colour


def test_long_cells_end_at_the_first_line() -> None:
    table = {"columnDefinitions": [{"name": "Name"}], "rows": [{"cells": ["one\ntwo"], "object": {}}]}
    assert shown(Look(), table) == "NAME\none...\n"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"reason": "NotFound", "message": 'pods "x" not found', "code": 404},
            'Error from server (NotFound): pods "x" not found',
        ),
        ({"message": "teapot", "code": 418}, "Error from server: teapot"),
        (
            {"reason": "Unauthorized", "message": "Unauthorized", "code": 401},
            "error: You must be logged in to the server (Unauthorized)",
        ),
        (
            {
                "reason": "Invalid",
                "message": "m",
                "code": 422,
                "details": {"kind": "Pod", "name": "x", "causes": [{"field": "a.b", "message": "Required value"}]},
            },
            'The Pod "x" is invalid: a.b: Required value',
        ),
        (
            {
                "reason": "Invalid",
                "message": "m",
                "code": 422,
                "details": {
                    "kind": "Pod",
                    "name": "x",
                    "causes": [{"field": "a", "message": "one"}, {"field": "b", "message": "two"}],
                },
            },
            'The Pod "x" is invalid: \n* a: one\n* b: two',
        ),
    ],
)
def test_errors_in_kubectls_words(body: dict[str, Any], text: str) -> None:
    from api.errors import from_status

    assert status_message(from_status({"kind": "Status", **body}, body["code"])) == text
