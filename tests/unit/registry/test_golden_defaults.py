"""What the server makes of small manifests, as files to read: `golden/NAME.yaml` holds what is sent and what is kept.

The names of the files say what each is about.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.registry.support import create, update

FOLDER = Path(__file__).parent / "golden"
CASES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_is_kept(path: Path) -> None:
    sent, kept = yaml.safe_load_all(path.read_text())
    stored, errors = create(sent)
    assert errors == []
    assert stored == kept


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_writing_what_was_kept_changes_nothing(path: Path) -> None:
    _, kept = yaml.safe_load_all(path.read_text())
    stored, errors = update(kept, kept)
    assert errors == []
    assert stored == kept
