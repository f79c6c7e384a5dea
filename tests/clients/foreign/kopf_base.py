"""What kopf's end-to-end tests take from the rest of its test suite, which wants libraries they do not need.

A pytest plug-in (`-p tests.clients.foreign.kopf_base`). The tests all use the same objects, so each of several workers
has a cluster of its own: `KUBECONFIGS` lists them.
"""

from __future__ import annotations

import os

import pytest
from kopf import OperatorRegistry, OperatorSettings, set_default_registry
from kopf._core.intents.registries import SmartOperatorRegistry

worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
os.environ["KUBECONFIG"] = os.environ["KUBECONFIGS"].split(":")[worker]


@pytest.fixture
def settings() -> OperatorSettings:
    return OperatorSettings()


@pytest.fixture(autouse=True)
def registry() -> OperatorRegistry:
    """The handlers of one example are not those of the next."""
    made = SmartOperatorRegistry()
    set_default_registry(made)
    return made
