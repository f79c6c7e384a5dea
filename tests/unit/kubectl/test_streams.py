"""What exec, cp, port-forward, debug, top and logs work out before they ask the server anything."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl.debugging import Copy, Wish, ephemeral_patch, node_pod, pod_copy
from kubectl.errors import CliError
from kubectl.logs.following import Mark, is_over
from kubectl.streams import paths, ports
from kubectl.streams.paths import Spec
from kubectl.streams.ports import Pair
from kubectl.usage import Usage, node_cells, ordered, usage


def a_pod(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    main = {"name": "main", "image": "a:1", "ports": [{"name": "http", "containerPort": 8080}], "livenessProbe": {}}
    return {
        "metadata": {"name": "p", "namespace": "ns", "labels": {"app": "p"}},
        "spec": {"containers": [main], **spec},
        "status": status or {},
    }


SERVICE = {
    "metadata": {"name": "s"},
    "spec": {"ports": [{"name": "web", "port": 80, "targetPort": "http"}, {"name": "raw", "port": 81}]},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("notes", Spec("notes")),
        ("./a:b", Spec("./a:b")),
        ("/a:b", Spec("/a:b")),
        ("p:/x", Spec("/x", "p")),
        ("ns/p:x", Spec("x", "p", "ns")),
        ("a/b/c:d", Spec("a/b/c:d")),
        ("p:", Spec("", "p")),
    ],
)
def test_what_cp_is_told(text: str, expected: Spec) -> None:
    assert paths.parse(text) == expected


def test_a_pod_without_a_name() -> None:
    with pytest.raises(CliError, match="filespec must match"):
        paths.parse("ns/:x")


@pytest.mark.parametrize(
    ("member", "source", "below"),
    [
        ("tmp/foo", "/tmp/foo", ""),
        ("tmp/foo/a", "/tmp/foo/", "a"),
        ("foo/a/b", "foo", "a/b"),
        ("./a", ".", "a"),
        ("etc/passwd", "/", "etc/passwd"),
        ("tmp/foo/../../etc/passwd", "/tmp/foo", None),
        ("../../x", "/tmp/foo", None),
        ("tmp/food", "/tmp/foo", None),
    ],
)
def test_nothing_leaves_the_target(member: str, source: str, below: str | None) -> None:
    assert paths.inside(member, source) == below


def test_ports_of_a_pod() -> None:
    assert ports.parse("8080", a_pod(), None) == Pair(8080, 8080)
    assert ports.parse("80:http", a_pod(), None) == Pair(80, 8080)
    assert ports.parse(":8080", a_pod(), None) == Pair(0, 8080)
    for wrong in ("nosuch", "x:80", "1:2:3", "0", "70000"):
        with pytest.raises(CliError):
            ports.parse(wrong, a_pod(), None)


def test_ports_of_a_service_lead_to_the_pods_own() -> None:
    assert ports.parse("80", a_pod(), SERVICE) == Pair(80, 8080)
    assert ports.parse("web", a_pod(), SERVICE) == Pair(80, 8080)
    assert ports.parse("9000:raw", a_pod(), SERVICE) == Pair(9000, 81)
    with pytest.raises(CliError, match="Service s does not have a service port 82"):
        ports.parse("82", a_pod(), SERVICE)


def test_lines_that_come_again_are_known() -> None:
    mark = Mark()
    assert [mark.is_new(stamp) for stamp in ("1", "2", "2")] == [True] * 3
    mark.again()
    assert [mark.is_new(stamp) for stamp in ("1", "2", "2", "2", "3")] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("policy", "code", "over"),
    [("Always", 0, False), ("OnFailure", 1, False), ("OnFailure", 0, True), ("Never", 1, True)],
)
def test_whether_a_container_runs_again(policy: str, code: int, over: bool) -> None:
    ended = {"name": "main", "restartCount": 0, "state": {"terminated": {"exitCode": code}}}
    assert is_over(a_pod({"containerStatuses": [ended]}, restartPolicy=policy), "main") is over


def test_init_containers_and_sidecars_run_again_by_their_own_rules() -> None:
    def over(code: int, **own: str) -> bool:
        ended = {"name": "i", "state": {"terminated": {"exitCode": code}}}
        return is_over(a_pod({"initContainerStatuses": [ended]}, initContainers=[{"name": "i", **own}]), "i")

    assert over(0)
    assert not over(1)
    assert not over(0, restartPolicy="Always")


def test_what_debug_makes() -> None:
    wish = Wish(name="d", image="b:1", command=["sh"], env=["A=b"], stdin=True, tty=True)
    (made,) = ephemeral_patch(wish, "main")["spec"]["ephemeralContainers"]
    assert made["securityContext"] == {"capabilities": {"add": ["SYS_PTRACE"]}}
    assert (made["targetContainerName"], made["env"], made["tty"]) == ("main", [{"name": "A", "value": "b"}], True)
    node = node_pod("n", "x", "ns", wish)["spec"]
    assert (node["nodeName"], node["hostPID"], node["tolerations"]) == ("n", True, [{"operator": "Exists"}])
    assert node["containers"][0]["volumeMounts"] == [{"name": "host-root", "mountPath": "/host"}]
    with pytest.raises(CliError, match="unknown profile"):
        ephemeral_patch(Wish(profile="x"), "")


def test_a_copy_of_a_pod() -> None:
    pod = a_pod(nodeName="n", ephemeralContainers=[{"name": "e"}])
    copy = pod_copy(pod, Wish(name="d", image="b:1"), Copy("c", {"*": "a:2"}))
    assert copy["metadata"] == {"name": "c", "namespace": "ns"}
    assert [each["image"] for each in copy["spec"]["containers"]] == ["a:2", "b:1"]
    assert "livenessProbe" not in copy["spec"]["containers"][0]
    assert "nodeName" not in copy["spec"]
    assert copy["spec"]["shareProcessNamespace"] is True
    changed = pod_copy(pod, Wish(name="main", command=["sh"]), Copy("c"))["spec"]["containers"]
    assert [(each["image"], each["command"]) for each in changed] == [("a:1", ["sh"])]
    assert pod["spec"]["containers"][0]["image"] == "a:1"


def test_usage_as_top_shows_it() -> None:
    used = usage({"cpu": "1500001n", "memory": "2050Ki"})
    assert used.cells() == ["2m", "2Mi"]
    assert node_cells(used, Usage(100, 20 << 20)) == ["2m", "2%", "2Mi", "10%"]
    assert node_cells(None, Usage()) == ["<unknown>"] * 4
    rows: list[tuple[Usage | None, list[str]]] = [(Usage(1, 9), ["b"]), (None, ["c"]), (Usage(5, 2), ["a"])]
    assert ordered(rows, "") == [["a"], ["b"], ["c"]]
    assert ordered(rows, "memory") == [["b"], ["a"], ["c"]]
    with pytest.raises(CliError):
        ordered(rows, "name")
