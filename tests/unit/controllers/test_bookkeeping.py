"""What controllers remember between a write and its echo, and whom they take for their own."""

from __future__ import annotations

import msgspec

from api.errors import Forbidden, InternalError, NotFound
from api.selectors import LabelSelector
from api.types import core_v1
from client.rest import Unreachable
from controllers import objects
from controllers.claim import claim
from controllers.expectations import Expectations
from controllers.failures import answer_is_lost, namespace_is_terminating
from controllers.latest import Latest
from tests.unit.controllers.make import NOW, controlled_by, pod, replica_set


def test_a_controller_waits_for_each_of_its_writes() -> None:
    expected = Expectations()
    expected.expect_creations("rs", ["a", "b"], now=0)
    expected.expect_deletions("rs", ["uid-1"], now=0)
    assert expected.wait("rs", 1) > 0
    expected.created("rs", "a")
    assert expected.wait("rs", 1) > 0
    expected.deleted("rs", "uid-1")
    assert expected.wait("rs", 1) > 0
    expected.created("rs", "adopted")
    assert expected.wait("rs", 1) > 0
    expected.created("rs", "b")
    assert expected.wait("rs", 1) == 0
    assert expected.wait("another", 1) == 0


def test_waiting_ends() -> None:
    expected = Expectations(lifetime=10)
    expected.expect_creations("rs", ["a"], now=0)
    assert expected.wait("rs", 9) == 1
    assert expected.wait("rs", 11) == 0


def test_a_lost_answer_leaves_a_doubtful_name() -> None:
    expected = Expectations()
    expected.expect_creations("rs", ["a", "b"], now=0)
    expected.creation_in_doubt("rs", "a")
    expected.created("rs", "b")
    assert expected.wait("rs", 1) == 0
    assert expected.doubtful_creations("rs") == ["a"]
    expected.expect_creations("rs", ["a"], now=2)
    assert expected.doubtful_creations("rs") == []
    expected.created("rs", "a")
    assert expected.wait("rs", 3) == 0


def test_the_informer_may_be_faster_than_the_failure() -> None:
    expected = Expectations()
    expected.expect_creations("rs", ["a"], now=0)
    expected.created("rs", "a")
    expected.creation_in_doubt("rs", "a")
    assert expected.doubtful_creations("rs") == []
    expected.expect_deletions("rs", ["uid-1"], now=0)
    expected.deleted("rs", "uid-1")
    expected.deletion_in_doubt("rs", "uid-1")
    assert expected.doubtful_deletions("rs") == frozenset()


def test_which_failures_leave_doubt() -> None:
    assert answer_is_lost(Unreachable("connection reset"))
    assert answer_is_lost(InternalError("etcd went away"))
    assert not answer_is_lost(NotFound("pods", "a"))
    assert not answer_is_lost(Forbidden("pods", "a", "no"))
    refused = Forbidden("pods", "a", "the namespace is going")
    refused.details = {"causes": [{"reason": "NamespaceTerminating"}]}
    assert namespace_is_terminating(refused)
    assert not namespace_is_terminating(NotFound("pods", "a"))


def changed(obj: core_v1.Pod, version: int) -> core_v1.Pod:
    return msgspec.structs.replace(
        obj, metadata=msgspec.structs.replace(objects.meta(obj), resourceVersion=str(version))
    )


def test_an_own_write_stands_in_until_the_cache_has_it() -> None:
    latest: Latest[core_v1.Pod] = Latest()
    cached = changed(pod("a"), 10)
    written = latest.wrote(changed(cached, 12))
    assert latest.newest(cached) is written
    newer = changed(cached, 13)
    assert latest.newest(newer) is newer
    assert latest.newest(cached) is cached


def test_what_the_cache_does_not_know_yet_is_there() -> None:
    latest: Latest[core_v1.Pod] = Latest()
    made = latest.wrote(changed(pod("made"), 20), "svc")
    assert latest.all("svc", [], seen="19") == [made]
    assert latest.all("other", [], seen="19") == []
    assert latest.all("svc", [made], seen="20") == [made]
    assert latest.all("svc", [], seen="21") == []


def test_what_came_and_went_unseen_is_gone() -> None:
    latest: Latest[core_v1.Pod] = Latest()
    latest.wrote(changed(pod("made"), 20), "svc")
    assert latest.all("svc", [], seen="25") == []


def test_what_was_deleted_is_not_there_any_more() -> None:
    latest: Latest[core_v1.Pod] = Latest()
    cached = changed(pod("a"), 10)
    latest.removed(cached)
    assert latest.all("svc", [cached], seen="10") == []
    latest.forget(cached)
    assert latest.all("svc", [], seen="11") == []


SELECTOR = LabelSelector.parse("app=web")


def test_claiming() -> None:
    owner, rival = replica_set("mine"), replica_set("rival")
    mine = pod("mine", owner=owner)
    strayed = pod("strayed", owner=owner, labels={"app": "debug"})
    orphan = pod("orphan")
    others = [
        pod("theirs", owner=rival),
        pod("stranger", labels={"app": "db"}),
        pod("leaving", deleting=True),
    ]
    result = claim(owner, SELECTOR, [mine, strayed, orphan, *others])
    assert (result.owned, result.adopt, result.release) == ([mine], [orphan], [strayed])


def test_who_is_leaving_claims_nothing_new() -> None:
    owner = replica_set("mine", deletionTimestamp=NOW)
    mine, strayed = pod("mine", owner=owner), pod("strayed", owner=owner, labels={"app": "debug"})
    result = claim(owner, SELECTOR, [mine, strayed, pod("orphan")])
    assert (result.owned, result.adopt, result.release) == ([mine], [], [])


def test_an_owner_that_does_not_control_is_no_controller() -> None:
    owner = replica_set("mine")
    references = controlled_by(owner)
    references[0].controller = None
    result = claim(owner, SELECTOR, [pod("owned", ownerReferences=references)])
    assert [objects.name(each) for each in result.adopt] == ["owned"]
