"""Identities, tokens, and the table of what they may do."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.errors import Forbidden
from apiserver.auth.authenticate import static_tokens
from apiserver.auth.authorize import Attempt, allowed, authorize
from apiserver.auth.certificates import user_of
from apiserver.auth.serviceaccounts import Bound, Issuer
from apiserver.auth.user import User

OBJECTS = {("serviceaccounts", "ns", "robot"): "u1", ("pods", "ns", "p"): "u2"}


def uid(plural: str, namespace: str, name: str) -> str | None:
    return OBJECTS.get((plural, namespace, name))


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.fixture(params=["P-256", "P-521", "RSA"])
def key_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "sa.key"
    keys = {"P-256": ec.SECP256R1, "P-521": ec.SECP521R1}
    curve = keys.get(request.param)
    path.write_bytes(pem(ec.generate_private_key(curve()) if curve else rsa.generate_private_key(65537, 2048)))
    return path


def test_a_token_stands_for_its_account_while_it_lasts(key_file: Path) -> None:
    now = 1000.0
    issuer = Issuer(key_file, "https://issuer", lambda: now)
    token, expires = issuer.issue("ns", "robot", "u1", [], 600)
    assert expires == 1600
    user = issuer.user_of(token, uid)
    assert user is not None
    assert (user.name, user.uid) == ("system:serviceaccount:ns:robot", "u1")
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated")
    now = 1600.0
    assert issuer.user_of(token, uid) is None


def test_a_token_ends_with_what_it_was_made_for(key_file: Path) -> None:
    issuer = Issuer(key_file, "https://issuer", lambda: 1000.0)
    bound = Bound("pods", "Pod", "p", "u2")
    user = issuer.user_of(issuer.issue("ns", "robot", "u1", [], 600, bound)[0], uid)
    assert user is not None
    assert user.extra["authentication.kubernetes.io/pod-name"] == ("p",)
    replaced = Bound("pods", "Pod", "p", "older")
    assert issuer.user_of(issuer.issue("ns", "robot", "u1", [], 600, replaced)[0], uid) is None
    assert issuer.user_of(issuer.issue("ns", "robot", "older", [], 600)[0], uid) is None
    assert issuer.user_of(issuer.issue("ns", "robot", "u1", ["somebody else"], 600)[0], uid) is None


def test_tokens_that_are_not_ours(key_file: Path, tmp_path: Path) -> None:
    issuer = Issuer(key_file, "https://issuer", lambda: 1000.0)
    token = issuer.issue("ns", "robot", "u1", [], 600)[0]
    header, payload, signature = token.split(".")
    other_file = tmp_path / "other.key"
    other_file.write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    foreign = Issuer(other_file, "https://issuer", lambda: 1000.0).issue("ns", "robot", "u1", [], 600)[0]
    unsigned = f"eyJhbGciOiJub25lIn0.{payload}."
    forged = f"{header}.{payload[:-4]}AAAA.{signature}"
    for bad in ("", "a.b.c", "plain", foreign, unsigned, forged, f"{header}.{payload}.{signature[:-8]}", "..", "é.é.é"):
        assert issuer.user_of(bad, uid) is None


def test_who_a_certificate_is() -> None:
    subject = ((("organizationName", "system:nodes"),), (("commonName", "system:node:n1"),))
    assert user_of({"subject": subject}) == User("system:node:n1", ("system:nodes", "system:authenticated"))
    assert user_of({"subject": ((("organizationName", "x"),),)}) is None
    assert user_of({}) is None
    assert user_of(None) is None


async def test_static_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text('t1,alice,1,"a,b"\n# a comment\n\nt2,bob,2\n')
    check = static_tokens(path)
    assert await check("t1") == User("alice", ("a", "b", "system:authenticated"), "1")
    assert await check("t2") == User("bob", ("system:authenticated",), "2")
    assert await check("t3") is None
    path.write_text("lonely\n")
    with pytest.raises(ValueError, match="line 1"):
        static_tokens(path)


NODE = User("system:node:n1", ("system:nodes", "system:authenticated"))


@pytest.mark.parametrize(
    ("user", "attempt", "may"),
    [
        (User("x", ("system:masters",)), Attempt("delete", "nodes"), True),
        (NODE, Attempt("update", "nodes/status", name="n1"), True),
        (NODE, Attempt("update", "nodes/status", name="n2"), False),
        (NODE, Attempt("delete", "nodes", name="n1"), False),
        (NODE, Attempt("get", "nodes", name="n2"), True),
        (NODE, Attempt("update", "leases", "coordination.k8s.io", "kube-node-lease", "n1"), True),
        (NODE, Attempt("delete", "deployments", "apps", "x", "y"), False),
        (User("alice", ("system:authenticated",)), Attempt("get", path="/version"), True),
        (User("alice", ("system:authenticated",)), Attempt("get", path="/apis/apps/v1"), True),
        (User("alice", ("system:authenticated",)), Attempt("get", path="/metrics"), False),
        (User("alice", ("system:authenticated",)), Attempt("list", "pods"), False),
        (User("system:kube-controller-manager"), Attempt("delete", "anything"), True),
    ],
)
def test_the_table(user: User, attempt: Attempt, may: bool) -> None:
    assert allowed(user, attempt) is may


def test_a_refusal_says_who_may_not_do_what() -> None:
    with pytest.raises(Forbidden) as refused:
        authorize(User("alice"), Attempt("patch", "deployments/scale", "apps", "ns", "web"))
    assert refused.value.message == (
        'deployments.apps "web" is forbidden: User "alice" cannot patch resource "deployments/scale" '
        'in API group "apps" in the namespace "ns"'
    )
    with pytest.raises(Forbidden) as path:
        authorize(User("alice"), Attempt("get", path="/metrics"))
    assert path.value.message == 'forbidden: User "alice" cannot get path "/metrics"'
