"""Static pods: manifests read, what follows from them, and mirrors."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from api.types import core_v1, meta_v1
from kubelet.static import plan
from kubelet.static.annotations import Key, is_mirror, is_static, key_of, uid_of
from kubelet.static.channel import StaticChannel
from kubelet.static.manifest import BadManifest, read
from kubelet.static.mirrors import Mirrors, mirror_of
from kubelet.static.source import Manifests

SPEC: dict[str, Any] = {"containers": [{"name": "main", "image": "busybox:1"}]}


def text(name: str = "web", spec: dict[str, Any] | None = None, **metadata: Any) -> bytes:
    content = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec or SPEC}
    return json.dumps(content).encode()


def pod(content: bytes = b"", path: str = "/m/web.json", node: str = "N1") -> core_v1.Pod:
    return read(content or text(), path, node, "2026-01-01T00:00:00Z")


# -- manifests


def test_a_manifest_becomes_this_nodes_pod() -> None:
    made = pod(text(annotations={"team": "a"}))
    assert made.metadata is not None
    assert made.spec is not None
    assert key_of(made) == ("default", "web-n1")
    assert made.metadata.annotations == {
        "team": "a",
        "kubernetes.io/config.hash": uid_of(made),
        "kubernetes.io/config.seen": "2026-01-01T00:00:00Z",
        "kubernetes.io/config.source": "file",
    }
    assert (made.spec.nodeName, made.spec.restartPolicy, made.spec.terminationGracePeriodSeconds) == (
        "N1",
        "Always",
        30,
    )
    assert [(each.operator, each.effect) for each in made.spec.tolerations or ()] == [("Exists", "NoExecute")]
    assert is_static(made)
    assert not is_mirror(made)


def test_the_uid_follows_what_is_said_and_where() -> None:
    assert uid_of(pod()) == uid_of(read(text(), "/m/web.json", "N1", "another time"))
    others = [pod(text("db")), pod(path="/m/b.json"), pod(node="N2"), pod(text(spec={**SPEC, "hostNetwork": True}))]
    assert len({uid_of(each) for each in [pod(), *others]}) == 5
    assert uid_of(pod(text(uid="mine"))) == "mine"
    assert len(uid_of(pod())) == 32


def test_yaml_and_json_with_tabs_are_read() -> None:
    yaml = b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: main, image: x}\n"
    assert key_of(pod(yaml)) == key_of(pod(text().replace(b"{", b"{\n\t"))) == ("default", "web-n1")


def test_limits_are_requested_and_amounts_are_text() -> None:
    main = {**SPEC["containers"][0], "resources": {"limits": {"cpu": 1, "memory": "64Mi"}, "requests": {"cpu": "500m"}}}
    made = pod(text(spec={"containers": [main]}))
    assert made.spec is not None
    resources = made.spec.containers[0].resources
    assert resources is not None
    assert resources.requests == {"cpu": "500m", "memory": "64Mi"}
    assert resources.limits == {"cpu": "1", "memory": "64Mi"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"kind: [", "couldn't parse as pod"),
        (b"- a\n", "couldn't parse as pod"),
        (b"{}", "a Pod of v1 is wanted, this says apiVersion None, kind None"),
        (b'{"apiVersion":"apps/v1","kind":"Deployment"}', "this says apiVersion apps/v1, kind Deployment"),
        (b'{"apiVersion":"v1","kind":"Pod"}', "spec: Required value"),
        (b'{"apiVersion":"v1","kind":"Pod","metadata":[1],"spec":{}}', "metadata: Invalid value"),
        (text("Big"), "metadata.name: a lowercase RFC 1123 subdomain"),
        (text(spec={"containers": []}), "spec.containers: Required value"),
        (text(spec={"containers": [{"name": "a"}]}), 'image of container "a": Required value'),
        (text(spec={"containers": 3}), "invalid pod: Expected `array`"),
        (text(spec={**SPEC, "tolerations": 3}), "invalid pod: Expected `array"),
        (text(spec={"containers": [SPEC["containers"][0]] * 2}), 'Duplicate value: "main"'),
    ],
)
def test_what_is_no_pod_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(BadManifest) as refused:
        pod(content)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value", "resource"),
    [
        ("serviceAccountName", "builder", "serviceaccounts"),
        ("imagePullSecrets", [{"name": "x"}], "secrets"),
        ("volumes", [{"name": "v", "configMap": {"name": "x"}}], "configmaps"),
        ("volumes", [{"name": "v", "secret": {"secretName": "x"}}], "secrets"),
        ("volumes", [{"name": "v", "persistentVolumeClaim": {"claimName": "x"}}], "persistentvolumeclaims"),
        (
            "volumes",
            [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}],
            "serviceaccounts",
        ),
    ],
)
def test_a_static_pod_needs_nothing_of_the_api_server(field: str, value: object, resource: str) -> None:
    with pytest.raises(BadManifest, match=f"static pods may not reference {resource}"):
        pod(text(spec={**SPEC, field: value}))


# -- what follows

WEB: Key = ("default", "web-n1")
DB: Key = ("default", "db-n1")


def test_a_changed_pod_waits_for_the_end_of_the_old_one() -> None:
    wanted = {WEB: "new", DB: "db"}
    assert plan.pods(wanted, {"old": WEB}, set()) == plan.Plan(frozenset({"old"}), frozenset({DB}))
    assert plan.pods(wanted, {"old": WEB, "db": DB}, {"old"}) == plan.Plan()
    assert plan.pods(wanted, {"db": DB}, set()) == plan.Plan(start=frozenset({WEB}))
    assert plan.pods({}, {"old": WEB}, set()) == plan.Plan(end=frozenset({"old"}))


def test_one_that_comes_back_while_it_ends_starts_anew() -> None:
    assert plan.pods({WEB: "same"}, {"same": WEB}, {"same"}) == plan.Plan()
    assert plan.pods({WEB: "same"}, {}, set()) == plan.Plan(start=frozenset({WEB}))


@pytest.mark.parametrize(
    ("wanted", "mirror", "ending", "step"),
    [
        ("a", None, set(), "create"),
        ("", None, set(), ""),
        ("a", plan.Mirror("a"), set(), ""),
        ("a", plan.Mirror("a", deleting=True), set(), "delete"),
        ("b", plan.Mirror("a"), set(), "delete"),
        ("b", plan.Mirror("a"), {"a"}, ""),
        ("", plan.Mirror("a"), {"a"}, ""),
        ("", plan.Mirror("a"), set(), "delete"),
    ],
)
def test_mirrors(wanted: str, mirror: plan.Mirror | None, ending: set[str], step: str) -> None:
    assert plan.mirror(wanted, mirror, ending) == step


def test_a_mirror_belongs_to_its_node_and_shows_its_pod() -> None:
    shown = mirror_of(pod(), "N1", "node-uid")
    assert shown.metadata is not None
    assert is_mirror(shown)
    assert not is_static(shown)
    assert shown.metadata.uid is None
    (owner,) = shown.metadata.ownerReferences or []
    assert (owner.kind, owner.name, owner.uid, owner.controller) == ("Node", "N1", "node-uid", True)


class Server:
    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []

    async def create(self, obj: core_v1.Pod) -> core_v1.Pod:
        self.done.append(("create", key_of(obj)[1]))
        return obj

    async def delete(self, cls: type, name: str, namespace: str, **rest: Any) -> None:
        assert rest == {"grace_period": 0, "uid": "m1"}
        self.done.append(("delete", name))


async def test_mirrors_are_kept() -> None:
    server: Any = Server()
    mirrors, static = Mirrors(server, "N1", lambda: "node-uid"), pod()
    stale = mirror_of(pod(text(labels={"old": "yes"})), "N1", "node-uid")
    assert stale.metadata is not None
    stale.metadata.uid = "m1"
    mirrors.seen(stale)
    keeping = asyncio.create_task(mirrors.run())
    mirrors.wake({key_of(static): static}, set())
    for _ in range(5):
        await asyncio.sleep(0)
    mirrors.wake({key_of(static): static}, set())
    for _ in range(5):
        await asyncio.sleep(0)
    keeping.cancel()
    assert server.done == [("delete", "web-n1"), ("create", "web-n1")]
    assert mirrors.of(static) is not None
    assert mirrors.of(pod(text(labels={"old": "yes"}))) is None


class Channel:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.say = self.token = lambda *_: None

    def report(self, pod: core_v1.Pod, status: core_v1.PodStatus) -> None:
        self.told.append(f"report {'mirror' if is_mirror(pod) else uid_of(pod)}")

    async def flush(self, pod: core_v1.Pod, status: core_v1.PodStatus) -> None:
        self.told.append(f"flush {uid_of(pod)}")

    async def delete(self, pod: core_v1.Pod) -> None:
        self.told.append(f"delete {uid_of(pod)}")


async def test_a_static_pods_status_is_its_mirrors_and_nothing_waits_for_it() -> None:
    inner: Any = Channel()
    mirror: list[core_v1.Pod] = []
    channel = StaticChannel(inner, lambda pod: mirror[0] if mirror else None)
    static, plain = pod(), core_v1.Pod(metadata=meta_v1.ObjectMeta(name="plain", uid="p1"))
    status = core_v1.PodStatus(phase="Running")
    channel.report(static, status)
    await channel.flush(static, status)
    await channel.delete(static)
    assert inner.told == []
    mirror.append(mirror_of(static, "N1", "u"))
    channel.report(static, status)
    await channel.flush(static, status)
    await channel.flush(plain, status)
    await channel.delete(plain)
    assert inner.told == ["report mirror", "report mirror", "flush p1", "delete p1"]


# -- the folder


async def test_the_folder_is_followed(tmp_path: Path) -> None:
    seen: list[list[str]] = []
    bad: list[str] = []
    changed = asyncio.Event()

    def take(pods: dict[Key, core_v1.Pod]) -> None:
        names = sorted(name for _, name in pods)
        if not seen or seen[-1] != names:
            seen.append(names)
            changed.set()

    async def next_change() -> list[str]:
        await asyncio.wait_for(changed.wait(), 5)
        changed.clear()
        return seen[-1]

    (tmp_path / "web.json").write_bytes(text())
    (tmp_path / ".hidden.json").write_bytes(text("hidden"))
    (tmp_path / "folder").mkdir()
    following = asyncio.create_task(
        Manifests(tmp_path, "n1", take, lambda path, why: bad.append(f"{Path(path).name}: {why}")).run(60)
    )
    assert await next_change() == ["web-n1"]
    (tmp_path / "db.json.part").write_bytes(text("db"))
    assert await next_change() == ["db-n1", "web-n1"]
    (tmp_path / "web.json").write_bytes(b"kind: [")
    (tmp_path / "db.json.part").rename(tmp_path / ".gone")
    assert await next_change() == ["web-n1"], "what a manifest last asked for stays while it can't be read"
    assert [each.partition(",")[0].partition("\n")[0][:32] for each in bad] == ["web.json: couldn't parse as pod:"]
    (tmp_path / "web.json").unlink()
    assert await next_change() == []
    (tmp_path / "one.json").write_bytes(text())
    (tmp_path / "two.json").write_bytes(text())
    assert await next_change() == ["web-n1"]
    assert bad[-1] == "two.json: another manifest has a pod of the same name or uid"
    following.cancel()


async def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    seen: list[list[str]] = []
    source = Manifests(tmp_path / "later", "n1", lambda pods: seen.append([name for _, name in pods]), print)
    following = asyncio.create_task(source.run(0.05))
    await asyncio.sleep(0)
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "web.json").write_bytes(text())
    async with asyncio.timeout(5):
        while not seen or seen[-1] != ["web-n1"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    following.cancel()
