"""What holds for server-side apply whatever is applied and updated, by whom and in which order."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from api.apply import Apply, ApplyConflict, Scope, Writer, owned_after_create, owned_after_update
from api.apply.fieldset import Tree, difference, intersection, member, paths, union
from api.apply.shapes import shape_of
from api.apply.typed import EMBEDDED
from api.patch import merge_patch
from api.schema import load, type_error
from tests.unit.api.generated import configs, whole

Object = dict[str, Any]

SCHEMA = load("io.k8s.api.apps.v1.Deployment")
SHAPE = shape_of(SCHEMA)
MAIN = Scope(SCHEMA, "apps/v1", reset="status")

managers = st.sampled_from(["one", "two", "three"])
steps = st.lists(st.tuples(st.sampled_from(["apply", "force", "update"]), managers, configs.map(whole)), max_size=6)


def run(history: list[tuple[str, str, Object]]) -> Object | None:
    """The object after applies (which may be refused) and updates."""
    live: Object | None = None
    for index, (how, who, config) in enumerate(history):
        writer = Writer(who, f"2026-11-22T11:00:{index:02}Z")
        live = _updated(live, config, writer) if how == "update" else _applied(live, config, writer, how == "force")
    return live


def _updated(live: Object | None, config: Object, writer: Writer) -> Object:
    new = _copy(merge_patch(live or {}, config))
    managed = owned_after_update(new, live, None, MAIN, writer) if live else owned_after_create(new, None, MAIN, writer)
    new["metadata"]["managedFields"] = managed
    return new


def _applied(live: Object | None, config: Object, writer: Writer, force: bool) -> Object | None:
    try:
        return _copy(Apply(config, MAIN, writer, force).to(live))
    except ApplyConflict:
        return live


def _copy(obj: Object) -> Object:
    copied: Object = orjson.loads(orjson.dumps(obj))
    return copied


def owned(obj: Object, manager: str = "", operation: str = "") -> Tree:
    """What everybody, or one manager, owns."""
    tree: Tree = {}
    for entry in obj["metadata"]["managedFields"]:
        if manager in ("", entry["manager"]) and operation in ("", entry["operation"]):
            tree = union(tree, entry["fieldsV1"])
    return tree


def leaves(tree: Tree) -> set[str]:
    """The paths below which there is nothing."""
    everything = list(paths(tree))  # in order: what is below a path follows it
    return {path for path, after in zip(everything, [*everything[1:], ""], strict=True) if not after.startswith(path)}


def bare(obj: Object) -> Object:
    """The object without what belongs to the server."""
    return {**obj, "metadata": {key: item for key, item in obj["metadata"].items() if key != "managedFields"}}


def fields_of(obj: Object) -> Tree:
    return MAIN.own(SHAPE.fields(bare(obj)))


@given(steps, managers, configs.map(whole), st.booleans())
def test_applying_twice_is_applying_once(
    history: list[tuple[str, str, Object]], who: str, config: Object, force: bool
) -> None:
    live = run(history)
    once = _applied(live, config, Writer(who, "2026-11-22T12:00:00Z"), True)
    assert _applied(once, config, Writer(who, "2026-11-22T13:00:00Z"), force) == once


@given(steps, managers, configs.map(whole))
def test_the_applier_owns_what_it_applied_and_the_object_says_so(
    history: list[tuple[str, str, Object]], who: str, config: Object
) -> None:
    live = _applied(run(history), config, Writer(who, "2026-11-22T12:00:00Z"), True)
    assert live is not None
    wanted = fields_of(config)
    assert owned(live, who, "Apply") == wanted
    assert SHAPE.merge(bare(live), config) == bare(live)


@given(steps)
def test_no_leaf_is_without_an_owner(history: list[tuple[str, str, Object]]) -> None:
    live = run(history)
    if live is not None and owned(live):  # one that nobody owns anything of is not tracked
        assert leaves(fields_of(live)) <= set(paths(owned(live)))


@given(steps)
def test_nothing_is_owned_that_is_not_there(history: list[tuple[str, str, Object]]) -> None:
    live = run(history)
    if live is not None:
        there = union(fields_of(live), MAIN.own(SHAPE.grown(bare(live))))
        nowhere = paths(difference(owned(live), there))
        assert {path.rpartition(".")[2] for path in nowhere} <= EMBEDDED  # which count as there when they are missing


def test_a_field_that_is_always_there_keeps_its_owner() -> None:
    container = {"name": "a", "resources": {"limits": {"cpu": "1"}}}
    live = _updated(None, whole({"spec": {"template": {"spec": {"containers": [container]}}}}), Writer("one", "1"))
    less = whole({"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}})
    assert '.spec.template.spec.containers[name="a"].resources' in paths(
        owned(_updated(live, less, Writer("two", "2")))
    )


@given(steps)
def test_the_result_fits_its_schema(history: list[tuple[str, str, Object]]) -> None:
    live = run(history)
    assert live is None or type_error(SCHEMA, "Deployment", "v1", live) is None


@given(steps, managers, configs.map(whole), configs.map(whole))
def test_what_is_given_up_goes_unless_others_own_it(
    history: list[tuple[str, str, Object]], who: str, first: Object, second: Object
) -> None:
    before = _applied(run(history), first, Writer(who, "2026-11-22T12:00:00Z"), True)
    after = _applied(before, second, Writer(who, "2026-11-22T13:00:00Z"), True)
    assert before is not None
    assert after is not None
    others: Tree = {}
    for entry in before["metadata"]["managedFields"]:
        if (entry["manager"], entry["operation"]) != (who, "Apply"):
            others = union(others, entry["fieldsV1"])
    given_up = difference(difference(fields_of(first), fields_of(second)), others)
    still_there = set(paths(intersection(given_up, fields_of(after))))
    kept_for_others = {path for path in still_there if any(other.startswith(path) for other in paths(owned(after)))}
    assert still_there == kept_for_others


@given(configs.map(whole), configs.map(whole), configs.map(whole))
def test_sets_follow_the_laws_of_sets(one: Object, other: Object, third: Object) -> None:
    a, b, c = (fields_of(each) for each in (one, other, third))
    everything = [set(paths(each)) for each in (a, b, c)]
    assert set(paths(union(a, b))) == everything[0] | everything[1]
    assert set(paths(intersection(a, b))) == everything[0] & everything[1]
    assert set(paths(difference(a, b))) == everything[0] - everything[1]
    assert set(paths(difference(union(a, b), c))) == (everything[0] | everything[1]) - everything[2]
    assert union(a, a) is a
    assert not difference(a, a)
    assert member({})


@given(configs.map(whole), configs.map(whole))
def test_a_diff_takes_one_set_to_the_other(old: Object, new: Object) -> None:
    added, modified, removed = (change or {} for change in SHAPE.diff(old, new))
    grown = [set(paths(SHAPE.grown(each))) for each in (old, new)]
    assert set(paths(added)) <= grown[1]
    assert set(paths(removed)) <= grown[0]
    assert set(paths(modified)) <= grown[0] & grown[1]
    left = set(paths(SHAPE.fields(new) or {})) - set(paths(added)) - set(paths(modified))
    assert left <= grown[0]
