"""A control plane for the suites of real clients, and what holds a suite against its ratchet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.clients.foreign.ratchet import Ratchet
from tests.clients.foreign.suite import Suite
from tests.harness.control import ControlPlane

Hold = Callable[[str, Suite], None]


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server with the controllers, on an etcd of its own: a suite may do with it what it wants."""
    with ControlPlane(tmp_path_factory.mktemp("plane"), daemons=("controllers", "scheduler")) as running:
        yield running


@pytest.fixture
def hold(request: pytest.FixtureRequest) -> Hold:
    """Run a suite and compare it with its ratchet. What fails though it is listed is given a second try."""

    def held(name: str, suite: Suite) -> None:
        listed = Ratchet.load(name)
        seen = suite.run(*suite.without(listed.omits))
        seen |= suite.again([each for each in sorted(listed.passes & set(seen)) if not seen[each].passed])
        if request.config.getoption("--ratchet-update"):
            listed = listed.updated(seen)
            listed.save(name)
        problems = list(listed.problems(seen))
        passed = sum(outcome.passed for outcome in seen.values())
        assert not problems, f"{name}: {passed} of {len(seen)} pass; against its ratchet:\n" + "\n".join(problems)

    return held
