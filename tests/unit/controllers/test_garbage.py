"""Who goes when an owner goes: the graph, and what is decided from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import meta_v1
from client.resources import Resource
from controllers.garbage.decide import Delete, Keep, Owner, Unlink, blockers, decide
from controllers.garbage.graph import FOREGROUND, ORPHAN, Graph, Item

THINGS = Resource("example.com", "v1", "Thing", "things")


def owned_by(uid: str, block: bool = False) -> meta_v1.OwnerReference:
    return meta_v1.OwnerReference(
        apiVersion="example.com/v1", kind="Thing", name=uid, uid=uid, blockOwnerDeletion=block or None
    )


def item(uid: str, *owners: str, block: bool = False, deleting: bool = False, finalizers: tuple[str, ...] = ()) -> Item:
    references = tuple(owned_by(owner, block) for owner in owners)
    return Item(THINGS, "default", uid, uid, "1", references, finalizers, deleting)


def states(**owners: Owner) -> dict[str, Owner]:
    return owners


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        (states(a=Owner.THERE), Keep()),
        (states(a=Owner.ABSENT), Delete("Background")),
        (states(a=Owner.WAITING), Delete("Background")),
        (states(a=Owner.THERE, b=Owner.ABSENT), Unlink((owned_by("a"),))),
        (states(a=Owner.WAITING, b=Owner.THERE), Unlink((owned_by("b"),))),
        (states(a=Owner.ABSENT, b=Owner.ABSENT), Delete("Background")),
        ({}, Keep()),
    ],
)
def test_decisions(owners: dict[str, Owner], expected: object) -> None:
    assert decide(item("child", *owners), owners, []) == expected


def test_what_is_going_is_left_alone() -> None:
    assert decide(item("child", "a", deleting=True), states(a=Owner.ABSENT), []) == Keep()


def test_foreground_goes_on_downwards() -> None:
    grandchild = item("grandchild", "child", block=True)
    assert decide(item("child", "a"), states(a=Owner.WAITING), [grandchild]) == Delete("Foreground")


def test_a_ring_of_waiting_is_broken() -> None:
    waiting = item("other", "child", block=True, deleting=True, finalizers=(FOREGROUND,))
    assert decide(item("child", "a"), states(a=Owner.WAITING), [waiting]) == Delete("Foreground", (waiting,))


@pytest.mark.parametrize(("finalizer", "policy"), [(ORPHAN, "Orphan"), (FOREGROUND, "Foreground")])
def test_an_objects_own_wish_counts(finalizer: str, policy: str) -> None:
    action = decide(item("child", "a", finalizers=(finalizer,)), states(a=Owner.ABSENT), [])
    assert isinstance(action, Delete)
    assert action.policy == policy


def test_only_blocking_dependents_hold_a_foreground_deletion() -> None:
    owner = item("owner", deleting=True, finalizers=(FOREGROUND,))
    blocking, other = item("one", "owner", block=True), item("two", "owner")
    assert blockers(owner, [blocking, other]) == [blocking]


# -- the graph: whom a change concerns


def test_an_unknown_owner_is_looked_into() -> None:
    graph = Graph()
    assert graph.put(item("child", "owner")) == {"child"}
    assert graph.put(item("owner")) == set()
    assert graph.put(item("second", "owner")) == set()


def test_a_gone_owner_concerns_its_dependents() -> None:
    graph = Graph()
    graph.put(item("owner"))
    graph.put(item("one", "owner"))
    graph.put(item("two", "owner"))
    assert graph.remove("owner") == {"one", "two"}
    assert graph.is_gone("owner")
    assert graph.put(item("three", "owner")) == {"three"}


def test_foreground_deletion_concerns_all_and_is_woken_by_each() -> None:
    graph = Graph()
    graph.put(item("owner"))
    graph.put(item("one", "owner", block=True))
    graph.put(item("two", "owner", block=True))
    going = item("owner", deleting=True, finalizers=(FOREGROUND,))
    assert graph.put(going) == {"owner", "one", "two"}
    assert graph.remove("one") == {"owner"}
    assert graph.put(replace(item("two", "owner"), version="2")) >= {"owner"}
    assert not blockers(going, graph.dependents("owner"))


def test_an_orphaning_owner_is_looked_at() -> None:
    graph = Graph()
    graph.put(item("child", "owner"))
    assert graph.put(item("owner", deleting=True, finalizers=(ORPHAN,))) == {"owner"}


def test_released_dependents_are_forgotten() -> None:
    graph = Graph()
    graph.put(item("owner"))
    graph.put(item("child", "owner"))
    graph.put(item("child"))
    assert graph.dependents("owner") == []
    assert graph.remove("owner") == set()


@given(st.lists(st.tuples(st.integers(0, 5), st.lists(st.integers(0, 5), max_size=3), st.booleans()), max_size=30))
def test_dependents_are_the_inverse_of_owners(steps: list[tuple[int, list[int], bool]]) -> None:
    graph, there = Graph(), dict[str, Item]()
    for number, owners, gone in steps:
        uid = f"u{number}"
        if gone:
            graph.remove(uid)
            there.pop(uid, None)
        else:
            there[uid] = item(uid, *(f"u{owner}" for owner in sorted(set(owners) - {number})))
            graph.put(there[uid])
    for number in range(6):
        expected = {each.uid for each in there.values() if each.reference_to(f"u{number}")}
        assert {each.uid for each in graph.dependents(f"u{number}")} == expected
    assert len(graph) == len(there)
