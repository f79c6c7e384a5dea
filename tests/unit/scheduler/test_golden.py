"""Decisions as transcripts that a person can read: what is in the files is what the scheduler says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.scheduler.transcript import Transcript

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.txt"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    text = path.read_text()
    assert Transcript().run(text) == text
