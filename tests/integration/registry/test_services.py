"""Addresses and node ports: each held once, by whoever was first, and free again when its Service goes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.integration.registry.conftest import Answer, Api
from tests.unit.registry.objects import service
from tests.unit.registry.support import edited


def test_services_made_at_once_never_share(api: Api, namespace: str) -> None:
    path = f"/api/v1{namespace}/services"
    bodies = [
        edited(edited(service(type="NodePort"), "metadata.namespace", None), "metadata.name", f"s{number}")
        for number in range(40)
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: api.post(path, body), bodies))
    assert {answer.code for answer in answers} == {201}
    assert len({answer.body["spec"]["clusterIP"] for answer in answers}) == 40
    assert len({answer.body["spec"]["ports"][0]["nodePort"] for answer in answers}) == 40


def test_of_many_who_want_one_port_one_gets_it(api: Api, namespace: str) -> None:
    path = f"/api/v1{namespace}/services"
    wanted = edited(service(type="NodePort", ports=[{"port": 80, "nodePort": 30333}]), "metadata.namespace", None)

    def ask(number: int) -> Answer:
        return api.post(path, edited(wanted, "metadata.name", f"s{number}"))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    assert sorted(answer.code for answer in answers) == [201] + [422] * 15
    refused = [answer for answer in answers if answer.code == 422]
    assert all(answer.message.endswith("provided port is already allocated") for answer in refused)
    assert len(api.names(path)) == 1


def test_what_a_service_held_is_free_when_it_has_gone(api: Api, namespace: str) -> None:
    path = f"/api/v1{namespace}/services"
    wanted = edited(
        service(type="NodePort", clusterIP="10.96.44.44", ports=[{"port": 80, "nodePort": 30444}]),
        "metadata.namespace",
        None,
    )
    for _ in range(3):
        api.made(path, wanted)
        assert api.send("DELETE", f"{path}/web").code == 200


def test_a_service_that_becomes_another_type_gives_back_what_it_no_longer_needs(api: Api, namespace: str) -> None:
    path = f"/api/v1{namespace}/services"
    wanted = edited(service(type="NodePort", ports=[{"port": 80, "nodePort": 30445}]), "metadata.namespace", None)
    api.made(path, wanted)
    changed = api.patch(f"{path}/web", {"spec": {"type": "ClusterIP"}})
    assert changed.code == 200
    assert "nodePort" not in changed.body["spec"]["ports"][0]
    api.made(path, edited(wanted, "metadata.name", "other"))
