"""Which names a definition gets, and its conditions."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from apiserver.customresources.status import accept, settle
from apiserver.registry.definitions.conditions import condition_of, set_condition
from apiserver.registry.kind import Object

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def crd(plural: str = "things", kind: str = "Thing", group: str = "example.com", **names: Any) -> Object:
    called = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List", **names}
    return {"metadata": {"name": f"{plural}.{group}"}, "spec": {"group": group, "names": called}}


def accepted(obj: Object) -> Object:
    settle(obj, [], True, NOW)
    return obj


def told(obj: Object, type_: str) -> tuple[str, str, str]:
    found = condition_of(obj, type_) or {}
    return found["status"], found["reason"], found["message"]


def test_a_definition_alone_gets_what_it_asks_for() -> None:
    obj = crd(shortNames=["th"], categories=["all"])
    settle(obj, [], False, NOW)
    assert obj["status"]["acceptedNames"] == obj["spec"]["names"]
    assert told(obj, "NamesAccepted") == ("True", "NoConflicts", "no conflicts found")
    assert told(obj, "Established") == ("False", "Installing", "the initial names have been accepted")
    settle(obj, [], True, LATER)
    assert told(obj, "Established") == ("True", "InitialNamesAccepted", "the initial names have been accepted")
    assert (condition_of(obj, "NamesAccepted") or {})["lastTransitionTime"] == "2026-11-22T11:00:00Z"


def test_settling_again_changes_nothing() -> None:
    obj = accepted(crd(shortNames=["th"]))
    before = deepcopy(obj)
    settle(obj, [], True, LATER)
    assert obj == before


def test_taken_names() -> None:
    first = accepted(crd(shortNames=["th"]))
    second = crd("others", "Other", shortNames=["th", "ot"])
    settle(second, [first], False, NOW)
    assert told(second, "NamesAccepted") == ("False", "ShortNamesConflict", '"th" is already in use')
    assert told(second, "Established") == ("False", "NotAccepted", "not all names are accepted")
    assert "shortNames" not in second["status"]["acceptedNames"]
    third = crd("things2", "Thing")
    names, problem = accept(third, [first])
    assert problem == ("ListKindConflict", '"ThingList" is already in use')  # the last of them
    assert names == {"plural": "things2"}
    plural = crd("thing", "Else")
    assert accept(plural, [first])[1] == ("PluralConflict", '"thing" is already in use')


def test_names_once_given_are_kept_while_others_are_asked_for() -> None:
    first, second = accepted(crd()), accepted(crd("others", "Other", shortNames=["ot"]))
    second["spec"]["names"]["shortNames"] = ["thing"]
    settle(second, [first], True, LATER)
    assert second["status"]["acceptedNames"]["shortNames"] == ["ot"]
    assert told(second, "NamesAccepted")[:2] == ("False", "ShortNamesConflict")
    assert told(second, "Established")[0] == "True"


def test_a_name_that_is_free_again() -> None:
    first, second = accepted(crd(shortNames=["th"])), crd("others", "Other", shortNames=["th"])
    settle(second, [first], False, NOW)
    settle(second, [], False, NOW)
    assert told(second, "NamesAccepted")[0] == "True"
    assert second["status"]["acceptedNames"]["shortNames"] == ["th"]


def test_protected_groups_say_how_they_are_approved() -> None:
    obj = crd(group="things.k8s.io")
    obj["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}
    settle(obj, [], True, NOW)
    expected = ("False", "UnapprovedAnnotation", 'not approved: "unapproved, a test"')
    assert told(obj, "KubernetesAPIApprovalPolicyConformant") == expected
    obj["metadata"]["annotations"] = {"api-approved.kubernetes.io": "https://example.com/pull/1"}
    settle(obj, [], True, NOW)
    expected = ("True", "ApprovedAnnotation", "approved in https://example.com/pull/1")
    assert told(obj, "KubernetesAPIApprovalPolicyConformant") == expected


def test_a_condition_keeps_its_place_and_its_time() -> None:
    obj = accepted(crd())
    set_condition(obj, "NamesAccepted", "True", "Other", "words", LATER)
    assert [each["type"] for each in obj["status"]["conditions"]] == ["NamesAccepted", "Established"]
    assert (condition_of(obj, "NamesAccepted") or {})["lastTransitionTime"] == "2026-11-22T11:00:00Z"
    set_condition(obj, "NamesAccepted", "False", "Other", "words", LATER)
    assert (condition_of(obj, "NamesAccepted") or {})["lastTransitionTime"] == "2026-11-22T12:00:00Z"
