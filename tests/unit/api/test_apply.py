"""Server-side apply by example: who owns what, what conflicts, what goes, in Kubernetes' own terms."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api.apply import (
    Apply,
    ApplyConflict,
    Scope,
    Writer,
    change,
    foreign,
    keep_times,
    owned_after_create,
    owned_after_update,
)
from api.apply.fieldset import difference, intersection, paths, union, well_formed, without
from api.errors import BadRequest, StatusError
from api.schema import load
from tests.unit.api.objects import deployment

Object = dict[str, Any]

DEPLOYMENT = load("io.k8s.api.apps.v1.Deployment")
MAIN = Scope(DEPLOYMENT, "apps/v1", reset="status")
STATUS = Scope(DEPLOYMENT, "apps/v1", "status", only="status")
SCALE = Scope(DEPLOYMENT, "apps/v1", "scale", reset="status")
T1, T2, T3 = (f"2026-11-22T11:00:0{i}Z" for i in range(3))


def config(**spec: Any) -> Object:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def containers(*items: Object) -> Object:
    return {"template": {"spec": {"containers": list(items)}}}


def apply(manager: str, what: Object, live: Object | None, time: str = T2, force: bool = False) -> Object:
    result = Apply(what, MAIN, Writer(manager, time), force).to(live)
    return orjson.loads(orjson.dumps(result))  # type: ignore[no-any-return]


def create(manager: str, obj: Object) -> Object:
    return with_managed(obj, owned_after_create(obj, None, MAIN, Writer(manager, T1)))


def update(manager: str, old: Object, given: Any = None, scope: Scope = MAIN, time: str = T2, **spec: Any) -> Object:
    new = {**old, "spec": {**old["spec"], **spec}}
    return with_managed(new, owned_after_update(new, old, given, scope, Writer(manager, time)))


def with_managed(obj: Object, managed: list[Object]) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "managedFields": managed}}


def owners(obj: Object) -> dict[tuple[str, str], set[str]]:
    """What each manager owns, by name and operation."""
    entries = obj["metadata"].get("managedFields") or []
    return {(each["manager"], each["operation"]): set(paths(each["fieldsV1"])) for each in entries}


def test_a_new_object_belongs_to_its_maker() -> None:
    made = create("kubectl-create", deployment())
    (entry,) = made["metadata"]["managedFields"]
    assert {key: value for key, value in entry.items() if key != "fieldsV1"} == {
        "apiVersion": "apps/v1",
        "fieldsType": "FieldsV1",
        "manager": "kubectl-create",
        "operation": "Update",
        "time": T1,
    }
    assert entry["fieldsV1"]["f:metadata"]["f:labels"] == {".": {}, "f:app": {}}
    spec = entry["fieldsV1"]["f:spec"]
    assert spec["f:selector"] == {}
    assert spec["f:strategy"] == {
        "f:type": {},
        "f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}},
    }
    app = spec["f:template"]["f:spec"]["f:containers"]['k:{"name":"app"}']
    assert app["f:ports"] == {
        ".": {},
        'k:{"containerPort":8080,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
    }
    assert "f:name" not in entry["fieldsV1"]["f:metadata"]


def test_an_apply_makes_an_object_and_owns_what_it_says() -> None:
    made = apply(
        "me", config(replicas=2, **containers({"name": "app", "image": "a", "ports": [{"containerPort": 1}]})), None
    )
    assert owners(made) == {
        ("me", "Apply"): {
            ".spec.replicas",
            '.spec.template.spec.containers[name="app"]',
            '.spec.template.spec.containers[name="app"].name',
            '.spec.template.spec.containers[name="app"].image',
            '.spec.template.spec.containers[name="app"].ports[containerPort=1,protocol="TCP"]',
            '.spec.template.spec.containers[name="app"].ports[containerPort=1,protocol="TCP"].containerPort',
        }
    }


def test_a_second_apply_changes_nothing_not_even_the_time() -> None:
    first = apply("me", config(paused=True), deployment(), T1)
    assert apply("me", config(paused=True), first, T3) == first


def test_one_conflict_names_the_owner() -> None:
    live = create("kubectl-client-side-apply", deployment())
    with pytest.raises(ApplyConflict) as refused:
        apply("me", config(replicas=9), live)
    assert refused.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Apply failed with 1 conflict: "
        'conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
        "reason": "Conflict",
        "details": {
            "causes": [
                {
                    "reason": "FieldManagerConflict",
                    "message": 'conflict with "kubectl-client-side-apply" using apps/v1',
                    "field": ".spec.replicas",
                }
            ]
        },
        "code": 409,
    }


def test_many_conflicts_are_told_by_owner() -> None:
    live = apply("other", config(paused=True, **containers({"name": "app", "image": "b"})), deployment(), force=True)
    live = update("scaler", live, scope=SCALE, replicas=4)
    with pytest.raises(ApplyConflict) as refused:
        apply("me", config(replicas=1, paused=False, **containers({"name": "app", "image": "c"})), live)
    assert refused.value.message == (
        "Apply failed with 3 conflicts: "
        'conflicts with "other":\n'
        "- .spec.paused\n"
        '- .spec.template.spec.containers[name="app"].image\n'
        'conflicts with "scaler" with subresource "scale" using apps/v1:\n'
        "- .spec.replicas"
    )


def test_the_same_value_is_owned_together_and_force_takes_it() -> None:
    live = apply("one", config(replicas=2), create("maker", deployment()), force=True)
    both = apply("two", config(replicas=2), live)
    assert ".spec.replicas" in owners(both)["one", "Apply"] & owners(both)["two", "Apply"]
    taken = apply("two", config(replicas=3), both, force=True)
    assert ("one", "Apply") not in owners(taken)
    assert taken["spec"]["replicas"] == 3


def test_what_is_no_longer_applied_goes_unless_others_own_it() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    what = config(paused=True, **containers({"name": "app", "image": "a", "env": env}, {"name": "side", "image": "s"}))
    live = apply("one", what, None)
    shared = apply("two", config(paused=True), live)
    left = apply("one", config(**containers({"name": "app", "image": "a", "env": env[:1]})), shared)
    assert left["spec"]["paused"] is True
    assert left["spec"]["template"]["spec"]["containers"] == [{"name": "app", "image": "a", "env": env[:1]}]
    alone = apply("two", config(), left)
    assert "paused" not in alone["spec"]


def test_giving_up_a_field_that_was_updated_leaves_it() -> None:
    live = update("scaler", apply("me", config(replicas=2, paused=True), None), replicas=5)
    assert owners(live) == {("me", "Apply"): {".spec.paused"}, ("scaler", "Update"): {".spec.replicas"}}
    left = apply("me", config(paused=True), live)
    assert left["spec"] == {"replicas": 5, "paused": True}


def test_an_update_takes_what_it_changes_and_loses_what_it_removes() -> None:
    live = create("maker", deployment())
    changed = update("other", live, replicas=8)
    assert ".spec.replicas" in owners(changed)["other", "Update"]
    assert ".spec.replicas" not in owners(changed)["maker", "Update"]
    without_replicas = {**changed, "spec": {k: v for k, v in changed["spec"].items() if k != "replicas"}}
    managed = owned_after_update(without_replicas, changed, None, MAIN, Writer("third", T3))
    assert {each["manager"] for each in managed} == {"maker"}  # an empty manager is dropped


def test_times_change_only_with_what_is_owned() -> None:
    live = create("maker", deployment())
    assert update("maker", live, time=T3) == live
    again = update("maker", live, time=T3, replicas=4)
    assert [each["time"] for each in again["metadata"]["managedFields"]] == [T3]
    reverted = {**again, "spec": live["spec"]}
    keep_times(reverted, live)
    assert reverted["metadata"]["managedFields"] == live["metadata"]["managedFields"]


def test_status_is_owned_through_its_subresource() -> None:
    live = create("maker", {**deployment(), "status": {"replicas": 1}})
    assert not any(path.startswith(".status") for path in owners(live)["maker", "Update"])
    new = {**live, "status": {"replicas": 2, "conditions": [{"type": "Available", "status": "True"}]}}
    managed = owned_after_update(new, live, None, STATUS, Writer("controller", T2))
    (entry,) = [each for each in managed if each["manager"] == "controller"]
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {
        "f:status": {
            "f:replicas": {},
            "f:conditions": {".": {}, 'k:{"type":"Available"}': {".": {}, "f:type": {}, "f:status": {}}},
        }
    }
    applied = apply("me", {**config(replicas=3), "status": {"replicas": 9}}, live)
    assert owners(applied)["me", "Apply"] == {".spec.replicas"}


def test_an_untracked_object_stays_so_until_it_is_applied_to() -> None:
    assert owned_after_update({**deployment(), "spec": {}}, deployment(), None, MAIN, Writer("x", T1)) == []
    live = apply("me", config(paused=True), deployment())
    assert ".spec.replicas" in owners(live)["before-first-apply", "Update"]
    with pytest.raises(ApplyConflict, match=r'conflict with "before-first-apply" using apps/v1: \.spec\.replicas'):
        apply("me", config(replicas=1), deployment())


def test_managers_are_reset_and_kept() -> None:
    live = create("maker", deployment())
    kept = live["metadata"]["managedFields"]
    resets: list[list[Object]] = [[], [{}]]
    for reset in resets:
        assert update("x", live, given=reset)["metadata"]["managedFields"] == []
    assert update("x", live, given=None)["metadata"]["managedFields"] == kept
    assert update("x", live, given=kept)["metadata"]["managedFields"] == kept
    nonsense = [{**kept[0], "fieldsV1": {"nonsense": 1}}]
    assert update("x", live, given=nonsense)["metadata"]["managedFields"] == kept
    edited = [{**kept[0], "manager": "somebody"}]
    assert update("x", live, given=edited)["metadata"]["managedFields"] == edited
    assert update("x", live, given=[], scope=SCALE)["metadata"]["managedFields"] == kept


def test_old_updates_are_joined() -> None:
    live = create("maker", deployment())
    for index in range(14):
        new = {**live, "metadata": {**live["metadata"], "labels": {**live["metadata"]["labels"], f"l{index}": "x"}}}
        writer = Writer(f"writer-{index:02}", f"2026-11-22T12:00:{index:02}Z")
        live = with_managed(new, owned_after_update(new, live, None, MAIN, writer))
    managers = [each["manager"] for each in live["metadata"]["managedFields"]]
    assert managers == ["ancient-changes", *(f"writer-{index:02}" for index in range(5, 14))]
    assert ".metadata.labels.l0" in owners(live)["ancient-changes", "Update"]


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def test_kubectl_takes_over_what_it_applied_from_the_client() -> None:
    applied = config(replicas=3, paused=False)
    live = {**deployment(), "spec": {**deployment()["spec"], "paused": False}}
    live["metadata"]["annotations"] = {LAST_APPLIED: orjson.dumps(applied).decode()}
    live = create("kubectl-client-side-apply", live)
    taken = apply("kubectl", config(replicas=5, paused=False), live)
    assert taken["spec"]["replicas"] == 5
    assert orjson.loads(taken["metadata"]["annotations"][LAST_APPLIED]) == config(replicas=5, paused=False)
    with pytest.raises(ApplyConflict):
        apply("somebody", config(replicas=5), live)
    changed = update("scaler", live, replicas=7)
    with pytest.raises(ApplyConflict, match="scaler"):
        apply("kubectl", config(replicas=5), changed)


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        (config(replica=1), ".spec.replica: field not declared in schema"),
        (config(replicas="x"), ".spec.replicas: expected numeric (int or float), got string"),
        (config(template=[]), ".spec.template: expected map, got []interface {}"),
        (
            config(**containers({"name": "a"}, {"name": "a"})),
            '.spec.template.spec.containers: duplicate entries for key [name="a"]',
        ),
        (
            config(replica=1, selectors={}),
            "errors:\n  .spec.replica: field not declared in schema\n  .spec.selectors: field not declared in schema",
        ),
        (
            config(**containers({"image": "a"})),
            ".spec.template.spec.containers: element 0: associative list with keys has an element "
            'that omits key field "name" (and doesn\'t have default value)',
        ),
    ],
)
def test_what_cannot_be_applied(what: Object, problem: str) -> None:
    with pytest.raises(StatusError) as refused:
        apply("me", what, None)
    assert refused.value.code == 500
    assert refused.value.message == (f"failed to create typed patch object (/web; apps/v1, Kind=Deployment): {problem}")


def test_managers_are_not_applied() -> None:
    with pytest.raises(BadRequest, match=r"metadata\.managedFields must be nil"):
        apply("me", {**config(), "metadata": {"name": "web", "managedFields": []}}, None)


def test_elements_keep_their_places() -> None:
    items = [{"name": name, "image": "x"} for name in "abcd"]
    live = create("maker", {**deployment(), "spec": containers(*items)})
    wanted = [{"name": name} for name in ("new", "d", "b")]
    merged = apply("me", config(**containers(*wanted)), live)["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in merged] == ["a", "c", "new", "d", "b"]
    assert merged[0] == items[0]


def test_an_element_that_stands_twice_is_owned_as_one() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    live = create("maker", {**deployment(), "spec": containers({"name": "app", "env": env})})
    path = '.spec.template.spec.containers[name="app"].env[name="A"]'
    assert path in owners(live)["maker", "Update"]
    assert f"{path}.value" not in owners(live)["maker", "Update"]
    fixed = apply("me", config(**containers({"name": "app", "env": [{"name": "A", "value": "3"}]})), live, force=True)
    assert fixed["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A", "value": "3"}]


def test_sets_of_fields() -> None:
    one: Object = {"f:a": {".": {}, "f:b": {}}, "f:c": {}}
    other: Object = {"f:a": {"f:b": {}, "f:d": {}}, "f:e": {}}
    assert union(one, other) == {"f:a": {".": {}, "f:b": {}, "f:d": {}}, "f:c": {}, "f:e": {}}
    assert intersection(one, other) == {"f:a": {"f:b": {}}}
    assert difference(one, other) == {"f:a": {}, "f:c": {}}
    assert difference(other, one) == {"f:a": {"f:d": {}}, "f:e": {}}
    assert without(one, {"f:a": {}}) == {"f:c": {}}
    assert list(paths({"f:a": {".": {}, 'v:"x"': {}, 'k:{"n":1,"m":"y"}': {}, "i:3": {}}})) == [
        ".a",
        '.a[m="y",n=1]',
        '.a[="x"]',
        ".a[3]",
    ]
    nonsense: list[Any] = [{"a": {}}, {"f:a": 1}, {"k:x": {}}, {"k:1": {}}, {".": {"f:a": {}}}, []]
    assert not any(map(well_formed, nonsense))


def test_ownership_in_other_versions() -> None:
    live = update("other", create("maker", deployment()), replicas=4)
    entries = live["metadata"]["managedFields"]
    entries[0] = {**entries[0], "apiVersion": "apps/v1beta9"}
    new = {**live, "spec": {**live["spec"], "replicas": 5}}
    there = change(live, new, MAIN)
    kept = owned_after_update(new, live, None, MAIN, Writer("third", T3), {"apps/v1beta9": there})
    assert [each["manager"] for each in kept] == ["maker", "third"]
    assert kept[0] == entries[0]
    forgotten = owned_after_update(new, live, None, MAIN, Writer("third", T3))
    assert [each["manager"] for each in forgotten] == ["third"]
    assert foreign(live, MAIN) == {"apps/v1beta9"}
    applied = Apply(config(paused=True), MAIN, Writer("me", T3)).to(live)
    assert {each["manager"] for each in applied["metadata"]["managedFields"]} == {"me", "other"}
