"""Custom kinds at a real API server: served at once, kept by their schema, gone with their definition."""

from __future__ import annotations

from tests.integration.apiserver.api import JSON_PATCH, MERGE, STRATEGIC, TABLE, Answer, Api
from tests.integration.apiserver.custom import (
    DEFINITIONS,
    INTEGER,
    STRING,
    conditions,
    custom,
    definition,
    established,
    fresh_group,
    gone,
    obj,
    until,
    version,
)


async def test_a_definition_is_accepted_and_its_kind_served(api: Api) -> None:
    group = fresh_group()
    crd = await established(api, definition(group))
    assert conditions(crd) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert crd["status"]["storedVersions"] == ["v1"]
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    assert crd["status"]["acceptedNames"] == {**names, "shortNames": ["th"], "categories": ["all"]}
    assert crd["spec"]["conversion"] == {"strategy": "None"}
    resources = (await api.get(f"/apis/{group}/v1")).body["resources"]
    assert [(each["name"], each["kind"], each["shortNames"]) for each in resources] == [("things", "Thing", ["th"])]
    document = (await api.get(f"/openapi/v3/apis/{group}/v1")).body
    name = ".".join([*reversed(group.split(".")), "v1", "Thing"])
    assert document["components"]["schemas"][name]["properties"]["spec"]["properties"]["size"] == {"type": "integer"}


async def test_what_the_schema_does_not_know_goes_and_what_it_forbids_is_refused(api: Api) -> None:
    schema = obj(size={"type": "integer", "maximum": 10, "default": 3}, colour=STRING)
    async with custom(api, version(schema=schema)) as things:
        made = await things.create("a", {"colour": "red", "taste": "sweet"})
        assert (made.code, made.body["spec"]) == (201, {"colour": "red", "size": 3})
        assert made.headers["warning"] == '299 - "unknown field \\"spec.taste\\""'
        strict = await things.create("b", {"taste": "sweet"}, query="?fieldValidation=Strict")
        assert (strict.code, strict.message.rpartition(": ")[2]) == (400, 'unknown field "spec.taste"')
        wrong = await things.create("c", {"size": 11, "colour": 7})
        assert (wrong.code, wrong.reason) == (422, "Invalid")
        assert [cause["message"] for cause in wrong.body["details"]["causes"]] == [
            "Invalid value: 11: spec.size in body should be less than or equal to 10",
            'Invalid value: "integer": spec.colour in body must be of type string: "integer"',
        ]
        assert [cause["field"] for cause in wrong.body["details"]["causes"]] == ["spec.size", "spec.colour"]


async def test_patches(api: Api) -> None:
    async with custom(api) as things:
        await things.create("a", {"size": 1})
        path = things.path("a")
        assert (await api.patch(path, {"spec": {"size": 2}}, MERGE)).body["spec"] == {"size": 2}
        replace = [{"op": "replace", "path": "/spec/size", "value": 3}]
        assert (await api.patch(path, replace, JSON_PATCH)).body["metadata"]["generation"] == 3
        refused = await api.patch(path, {"spec": {"size": 4}}, STRATEGIC)
        assert (refused.code, refused.reason) == (415, "UnsupportedMediaType")
        binary = await api.send("POST", things.path(), b"k8s\0", "application/vnd.kubernetes.protobuf")
        assert (binary.code, binary.message.rpartition(": ")[2]) == (415, "application/json, application/yaml")
        apply = things.thing("a", {"colour": "red"})
        query = f"{path}?fieldManager=me"
        applied = await api.send("PATCH", query, apply, "application/apply-patch+yaml")
        assert (applied.code, applied.body["spec"]) == (200, {"size": 3, "colour": "red"}), applied.message


async def test_status_is_apart_when_the_definition_says_so(api: Api) -> None:
    whole = {"openAPIV3Schema": obj(spec=obj(size=INTEGER), status=obj(seen=INTEGER))}
    async with custom(api, version(schema=None) | {"schema": whole, "subresources": {"status": {}}}) as things:
        made = await things.create("a", {"size": 1}, status={"seen": 7})
        assert "status" not in made.body
        changed = await api.send("PUT", things.path("a", "status"), {**made.body, "spec": {}, "status": {"seen": 1}})
        assert (changed.body["status"], changed.body["spec"]) == ({"seen": 1}, {"size": 1})
        assert changed.body["metadata"]["generation"] == 1
        kept = await api.patch(things.path("a"), {"spec": {"size": 2}, "status": {"seen": 9}})
        assert (kept.body["status"], kept.body["metadata"]["generation"]) == ({"seen": 1}, 2)
        wrong = await api.patch(things.path("a", "status"), {"status": {"seen": "often"}})
        assert (wrong.code, wrong.body["details"]["causes"][0]["field"]) == (422, "status.seen")


