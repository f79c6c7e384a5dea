"""Health, version, metrics and documentation."""

from __future__ import annotations

from tests.integration.apiserver.api import Api, config_map


async def test_health_by_name(api: Api) -> None:
    for page in ("healthz", "livez", "readyz"):
        assert (await api.get(f"/{page}")).body == "ok"
        verbose = (await api.get(f"/{page}?verbose")).body
        assert "[+]ping ok" in verbose
        assert verbose.endswith(f"{page} check passed\n")
    assert (await api.get("/readyz/etcd")).body == "ok"
    assert "[+]etcd" not in (await api.get("/readyz?verbose&exclude=etcd")).body


async def test_the_version_is_that_of_the_api(api: Api) -> None:
    version = (await api.get("/version")).body
    assert (version["major"], version["minor"]) == ("1", "36")
    assert version["gitVersion"].startswith("v1.36.")


async def test_metrics_count_what_was_asked(api: Api) -> None:
    await api.create("configmaps", config_map())
    await api.create("configmaps", config_map())
    async with api.watch(api.path("configmaps")):
        text = (await api.get("/metrics")).body
    for code in ("201", "409"):
        assert f'apiserver_request_total{{code="{code}",group="",resource="configmaps",verb="create"}}' in text
    assert 'apiserver_request_duration_seconds_bucket{group="",le="+Inf",resource="configmaps",verb="create"}' in text
    assert 'apiserver_registered_watchers{group="",resource="configmaps"} 1.0' in text
    assert 'apiserver_storage_objects{resource="namespaces"}' in text
    assert "process_resident_memory_bytes" in text


async def test_the_documents(api: Api) -> None:
    index = (await api.get("/openapi/v3")).body["paths"]
    assert {"api/v1", "apis/apps/v1"} <= set(index)
    document = (await api.get(index["apis/apps/v1"]["serverRelativeURL"])).body
    assert document["openapi"].startswith("3.")
    assert "io.k8s.api.apps.v1.Deployment" in document["components"]["schemas"]
    assert (await api.get("/openapi/v2")).body["swagger"] == "2.0"
    missing = await api.get("/openapi/v3/apis/none/v1")
    assert (missing.code, missing.reason) == (404, "NotFound")


async def test_a_page_that_is_not_there(api: Api) -> None:
    answer = await api.get("/nothing/here")
    assert (answer.code, answer.reason) == (404, "NotFound")
