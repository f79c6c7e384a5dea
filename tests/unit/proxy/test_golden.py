"""Whole rule sets as readable text: `golden/NAME.yaml` holds the objects, `golden/NAME.rules` what the node then does.

After a wanted change, `python -m tests.unit.proxy.test_golden` writes the `.rules` files anew: read the diff.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from proxy import objects
from proxy.chains import fixed
from proxy.model import NodeView
from proxy.ruleset import RuleSet, build

FOLDER = Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def rules_of(case: str) -> str:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / f"{case}.yaml").read_text())
    services = msgspec.convert(loaded["services"], list[objects.Service])
    slices = msgspec.convert(loaded["slices"], list[objects.EndpointSlice])
    node = NodeView(**loaded["node"])
    rules = build(services, slices, node)
    if services:  # what all nodes have alike is written down once, in `nothing`
        rules = RuleSet({chain: text for chain, text in rules.chains.items() if chain not in fixed(node)})
    return rules.render()


@pytest.mark.parametrize("case", CASES)
def test_rules_are_as_written_down(case: str) -> None:
    assert rules_of(case) == (FOLDER / f"{case}.rules").read_text()


def test_the_order_of_the_objects_does_not_matter() -> None:
    loaded = yaml.safe_load((FOLDER / "external-local.yaml").read_text())
    services = msgspec.convert(loaded["services"][::-1], list[objects.Service])
    slices = msgspec.convert(loaded["slices"][::-1], list[objects.EndpointSlice])
    node = NodeView(**loaded["node"])
    rules = build(services, slices, node)
    assert rules == build(services[::-1], slices[::-1], node)


if __name__ == "__main__":
    for name in CASES:
        (FOLDER / f"{name}.rules").write_text(rules_of(name))