async def test_without_a_status_of_its_own_it_is_like_any_field(api: Api) -> None:
    whole = {"openAPIV3Schema": obj(spec=obj(size=INTEGER), status=obj(seen=INTEGER))}
    async with custom(api, version() | {"schema": whole}) as things:
        assert (await things.create("a", {}, status={"seen": 7})).body["status"] == {"seen": 7}
        changed = await api.patch(things.path("a"), {"status": {"seen": 8}})
        assert changed.body["metadata"]["generation"] == 2
        assert (await api.get(things.path("a", "status"))).code == 404


async def test_scale(api: Api) -> None:
    whole = {"openAPIV3Schema": obj(spec=obj(count=INTEGER), status=obj(count=INTEGER, labels=STRING))}
    scale = {
        "specReplicasPath": ".spec.count",
        "statusReplicasPath": ".status.count",
        "labelSelectorPath": ".status.labels",
    }
    async with custom(api, version() | {"schema": whole, "subresources": {"status": {}, "scale": scale}}) as things:
        await things.create("a", {"count": 2})
        await api.patch(things.path("a", "status"), {"status": {"count": 1, "labels": "app=web"}})
        found = (await api.get(things.path("a", "scale"))).body
        assert (found["spec"], found["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "app=web"})
        assert (await api.patch(things.path("a", "scale"), {"spec": {"replicas": 5}})).code == 200
        assert (await things.get("a"))["spec"] == {"count": 5}
        negative = await things.create("b", {"count": -1})
        assert negative.body["details"]["causes"][0]["message"] == "Invalid value: -1: should be a non-negative integer"
        await things.create("c", {})
        unset = await api.get(things.path("c", "scale"))
        assert unset.message == 'Internal error occurred: the spec replicas field ".spec.count" does not exist'
        assert (await api.patch(things.path("c", "scale"), {"spec": {"replicas": 1}})).body["spec"] == {"replicas": 1}


async def test_columns_and_selectable_fields(api: Api) -> None:
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Colours", "type": "string", "jsonPath": ".spec.colour", "priority": 1},
        {"name": "Made", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    fields = [{"jsonPath": ".spec.colour"}]
    async with custom(api, version(additionalPrinterColumns=columns, selectableFields=fields)) as things:
        await things.create("a", {"size": 3, "colour": "red"})
        await things.create("b", {"colour": "blue"})
        table = (await api.get(things.path(), accept=TABLE)).body
        assert [(each["name"], each["type"], each["priority"]) for each in table["columnDefinitions"]] == [
            ("Name", "string", 0),
            ("Size", "integer", 0),
            ("Colours", "string", 1),
            ("Made", "date", 0),
        ]
        assert [row["cells"][:3] for row in table["rows"]] == [["a", 3, "red"], ["b", None, "blue"]]
        assert (await api.get(f"{things.path()}?fieldSelector=spec.colour=blue")).names == ["b"]
        assert (await api.get(f"{things.path()}?fieldSelector=spec.colour!=blue")).names == ["a"]
        unknown = await api.get(f"{things.path()}?fieldSelector=spec.size=3")
        assert (unknown.code, unknown.message.rpartition(": ")[2]) == (400, "spec.size")


async def test_a_schema_that_changes(api: Api) -> None:
    async with custom(api) as things:
        await things.create("old", {"size": 1, "colour": "red"})
        document = f"apis/{things.group}/v1"
        before = (await api.get("/openapi/v3")).body["paths"][document]["serverRelativeURL"]
        stricter = obj(
            size={"type": "integer", "maximum": 0}, colour={"type": "string"}, new={"type": "string", "default": "n"}
        )
        assert (await things.redefine(version(schema=stricter))).code == 200
        assert (await things.create("x", {"size": 1})).code == 422
        assert (await things.get("old"))["spec"] == {"size": 1, "colour": "red", "new": "n"}
        after = (await api.get("/openapi/v3")).body["paths"][document]["serverRelativeURL"]
        assert after != before  # so that clients read it anew
        spec = next(iter((await api.get(after)).body["components"]["schemas"].values()))["properties"]["spec"]
        assert spec["properties"]["new"] == {"type": "string", "default": "n"}
        # What was wrong already may stay, and no more may go wrong.
        assert (await api.patch(things.path("old"), {"spec": {"colour": "blue"}})).code == 200
        assert (await api.patch(things.path("old"), {"spec": {"size": 2}})).code == 422


async def test_names_that_are_taken(api: Api) -> None:
    group = fresh_group()
    await established(api, definition(group))
    names = {"plural": "others", "kind": "Thing", "listKind": "OtherList", "shortNames": ["th"]}
    second = definition(group, names=names)
    assert (await api.send("POST", DEFINITIONS, second)).code == 201
    crd = await until(api, second, "NamesAccepted", "False")
    found = {each["type"]: (each["reason"], each["message"]) for each in crd["status"]["conditions"]}
    assert found["NamesAccepted"] == ("KindConflict", '"Thing" is already in use')
    assert conditions(crd)["Established"] == ("False", "NotAccepted")
    assert (await api.get(f"/apis/{group}/v1/others")).code == 404
    await api.delete(f"{DEFINITIONS}/things.{group}")
    await until(api, second, "Established")
    assert (await api.get(f"/apis/{group}/v1/others")).code == 200


async def test_a_definition_goes_when_its_objects_have_gone(api: Api) -> None:
    async with custom(api) as things:
        await things.create("a")
        held = things.thing("b")
        held["metadata"]["finalizers"] = ["hold"]
        assert (await api.send("POST", things.path(), held)).code == 201
        async with api.watch(things.path()) as events:
            assert await events.take(2) == [("ADDED", "a"), ("ADDED", "b")]
            deleted = await api.delete(things.definition)
            assert deleted.code == 200, deleted.message
            assert sorted(await events.take(2)) == [("DELETED", "a"), ("MODIFIED", "b")]
        crd = (await api.get(things.definition)).body
        assert crd["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
        assert conditions(crd)["Terminating"][0] == "True"
        late = await things.create("c")
        assert (late.code, late.reason) == (405, "MethodNotAllowed")
        assert (await api.patch(things.path("b"), {"metadata": {"finalizers": None}})).code == 200
        await gone(api, crd)
        assert (await api.get(things.path())).code == 404


async def test_what_cannot_change(api: Api) -> None:
    async with custom(api) as things:
        answer = await api.patch(things.definition, {"spec": {"scope": "Cluster", "names": {"kind": "Else"}}})
        assert [cause["field"] for cause in answer.body["details"]["causes"]] == ["spec.scope", "spec.names.kind"]
        gone = await things.redefine(version("v2"))
        assert gone.body["details"]["causes"][0]["field"] == "status.storedVersions[0]"


async def test_watches_end_when_the_definition_changes_and_go_on_from_where_they_were(api: Api) -> None:
    async with custom(api) as things:
        await things.create("a", {"size": 1})
        assert (await things.redefine(version(schema=obj(size=INTEGER)))).code == 200
        async with api.watch(things.path()) as events:
            assert (await events.next())["object"]["spec"] == {"size": 1}
            await things.create("b")
            assert await events.take(1) == [("ADDED", "b")]


async def test_rules_in_cel(api: Api) -> None:
    rules = [
        {"rule": "self.low <= self.high", "message": "low must not exceed high"},
        {"rule": "!has(oldSelf.low) || self.low >= oldSelf.low", "message": "low only grows"},
    ]
    schema = {**obj(low=INTEGER, high=INTEGER), "required": ["low", "high"], "x-kubernetes-validations": rules}
    async with custom(api, version(schema=schema)) as things:
        wrong = await things.create("a", {"low": 2, "high": 1})
        assert [cause["message"] for cause in wrong.body["details"]["causes"]] == [
            "Invalid value: low must not exceed high"
        ]
        assert (await things.create("a", {"low": 2, "high": 3})).code == 201
        assert (await api.patch(things.path("a"), {"spec": {"low": 1}})).code == 422
        missing = await things.create("b", {"low": 1})
        assert len(missing.body["details"]["causes"]) == 2


async def test_apply_merges_as_the_schema_says(api: Api) -> None:
    port = {**obj(name=STRING, number=INTEGER), "required": ["name"]}
    schema = obj(
        ports={
            "type": "array",
            "items": port,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        tags={"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
        whole={"type": "array", "items": STRING},
        sealed={**obj(a=STRING, b=STRING), "x-kubernetes-map-type": "atomic"},
        free={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    )
    async with custom(api, version(schema=schema)) as things:

        async def apply(manager: str, **spec: object) -> Answer:
            path = f"{things.path('a')}?fieldManager={manager}"
            return await api.send("PATCH", path, things.thing("a", spec), "application/apply-patch+yaml")

        first = await apply(
            "one",
            ports=[{"name": "web", "number": 80}],
            tags=["x"],
            whole=["a"],
            sealed={"a": "1"},
            free={"mine": {"x": 1}},
        )
        assert first.code == 201, first.message
        second = await apply("two", ports=[{"name": "dns", "number": 53}], tags=["y"], free={"theirs": 1})
        assert second.code == 200, second.message
        assert second.body["spec"] == {
            "ports": [{"name": "web", "number": 80}, {"name": "dns", "number": 53}],
            "tags": ["x", "y"],
            "whole": ["a"],
            "sealed": {"a": "1"},
            "free": {"mine": {"x": 1}, "theirs": 1},
        }
        refused = await apply("two", whole=["b"], sealed={"b": "2"}, ports=[{"name": "web", "number": 81}])
        assert refused.code == 409
        assert sorted(cause["field"] for cause in refused.body["details"]["causes"]) == [
            '.spec.ports[name="web"].number',
            ".spec.sealed",
            ".spec.whole",
        ]
        third = await apply("one", tags=["x"])
        assert third.body["spec"] == {
            "ports": [{"name": "dns", "number": 53}],
            "tags": ["x", "y"],
            "free": {"theirs": 1},
        }
