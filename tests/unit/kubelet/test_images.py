"""Names, credentials, pulls and the collection of images, without an engine."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import core_v1
from kubelet.images import garbage, pull
from kubelet.images.garbage import Policy, Present
from kubelet.images.grants import Grants
from kubelet.images.keyring import Credential, KeyringError, find, read_secret
from kubelet.images.ledger import Entry, Ledger
from kubelet.images.names import ImageNameError, parse
from kubelet.images.progress import Progress, duration
from kubelet.images.pull import Allowance, Puller
from kubelet.images.waits import with_other_image
from kubelet.runtime.engine import Engine
from kubelet.runtime.errors import EngineError

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "asked", "full"),
    [
        ("busybox", "busybox:latest", "docker.io/library/busybox"),
        ("team/app:2", "team/app:2", "docker.io/team/app"),
        ("localhost/app", "localhost/app:latest", "localhost/app"),
        ("example.com:5000/a/b:1.2_x", "example.com:5000/a/b:1.2_x", "example.com:5000/a/b"),
        (f"gcr.io/x@{DIGEST}", f"gcr.io/x@{DIGEST}", "gcr.io/x"),
        (f"app:1@{DIGEST}", f"app@{DIGEST}", "docker.io/library/app"),
        ("index.docker.io/library/app", "index.docker.io/library/app:latest", "docker.io/library/app"),
    ],
)
def test_names(text: str, asked: str, full: str) -> None:
    name = parse(text)
    assert str(name) == asked
    assert name.full_repository == full


@pytest.mark.parametrize("text", ["", "App", "team/App", "http://x/y", "a b", "app:", "app@sha256:12", "-x", "a" * 64])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ImageNameError):
        parse(text)


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_is_not(text: str) -> None:
    try:
        name = parse(text)
    except ImageNameError:
        return
    assert str(parse(str(name))) == str(name)


def credential(registry: str, user: str = "u") -> Credential:
    return Credential(registry, user, "p")


@pytest.mark.parametrize(
    ("registry", "image", "fits"),
    [
        ("example.com", "example.com/team/app", True),
        ("https://example.com/v1/", "example.com/app", True),
        ("example.com/team", "example.com/team/app", True),
        ("example.com/team", "example.com/other/app", False),
        ("*.example.com", "eu.example.com/app", True),
        ("*.example.com", "example.com/app", False),
        ("*.example.com", "a.b.example.com/app", False),
        ("re*.example.com/a", "reg.example.com/a/b", True),
        ("example.com:5000", "example.com/app", False),
        ("example.com:5000", "example.com:5000/app", True),
        ("https://index.docker.io/v1/", "busybox", True),
        ("https://index.docker.io/v1/", "quay.io/busybox", False),
        ("docker.io", "busybox", True),
        ("docker.io/team", "team/app", True),
    ],
)
def test_which_credentials_fit(registry: str, image: str, fits: bool) -> None:
    assert bool(find([credential(registry)], parse(image))) is fits


def test_the_most_specific_credential_is_tried_first_and_each_once() -> None:
    wide, narrow, twin = credential("example.com"), credential("example.com/team"), credential("example.com", "v")
    assert find([wide, narrow, twin, wide], parse("example.com/team/app")) == [narrow, wide, twin]


def test_secrets_of_both_types_are_read() -> None:
    auth = base64.b64encode(b"ann:a:b").decode().rstrip("=")
    auths = {"one": {"username": "x", "password": "y"}, "two": {"auth": auth}}
    new = read_secret("kubernetes.io/dockerconfigjson", {".dockerconfigjson": json.dumps({"auths": auths}).encode()})
    old = read_secret("kubernetes.io/dockercfg", {".dockercfg": json.dumps(auths).encode()})
    assert new == old == [Credential("one", "x", "y"), Credential("two", "ann", "a:b")]
    assert read_secret("Opaque", {".dockerconfigjson": b"{}"}) == []
    assert "y" not in repr(new[0]).replace("registry", "")


@pytest.mark.parametrize("content", [b"hunter2", b'["hunter2"]', b'{"auths": {"r": {"auth": "hunter2!"}}}'])
def test_a_broken_secret_is_not_quoted(content: bytes) -> None:
    with pytest.raises(KeyringError) as told:
        read_secret("kubernetes.io/dockerconfigjson", {".dockerconfigjson": content})
    assert "hunter2" not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    ("seconds", "spoken"),
    [(0, "0s"), (0.313, "313ms"), (1.594, "1.594s"), (2, "2s"), (62.5, "1m2.5s"), (3600, "1h0m0s")],
)
def test_durations_are_go_s(seconds: float, spoken: str) -> None:
    assert duration(seconds) == spoken


def line(layer: str, status: str, current: int = 0, total: int = 0) -> dict[str, Any]:
    return {"id": layer, "status": status, "progressDetail": {"current": current, "total": total} if total else {}}


def test_progress_adds_up_layers_and_knows_a_standstill() -> None:
    progress = Progress(0.0)
    assert progress.text == ""
    for now, told in enumerate(
        [line("a", "Downloading", 10_000_000, 20_000_000), line("b", "Downloading", 0, 20_000_000)], start=1
    ):
        progress.take(told, float(now))
    assert progress.text == "25% (10.0 of 40.0 MB)"
    progress.take(line("a", "Download complete"), 3.0)
    assert progress.text == "50% (20.0 of 40.0 MB)"
    progress.take(line("b", "Downloading", 0, 20_000_000), 4.0)  # the same as before
    progress.take(line("b", "Retrying in 5 seconds"), 5.0)
    assert progress.at == 3.0


class Lines:
    """A pull's lines: as many as given, then silence if it is to hang, until it is closed."""

    def __init__(self, lines: list[dict[str, Any]], hangs: bool) -> None:
        self._lines, self._hangs = list(lines), hangs
        self._closed = asyncio.Event()

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self._lines:
            return self._lines.pop(0)
        if self._hangs:
            await self._closed.wait()
        raise StopAsyncIteration

    def close(self) -> None:
        self._closed.set()


