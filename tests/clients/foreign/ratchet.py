"""What passes of a suite, written down: the list may only grow.

A file in `tests/clients/ratchet/` names each test of a suite: those that pass, and with the reason in words those that
fail, and those that are not even run because they would only wait for what cannot come. A listed test that fails fails
ours; so does one that passes and is not listed, and a failure that nobody has explained.
`pytest tests/clients --ratchet-update` writes the file anew; reasons stay, and new failures get none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[1] / "ratchet"


@dataclass(frozen=True)
class Outcome:
    """How one test of a suite went: `problem` is empty for one that passed."""

    problem: str = ""

    @property
    def passed(self) -> bool:
        return not self.problem


@dataclass
class Ratchet:
    """The tests that pass, and those that fail or are left out with the reason."""

    passes: set[str] = field(default_factory=set)
    fails: dict[str, str] = field(default_factory=dict)
    omits: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, suite: str) -> Ratchet:
        path = FOLDER / f"{suite}.yaml"
        listed = yaml.safe_load(path.read_text()) if path.exists() else {}
        return cls(set(listed.get("passes") or ()), dict(listed.get("fails") or {}), dict(listed.get("omits") or {}))

    def save(self, suite: str) -> None:
        listed = {
            "passes": sorted(self.passes),
            "fails": dict(sorted(self.fails.items())),
            "omits": dict(sorted(self.omits.items())),
        }
        text = yaml.safe_dump(
            {key: value for key, value in listed.items() if value}, sort_keys=False, width=120, allow_unicode=True
        )
        (FOLDER / f"{suite}.yaml").write_text(f"# See tests/clients/foreign/ratchet.py.\n{text}")

    def problems(self, seen: Mapping[str, Outcome]) -> Iterator[str]:
        """Each difference between the file and what was seen, as a sentence that says what to do."""
        for name in sorted(self.passes - set(seen)):
            yield f"{name}: is listed as passing and did not run"
        for name in sorted(set(self.fails) - set(seen)):
            yield f"{name}: is listed as failing and did not run"
        for name, outcome in sorted(seen.items()):
            if outcome.passed and name not in self.passes:
                yield f"{name}: passes; add it to `passes`" + (" and take it from `fails`" * (name in self.fails))
            elif not outcome.passed and name in self.passes:
                yield f"{name}: is listed as passing and failed:\n{outcome.problem}"
            elif not outcome.passed and not self.fails.get(name):
                yield f"{name}: fails, and `fails` gives no reason:\n{outcome.problem}"

    def updated(self, seen: Mapping[str, Outcome]) -> Ratchet:
        failed = {name: self.fails.get(name, "") for name, outcome in seen.items() if not outcome.passed}
        return Ratchet({name for name, outcome in seen.items() if outcome.passed}, failed, self.omits)
