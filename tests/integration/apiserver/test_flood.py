"""One client's flood is its own trouble: leases and other clients get through."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.harness.control import ControlPlane
from tests.integration.apiserver.api import CORE, config_map, connect
from tests.integration.apiserver.conftest import TOKENS

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
FLOOD = 400


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder = tmp_path_factory.mktemp("flood")
    tokens = folder / "tokens.csv"
    tokens.write_text(TOKENS + "second,other,18,system:serviceaccounts\n")
    flags = ("--token-auth-file", str(tokens), "--max-requests-inflight", "4")
    with ControlPlane(folder, flags={"apiserver": flags}) as running:
        yield running


async def test_a_flood_of_lists_starves_nobody_else(plane: ControlPlane) -> None:
    async with (
        connect(plane) as admin,
        connect(plane, identity="", token="let-me-in") as flooder,
        connect(plane, identity="", token="second") as other,
        connect(plane, identity="scheduler") as daemon,
    ):
        filler = {"text": "x" * 2000}
        await asyncio.gather(
            *(
                admin.send("POST", f"{CORE}/namespaces/default/configmaps", config_map(f"n{number}", data=filler))
                for number in range(300)
            )
        )
        lease = {"metadata": {"name": "a"}, "spec": {"holderIdentity": "x", "leaseDurationSeconds": 15}}
        assert (await daemon.send("POST", LEASES, lease)).code == 201

        flooder.session.connector._limit = FLOOD  # type: ignore[union-attr]
        await asyncio.gather(*(flooder.get("/livez") for _ in range(FLOOD)))  # so that all connections are open
        flooding = [asyncio.create_task(flooder.get(f"{CORE}/configmaps")) for _ in range(FLOOD)]
        listing = asyncio.create_task(other.get(f"{CORE}/configmaps"))
        renewals = [await daemon.patch(f"{LEASES}/a", {"spec": {"leaseTransitions": count}}) for count in range(20)]
        answers = await asyncio.gather(*flooding)
        listed = await listing

    assert {answer.code for answer in renewals} == {200}
    assert listed.code == 200
    refused = [answer for answer in answers if answer.code != 200]
    assert refused, "so many at once must have been too many"
    for answer in refused:
        assert (answer.code, answer.reason) == (429, "TooManyRequests")
        assert answer.headers["retry-after"] == "1"
        assert answer.message == "Too many requests, please try again later."