class Registry:
    """What of an engine a pull uses. `password` is asked for if it is set."""

    def __init__(self, *lines: dict[str, Any], hangs: bool = False, password: str = "") -> None:
        self.lines, self.hangs, self.password = list(lines), hangs, password
        self.asked: list[tuple[str, str]] = []
        self.at_once = self.most_at_once = 0

    async def pull(self, repository: str, tag: str, auth: Mapping[str, str] | None, deadline: float) -> Lines:
        self.asked.append((repository, tag))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= 1
        if self.password and (auth or {}).get("password") != self.password:
            raise EngineError("unauthorized")
        return Lines(self.lines, self.hangs)


def puller(registry: Registry, **options: Any) -> Puller:
    return Puller(cast(Engine, registry), **options)


def ignore(text: str) -> None:
    """Nobody listens."""


async def test_who_waits_for_the_same_image_shares_one_pull() -> None:
    registry = Registry()
    pulls = puller(registry, at_once=0)
    await asyncio.gather(*(pulls.pull(parse("app:1"), (), ignore) for _ in range(5)))
    assert registry.asked == [("app", "1")]
    # A pod with other credentials may be refused what another one gets.
    await asyncio.gather(*(pulls.pull(parse("app:1"), (credential(each),), ignore) for each in ("a", "b")))
    assert len(registry.asked) == 3


@pytest.mark.parametrize(("at_once", "most"), [(1, 1), (2, 2), (0, 4)])
async def test_no_more_pulls_at_once_than_wanted(at_once: int, most: int) -> None:
    registry = Registry()
    pulls = puller(registry, at_once=at_once)
    await asyncio.gather(*(pulls.pull(parse(f"app:{each}"), (), ignore) for each in range(4)))
    assert registry.most_at_once == most


async def test_credentials_are_tried_in_turn() -> None:
    registry = Registry(password="p")
    wrong = Credential("r", "u", "guess")
    await puller(registry).pull(parse("app"), (wrong, credential("r")), ignore)
    assert len(registry.asked) == 2
    with pytest.raises(EngineError, match=r"^unauthorized$"):
        await puller(registry).pull(parse("app"), (wrong, wrong), ignore)


async def test_a_pull_that_stands_still_is_given_up() -> None:
    registry = Registry(line("a", "Downloading", 1, 2), hangs=True)
    with pytest.raises(EngineError, match=r"no progress for 0\.05 s"):
        await puller(registry, deadline=0.05).pull(parse("app"), (), ignore)


async def test_a_registry_s_words_are_the_error() -> None:
    registry = Registry({"error": "manifest unknown", "errorDetail": {}})
    with pytest.raises(EngineError, match="manifest unknown"):
        await puller(registry).pull(parse("app"), (), ignore)


async def test_a_pull_ends_when_nobody_waits_for_it_any_more() -> None:
    registry = Registry(line("a", "Downloading", 1, 2), hangs=True)
    pulls = puller(registry)
    first, second = (asyncio.create_task(pulls.pull(parse("app"), (), ignore)) for _ in range(2))
    await asyncio.sleep(0.03)
    first.cancel()
    await asyncio.sleep(0.01)
    assert not second.done()
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    registry.hangs = False
    await asyncio.wait_for(pulls.pull(parse("other"), (), ignore), 1.0)  # its place is free


async def test_progress_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "TELL_EVERY", 0.02)
    registry = Registry(line("a", "Downloading", 1_000_000, 4_000_000), hangs=True)
    said: list[str] = []
    with pytest.raises(EngineError):
        await puller(registry, deadline=0.2).pull(parse("app"), (), said.append)
    assert said == ["25% (1.0 of 4.0 MB)"]  # what has not changed is not said again


