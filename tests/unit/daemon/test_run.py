"""A daemon's end, as its supervisor sees it: exit codes of real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import asyncio, sys
from daemon import log, run
from daemon.fatal import Fatal

async def work():
    print("started", flush=True)
    {body}

log.setup()
sys.exit(run.main(work, stop_deadline=0.5))
"""


def start(body: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    process = start("""
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.05)
        print("cleaned up", flush=True)""")
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "cleaned up\n")
    assert f"stopping signal={number.name}" in err


def test_an_end_by_itself_is_a_clean_one() -> None:
    process = start("await asyncio.sleep(0)")
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_an_error_is_logged_with_its_traceback() -> None:
    process = start("raise ZeroDivisionError('oh')")
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "Traceback" in err
    assert "ZeroDivisionError: oh" in err


@pytest.mark.parametrize(
    "body",
    [
        "raise Fatal('there is no such file')",
        "raise ExceptionGroup('tasks', [OSError(), ExceptionGroup('more', [Fatal('there is no such file')])])",
    ],
)
def test_a_wrong_start_is_a_sentence(body: str) -> None:
    process = start(body)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert err.endswith("error daemon.run there is no such file\n")
    assert "Traceback" not in err


def test_a_stop_that_hangs_is_cut_short() -> None:
    process = start("""
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass""")
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert time.monotonic() - began < 5
    assert "took too long" in err
