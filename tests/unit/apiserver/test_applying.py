"""Server-side apply at the border: who may make an object by applying it, and whose name a write goes under."""

from __future__ import annotations

from typing import cast

import pytest

from api.errors import Forbidden
from apiserver.auth.user import User
from apiserver.endpoints.applying import Applying
from apiserver.endpoints.ownership import manager_of
from apiserver.endpoints.state import Resource, State
from apiserver.endpoints.write import Author, Part
from apiserver.registry import KINDS


async def test_who_may_only_patch_makes_nothing_by_applying() -> None:
    (deployments,) = [kind for kind in KINDS if kind.plural == "deployments"]
    author = Author(User("jane", ("system:authenticated",)))
    nowhere = cast(State, None)
    applying = Applying(nowhere, Resource(deployments), "shop", "web", author, Part.MAIN, "")
    with pytest.raises(Forbidden) as refused:
        await applying.create({"metadata": {"name": "web"}})
    assert refused.value.message == (
        'deployments.apps "web" is forbidden: User "jane" cannot create resource "deployments" in API group "apps" '
        'in the namespace "shop"'
    )


@pytest.mark.parametrize(
    ("agent", "manager"),
    [
        ("kubectl/v1.37.1 (linux/amd64) kubernetes/abc", "kubectl"),
        ("curl", "curl"),
        ("", ""),
        ("odd\tname/1", "oddname"),
        ("x" * 200 + "/1", "x" * 128),
        ("ü" * 100, "ü" * 64),
    ],
)
def test_a_manager_is_named_after_its_program(agent: str, manager: str) -> None:
    assert manager_of(agent) == manager
