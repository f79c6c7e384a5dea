"""Who may ask a kubelet for what."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import pytest

from kubelet.server.access import (
    KEPT,
    Access,
    Kept,
    Rules,
    User,
    attempt,
    user_of,
)
from kubelet.server.listen import cipher

READER = "system:serviceaccount:default:reader"
Reading = tuple[str, str, str]


class Server:
    """An API server that knows one token, and a table of rights; it counts what it is asked."""

    def __init__(self, *rights: Reading) -> None:
        self.rights = set(rights)
        self.asked: list[str] = []
        self.away = False
        self.now = 0.0

    async def whose(self, token: str) -> User | None:
        self._ask("token")
        return (
            User("system:serviceaccount:default:reader", groups=("system:authenticated",)) if token == "good" else None
        )

    async def may(self, user: User, verb: str, subresource: str) -> tuple[bool, str]:
        self._ask(f"{verb} {subresource}")
        return (user.name, verb, subresource) in self.rights, ""

    def _ask(self, what: str) -> None:
        if self.away:
            raise OSError("no answer")
        self.asked.append(what)


def certificate(name: str, *organizations: str) -> dict[str, object]:
    return {"subject": (*((("organizationName", each),) for each in organizations), (("commonName", name),))}


RULES = Rules()
TOKEN = {"Authorization": "Bearer good"}


async def status(
    access: Access, method: str, path: str, cert: object = None, headers: Mapping[str, str] | None = None
) -> int:
    answer = await access.refusal(method, path, cert, headers or {})
    return 200 if answer is None else answer.status


@pytest.mark.parametrize(
    ("method", "path", "verb", "subresources"),
    [
        ("GET", "/stats/summary", "get", ("stats",)),
        ("GET", "/metrics/cadvisor", "get", ("metrics",)),
        ("GET", "/logs/", "get", ("log",)),
        ("GET", "/pods", "get", ("pods", "proxy")),
        ("GET", "/configz", "get", ("configz", "proxy")),
        ("GET", "/containerLogs/a/b/c", "get", ("proxy",)),
        ("POST", "/images/load", "create", ("proxy",)),
        ("GET", "/exec/default/pod/main", "create", ("proxy",)),
        ("POST", "/portForward/default/pod", "create", ("proxy",)),
        ("DELETE", "/images", "delete", ("proxy",)),
    ],
)
def test_what_a_request_is(method: str, path: str, verb: str, subresources: tuple[str, ...]) -> None:
    found = attempt(method, path)
    assert (found.verb, found.subresources) == (verb, subresources)


def test_who_a_certificate_names() -> None:
    assert user_of(certificate("ann", "team")) == User("ann", groups=("team", "system:authenticated"))
    assert user_of({}) is None
    assert user_of(None) is None


async def test_administrators_enter_even_while_the_api_server_is_away() -> None:
    server = Server()
    server.away = True
    assert await status(Access(server), "GET", "/exec/a/b/c", certificate("root", "system:masters")) == 200


async def test_nobody_sees_more_than_the_health_page() -> None:
    access = Access(Server())
    assert await status(access, "GET", "/healthz") == 200
    assert await status(access, "GET", "/pods") == 401
    assert await status(access, "GET", "/pods", headers={"Authorization": "Bearer bad"}) == 401
    assert await status(access, "GET", "/pods", headers={"Authorization": "Basic good"}) == 401


async def test_a_node_enters_no_other_node() -> None:
    access = Access(Server())
    assert await status(access, "GET", "/pods", certificate("system:node:b", "system:nodes")) == 403


async def test_a_token_opens_what_its_owner_may_and_nothing_else() -> None:
    server = Server((READER, "get", "stats"), (READER, "get", "pods"), (READER, "get", "proxy"))
    access = Access(server)
    assert await status(access, "GET", "/stats/summary", headers=TOKEN) == 200
    assert await status(access, "GET", "/pods", headers=TOKEN) == 200
    assert await status(access, "GET", "/metrics", headers=TOKEN) == 403
    assert await status(access, "GET", "/exec/a/b/c", headers=TOKEN) == 403, "who may read must not run commands"
    assert "get proxy" not in server.asked, "the right to the part itself is enough"


async def test_answers_are_kept_for_a_while() -> None:
    server = Server((READER, "get", "stats"))
    access = Access(server, RULES, lambda: server.now)
    for _ in range(3):
        assert await status(access, "GET", "/stats", headers=TOKEN) == 200
        assert await status(access, "GET", "/metrics", headers=TOKEN) == 403
    assert server.asked == ["token", "get stats", "get metrics"]
    server.now = RULES.refused_seconds + 1
    server.rights.add((READER, "get", "metrics"))
    assert await status(access, "GET", "/metrics", headers=TOKEN) == 200
    server.now = RULES.token_seconds + 1
    assert await status(access, "GET", "/stats", headers=TOKEN) == 200
    assert server.asked[3:] == ["get metrics", "token"]
    server.now = RULES.allowed_seconds + 1
    server.rights.clear()
    assert await status(access, "GET", "/stats", headers=TOKEN) == 403


async def test_without_an_answer_nobody_enters() -> None:
    server = Server((READER, "get", "stats"))
    access = Access(server)
    server.away = True
    assert await status(access, "GET", "/stats", headers=TOKEN) == 401
    assert await status(access, "GET", "/stats", certificate(READER)) == 500
    server.away = False
    assert await status(access, "GET", "/stats", headers=TOKEN) == 200


async def test_the_operator_s_rules() -> None:
    server = Server(("system:anonymous", "get", "metrics"))
    open_to_all = Access(server, Rules(anonymous=True))
    assert await status(open_to_all, "GET", "/metrics") == 200
    assert await status(open_to_all, "GET", "/pods") == 403
    assert await status(open_to_all, "GET", "/metrics", headers={"Authorization": "Bearer bad"}) == 401
    assert await status(Access(server, Rules(tokens=False)), "GET", "/pods", headers=TOKEN) == 401
    anything = Access(server, Rules(always_allow=True))
    assert await status(anything, "GET", "/pods", headers=TOKEN) == 200
    assert await status(anything, "GET", "/pods") == 401


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"),
        ("TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"),
    ],
)
def test_cipher_suites_as_openssl_calls_them(name: str, wanted: str) -> None:
    assert cipher(name) == wanted
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(wanted)


def test_only_so_many_answers_are_kept() -> None:
    kept: Kept[int] = Kept()
    for number in range(KEPT + 5):
        kept.put(number, number, 1.0)
    assert kept.get(4, 0.0) is None
    assert kept.get(5, 0.0) == 5
    assert kept.get(5, 2.0) is None
