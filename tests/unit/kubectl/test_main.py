from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from kubectl.command import Command, build_parser
from kubectl.commands import COMMANDS
from kubectl.main import main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(path in text for path, entry in COMMANDS.items() if entry.summary)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_a_help_page(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = importlib.import_module(f"kubectl.commands.{COMMANDS[path].module}").COMMAND
    assert isinstance(command, Command)
    assert command.usage.startswith(path)
    assert "--namespace" in build_parser(path, command).format_help()
    assert main([*path.split(), "--help"]) == 0
    assert f"usage: pytheas {path}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gte", "pods"], 'unknown command "gte" for "pytheas"\n\nDid you mean this?\n\tget'),
        (["rollout", "statis"], 'unknown command "statis" for "pytheas rollout"\n\nDid you mean this?\n\tstatus'),
        (["rollout"], "pytheas rollout needs one of: history, pause, restart, resume, status, undo"),
        (["--bogus"], "unknown flag: --bogus"),
        (["get", "pods", "--bogus"], "unknown flag: --bogus\nSee 'pytheas get --help' for usage."),
        (["scale", "deploy", "x"], 'required flag(s) "replicas" not set'),
    ],
)
def test_mistakes(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert message in capsys.readouterr().err


def test_an_unreachable_server_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-s", "https://127.0.0.1:1", "--kubeconfig", "/dev/null", "get", "pods"]) == 1
    text = capsys.readouterr().err
    assert text.startswith(
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?"
    )


def test_a_missing_kubeconfig_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--kubeconfig", "/nonexistent/config", "get", "pods"]) == 1
    text = capsys.readouterr().err
    assert "/nonexistent/config" in text
    assert "pytheas up" in text


def test_starting_imports_nothing_heavy() -> None:
    """The budget of 0.3 s is spent on imports first of all."""
    names = ["kubectl.main", "kubectl.commands.get", "kubectl.server"]
    heavy = ("aiohttp", "httpx", "pydantic", "msgspec", "lightkube", "asyncio", "yaml", "rich", "numpy")
    code = f"import sys, {', '.join(names)}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