def test_pulls_have_an_allowance() -> None:
    allowance = Allowance(rate=1.0, burst=2)
    assert [allowance.take(at) for at in (0.0, 0.0, 0.0, 1.0, 1.5)] == [True, True, False, True, False]
    assert all(Allowance(rate=0).take(0.0) for _ in range(100))


def ledger(*names: str, since: float = 0.0, used: float = 0.0) -> Entry:
    return Entry(list(names), since, used)


IMAGES = [Present(each, (f"{each}:1",), 100) for each in ("a", "b", "c", "d")]


def test_only_what_we_brought_and_nobody_uses_or_has_named_may_go() -> None:
    named = Present("e", ("e:1", "mine:1"), 100)
    bare = Present("f", (), 100)
    entries = {"a": ledger("a:1"), "b": ledger("b:1"), "e": ledger("e:1"), "f": ledger("f:1"), "gone": ledger()}
    found = garbage.candidates([*IMAGES, named, bare], entries, {"b"}, Policy(), now=1000.0)
    assert [each.id for each in found] == ["a", "f"]


def test_the_least_recently_used_go_first_and_the_young_stay() -> None:
    entries = {
        "a": ledger("a:1", since=10, used=500),
        "b": ledger("b:1", since=20),
        "c": ledger("c:1", since=5),
        "d": ledger("d:1", since=950),
    }
    found = garbage.candidates(IMAGES, entries, (), Policy(minimum_age=120), now=1000.0)
    assert [each.id for each in found] == ["c", "b", "a"]
    old = garbage.too_old(found, entries, Policy(maximum_age=600), now=1000.0)
    assert [each.id for each in old] == ["c", "b"]
    assert garbage.too_old(found, entries, Policy(), now=1e9) == []


@pytest.mark.parametrize(("available", "wanted"), [(500, 0), (160, 0), (150, 50), (10, 190), (0, 200)])
def test_how_much_is_to_be_freed(available: int, wanted: int) -> None:
    assert garbage.excess(1000, available, Policy(high=85, low=80)) == wanted
    assert garbage.excess(0, available, Policy()) == 0


def test_the_ledger_survives_a_restart_and_a_broken_file(tmp_path: Path) -> None:
    file, now = tmp_path / "images.json", time.time()
    book = Ledger(file)
    book.brought("a", "a:1", now)
    book.brought("a", "a:2", now + 5)
    book.brought("b", "b:1", now)
    book.keep(["a"], ["a", "other"], now + 9)
    assert Ledger(file).entries == {"a": Entry(["a:1", "a:2"], now, now + 9)}
    file.write_bytes(b"half a fi")
    assert Ledger(file).entries == {}


def test_an_image_is_open_to_those_by_whose_credentials_it_came(tmp_path: Path) -> None:
    file, name, other = tmp_path / "grants.json", parse("r.io/app:1"), parse("r.io/other:1")
    ann = Credential("r.io", "ann", "hunter2", secret="ns/s/1")
    grants = Grants(file)
    assert grants.allows("id", name, ())  # the kubelet did not pull it
    grants.begin(name)
    assert not Grants(file).allows("id", name, ())  # it died before it knew
    grants.pulled("id", name, ann)
    grants.end(name)
    for book in (grants, Grants(file)):
        assert not book.allows("id", name, ())
        assert not book.allows("id", name, [Credential("r.io", "ann", "guess", secret="ns/t/2")])
        assert book.allows("id", name, [Credential("r.io", "ann", "hunter2", secret="ns/t/2")])
        assert book.allows("id", name, [Credential("r.io", "ann", "renewed", secret="ns/s/1")])
        assert book.allows("id", parse("r.io/app:2"), [ann])
        assert not book.allows("id", other, [ann])  # the same image by another name: that registry has not been asked
    assert b"hunter2" not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    grants.open("id")
    assert grants.allows("id", name, ())
    assert grants.allows("id", other, ())
    grants.keep(())
    assert not grants.concerns("id", name)


def test_what_the_node_s_own_credentials_pulled_is_everybody_s() -> None:
    grants = Grants()
    grants.pulled("id", parse("r.io/app:1"), Credential("r.io", "node", "p"))
    assert not grants.concerns("id", parse("r.io/app:2"))


def test_which_containers_want_another_image() -> None:
    def pod(**images: str) -> core_v1.Pod:
        containers = [core_v1.Container(name=name, image=image) for name, image in images.items()]
        return core_v1.Pod(spec=core_v1.PodSpec(containers=containers))

    assert with_other_image(pod(a="x:1", b="y:1"), pod(a="x:2", b="y:1", c="z:1")) == ["a"]
