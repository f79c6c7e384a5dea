"""Variables that come from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.types import core_v1
from kubelet.pod import env_file
from kubelet.pod.env import Objects, environment, file_references
from kubelet.pod.fields import Facts
from kubelet.pod.problem import ConfigError

TEXT = """# a comment

ONE='1'
  TWO='two $(ONE) "#" \\n' # behind it
EMPTY=
LOOSE= 'x'
LONG='first
second'
"""


@pytest.mark.parametrize(
    ("key", "found"),
    [("ONE", "1"), ("TWO", 'two $(ONE) "#" \\n'), ("LOOSE", ""), ("LONG", "first\nsecond"), ("NONE", "")],
)
def test_values(key: str, found: str) -> None:
    assert env_file.value(TEXT.replace("EMPTY=\n", ""), key) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A='1'\nB", "at line 2"),
        ("A ='1'", "at line 1"),
        ("='1'", "at line 1"),
        ("A=1", "at line 1: value must be enclosed in single quotes"),
        ("A=", "at line 1: value must be enclosed in single quotes"),
        ("A='1'2", "at line 1: unexpected content after closing quote"),
        ("A='1\n2\n", "starting at line 1: unclosed single quote"),
    ],
)
def test_what_is_no_file_of_variables(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"invalid environment variable format {message}"):
        env_file.value(text, "Z")


def test_files_outside_the_volume_are_not_read(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    (tmp_path / "secret").write_text("A='1'")
    (volume / "link").symlink_to("../secret")
    (volume / "own").write_text("A='2'")
    (volume / "inside").symlink_to("own")
    assert env_file.read(volume, "inside") == "A='2'"
    assert env_file.read(volume, "none") is env_file.read(volume, "own/none") is None
    with pytest.raises(OSError, match="leads out of the volume"):
        env_file.read(volume, "link")


def made(files: dict[tuple[str, str], str | None], **ref: Any) -> dict[str, str]:
    variable = {"name": "X", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "f", "key": "ONE", **ref}}}
    spec = {"containers": [{"name": "main", "env": [variable, {"name": "Y", "value": "$(X)!"}]}]}
    pod = msgspec.convert({"metadata": {"name": "web"}, "spec": spec}, core_v1.Pod)
    assert pod.spec is not None
    assert file_references(pod.spec.containers[0]) == {("v", "f")}
    return environment(pod, pod.spec.containers[0], Facts(), Objects(), {}, files)


def test_variables_from_a_file() -> None:
    assert made({("v", "f"): "ONE='1'"}) == {"X": "1", "Y": "1!"}
    assert made({("v", "f"): None}, optional=True) == made({("v", "f"): "TWO='2'"}, optional=True) == {"Y": "$(X)!"}
    with pytest.raises(ConfigError, match='environment variable key "ONE" not found in file "f"'):
        made({("v", "f"): "TWO='2'"})
    with pytest.raises(ConfigError, match="couldn't parse env file"):
        made({("v", "f"): "ONE"})
