"""Transcripts: what a user types and what it must say, as text files that a reviewer can read.

    == web.yaml             the lines up to the next mark go into this file, beside which the commands run
    $ apply -f web.yaml     a command line that must succeed, without the program's name; NAME=value before it is its
    deployment.apps/web created                                          environment; below it is what it prints
    $! get pod nobody       a command that must fail
    ... "nobody" not found
    -- a remark

`...` stands for any characters, and alone on a line for any lines; runs of blanks count as one. `{name}` is replaced
from what the test gives. Standard output and standard error are taken together.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_ASSIGNMENT = re.compile(r"[A-Z_]+=")


@dataclass
class Command:
    """One command and what it must print."""

    line: str
    fails: bool
    expected: list[str] = field(default_factory=list)

    def words(self) -> tuple[dict[str, str], list[str]]:
        """The environment and the arguments."""
        words, environment = shlex.split(self.line), {}
        while words and _ASSIGNMENT.match(words[0]):
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        return environment, words

    def mismatch(self, code: int, said: str) -> str:
        """Why this is not what the command should have done, or nothing."""
        if (code != 0) is not self.fails:
            return f"exit {code}"
        return "" if re.fullmatch(pattern(self.expected), normal(said)) else "another output"


@dataclass
class File:
    """A file that later commands may use; one that begins with `#!` can be run."""

    name: str
    lines: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        text = "\n".join(self.lines) + "\n"
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)


def parse(text: str, names: Mapping[str, str]) -> Iterator[Command | File]:
    """The steps of a transcript, in order. Lines before the first mark are a comment."""
    step: Command | File | None = None
    for line in _filled(text, names).splitlines():
        mark, _, rest = line.partition(" ")
        if mark in ("==", "$", "$!", "--"):
            if step is not None:
                yield step
            step = _step(mark, rest)
        elif step is not None:
            (step.lines if isinstance(step, File) else step.expected).append(line)
    if step is not None:
        yield step


def _step(mark: str, rest: str) -> Command | File | None:
    if mark == "--":
        return None
    return File(rest) if mark == "==" else Command(rest, fails=mark == "$!")


def run(text: str, program: list[str], folder: Path, env: Mapping[str, str], names: Mapping[str, str]) -> list[str]:
    """Carry a transcript out in `folder`; each command that does or says something else, with what it said."""
    wrong = []
    for step in parse(text, names):
        if isinstance(step, File):
            step.write(folder)
        elif problem := _try(step, program, folder, env):
            wrong.append(problem)
    return wrong


def _try(step: Command, program: list[str], folder: Path, env: Mapping[str, str]) -> str:
    more, words = step.words()
    done = subprocess.run(
        [*program, *words],
        cwd=folder,
        env={**os.environ, **env, **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
        check=False,
    )
    problem = step.mismatch(done.returncode, done.stdout)
    expected = "\n".join(step.expected).strip()
    return problem and f"$ {step.line}: {problem}\n--- expected\n{expected}\n--- said\n{done.stdout}"


def normal(text: str) -> str:
    return "".join(re.sub(r"[ \t]+", " ", line).rstrip() + "\n" for line in text.strip("\n").splitlines())


def pattern(lines: list[str]) -> str:
    """The regular expression of what a command must print."""
    parts = []
    for line in normal("\n".join(lines)).splitlines():
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(re.escape(line).replace(r"\.\.\.", ".*?") + r"\n")
    return "".join(parts)


def _filled(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text
