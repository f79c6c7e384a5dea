"""Running somebody's suite as a process of its own, and reading from its JUnit report how each test went."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.clients.foreign.ratchet import Outcome
from tests.harness.process import SCRIPTS


@dataclass(frozen=True)
class Suite:
    """A command that runs tests in `folder` and writes a JUnit report.

    `argv` may hold `{report}`; `only` and `without` turn the names of tests, as the report has them, into the words
    that run just those or all others.
    """

    folder: Path
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 400
    only: Callable[[Collection[str]], list[str]] = lambda names: []
    without: Callable[[Collection[str]], list[str]] = lambda names: []

    def run(self, *more: str) -> dict[str, Outcome]:
        """Run everything; the outcome by test."""
        report = self.folder / "report.xml"
        report.unlink(missing_ok=True)
        argv = [word.format(report=report) for word in (*self.argv, *more)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        log = self.folder / "suite.log"
        with log.open("wb") as out:
            subprocess.run(
                argv,
                cwd=self.folder,
                env={**environment, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=self.seconds,
                check=False,
            )
        assert report.exists(), f"{shlex.join(argv)}: no report\n{log.read_text(errors='replace')[-4000:]}"
        return outcomes(report)

    def again(self, names: Collection[str]) -> dict[str, Outcome]:
        """Run just these once more: others' tests wait for so many seconds, and the machine may have been busy."""
        if not names:
            return {}
        seen = self.run(*self.only(names))
        return {name: seen[name] for name in names if name in seen}


def pytest_suite(
    folder: Path, tests: Sequence[str], *flags: str, env: Mapping[str, str], seconds: float = 400
) -> Suite:
    """A pytest of its own, free of our configuration: warnings are the foreign suite's business."""
    argv = [str(SCRIPTS / "python"), "-m", "pytest", "-p", "no:cacheprovider", "-c", str(folder / "pytest.ini")]
    (folder / "pytest.ini").write_text("[pytest]\n")
    argv += ["--rootdir", str(folder), "--junitxml={report}", "-q", *flags, *tests]
    return Suite(folder, argv, {"PYTHONPATH": str(folder), **env}, seconds, _named, _unnamed)


def _named(names: Collection[str]) -> list[str]:
    """The words with which pytest runs the tests of these names and, by bad luck, some that have a name in common."""
    bare = {name.rpartition("::")[2].partition("[")[0] for name in names}
    return ["-k", " or ".join(sorted(bare))]


def _unnamed(names: Collection[str]) -> list[str]:
    """The words with which pytest leaves out test functions of these names."""
    places = (name.rpartition("::") for name in sorted(names))
    return [word for module, _, test in places for word in ("--deselect", f"{module.replace('.', '/')}.py::{test}")]


def outcomes(report: Path) -> dict[str, Outcome]:
    """The outcome of each test in a JUnit report. A skip counts as a failure: it shows nothing."""
    found: dict[str, Outcome] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        bad = [each for each in case if each.tag in ("failure", "error", "skipped")]
        problem = "\n".join(f"{each.tag}: {each.get('message') or ''}\n{each.text or ''}"[-3000:] for each in bad)
        earlier = found.get(name)  # an error of the teardown comes as a case of its own
        found[name] = Outcome(problem) if earlier is None or earlier.passed else earlier
    return found
