"""What is fetched beside the locked dependencies: of the same versions, whole or not at all."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from tests.clients.foreign import fetch


@pytest.mark.parametrize("package", ["kopf", "kr8s", "kubernetes-asyncio"])
def test_the_tests_are_those_of_the_installed_version(package: str) -> None:
    assert f"\n{package}=={version(package)} --hash=" in fetch.PINS.read_text()


def test_a_folder_is_filled_once_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "CACHE", tmp_path)
    place = tmp_path / "place"

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        fetch._keep(place, fail)
    assert list(tmp_path.iterdir()) == []
    fetch._keep(place, lambda folder: (folder / "all").touch())
    assert fetch._keep(place, fail) == place
    assert [each.name for each in place.iterdir()] == ["all"]
