"""What the commands do to a real server."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.harness.control import ControlPlane
from tests.integration.kubectl.conftest import ROOT, Pytheas

MAPS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {a: "1", b: "2"}
---
apiVersion: v1
kind: Service
metadata: {name: two}
spec: {selector: {a: b}, ports: [{name: a, port: 80}, {name: b, port: 81}]}
"""


def test_apply_creates_leaves_alone_and_changes(pytheas: Pytheas, tmp_path: Path) -> None:
    path = tmp_path / "maps.yaml"
    path.write_text(MAPS)
    assert pytheas("apply", "-f", str(path)) == "configmap/one created\nservice/two created\n"
    assert pytheas("apply", "-f", str(path)) == "configmap/one unchanged\nservice/two unchanged\n"
    pytheas("label", "cm", "one", "others=kept")
    path.write_text(MAPS.replace(', b: "2"', "").replace(", {name: b, port: 81}", ""))
    assert pytheas("apply", "-f", str(path), "--dry-run=server") == (
        "configmap/one configured (server dry run)\nservice/two configured (server dry run)\n"
    )
    assert pytheas("apply", "-f", str(path)) == "configmap/one configured\nservice/two configured\n"
    one = json.loads(pytheas("get", "cm", "one", "-o", "json"))
    assert (one["data"], one["metadata"]["labels"]) == ({"a": "1"}, {"others": "kept"})
    ports = pytheas("get", "svc", "two", "-o", "jsonpath={.spec.ports[*].port}")
    assert ports == "80"


def test_apply_takes_folders_and_stdin(pytheas: Pytheas, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name, folder in (("a", tmp_path), ("b", tmp_path / "deep")):
        (folder / f"{name}.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
    assert pytheas("apply", "-f", str(tmp_path)) == "configmap/a created\n"
    assert pytheas("apply", "-R", "-f", str(tmp_path)) == "configmap/a unchanged\nconfigmap/b created\n"
    assert pytheas("apply", "-f", "-", stdin=MAPS).startswith("configmap/one created")


def test_one_bad_object_does_not_stop_the_others(pytheas: Pytheas) -> None:
    bad = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_}\n---" + MAPS
    answer = pytheas.run("apply", "-f", "-", stdin=bad)
    assert answer.code == 1
    assert 'The ConfigMap "Bad_" is invalid: metadata.name: Invalid value: "Bad_"' in answer.err
    assert answer.out == "configmap/one created\nservice/two created\n"


def test_unknown_fields_are_refused_unless_told_otherwise(pytheas: Pytheas) -> None:
    typo = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndatta: {a: b}\n"
    assert 'unknown field "datta"' in pytheas.fails("apply", "-f", "-", stdin=typo)
    answer = pytheas.run("apply", "--validate=warn", "-f", "-", stdin=typo)
    assert (answer.code, answer.out) == (0, "configmap/typo created\n")
    assert answer.err.startswith('Warning: unknown field "datta"')


def test_diff_tells_by_its_exit_code(pytheas: Pytheas, tmp_path: Path) -> None:
    path = tmp_path / "maps.yaml"
    path.write_text(MAPS)
    pytheas("apply", "-f", str(path))
    assert pytheas("diff", "-f", str(path)) == ""
    path.write_text(MAPS.replace('"2"', '"3"'))
    answer = pytheas.run("diff", "-f", str(path))
    assert answer.code == 1
    assert '-  b: "2"\n+  b: "3"' in answer.out


def test_server_side_apply_tells_of_conflicts_and_takes_over(pytheas: Pytheas, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: "1", b: "2"}\n')
    apply = ("apply", "--server-side", "-f", str(path))
    assert pytheas(*apply) == "configmap/one serverside-applied\n"
    pytheas("patch", "cm", "one", "--type=merge", "-p", '{"data":{"a":"9"}}')
    refused = pytheas.fails(*apply)
    assert 'Apply failed with 1 conflict: conflict with "pytheas" using v1: .data.a' in refused
    assert "--force-conflicts" in refused
    assert '-  a: "9"\n+  a: "1"' in pytheas.run("diff", "--server-side", "--force-conflicts", "-f", str(path)).out
    assert pytheas(*apply, "--force-conflicts", "--dry-run=server").endswith("serverside-applied (server dry run)\n")
    assert pytheas("get", "cm", "one", "-o", "jsonpath={.data.a}") == "9"
    pytheas(*apply, "--force-conflicts")
    assert pytheas("get", "cm", "one", "-o", "jsonpath={.data.a}") == "1"
    assert "doesn't work with --server-side" in pytheas.fails(*apply, "--dry-run=client")


def test_going_over_to_server_side_apply_and_back(pytheas: Pytheas, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"

    def write(data: str) -> None:
        path.write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: one}}\ndata: {data}\n")

    def owners() -> list[tuple[str, str]]:
        one = json.loads(pytheas("get", "cm", "one", "-o", "json", "--show-managed-fields"))
        # The server orders them by time first, so the order tells whether a second has passed.
        return sorted((each["manager"], each["operation"]) for each in one["metadata"]["managedFields"])

    write('{a: "1", b: "2", c: "3"}')
    pytheas("apply", "-f", str(path))
    assert owners() == [("pytheas-client-side-apply", "Update")]
    write('{a: "5", b: "2"}')
    assert pytheas("apply", "--server-side", "-f", str(path)) == "configmap/one serverside-applied\n"
    assert owners() == [("pytheas", "Apply"), ("pytheas-last-applied", "Apply")]
    assert json.loads(pytheas("get", "cm", "one", "-o", "jsonpath={.data}")) == {"a": "5", "b": "2"}
    write('{a: "5"}')
    assert pytheas("apply", "-f", str(path)) == "configmap/one configured\n"
    assert json.loads(pytheas("get", "cm", "one", "-o", "jsonpath={.data}")) == {"a": "5"}


def test_edit_patches_what_the_editor_changed(pytheas: Pytheas, tmp_path: Path) -> None:
    pytheas("apply", "-f", "-", stdin=MAPS)
    editor = {"EDITOR": 'sed -i s/\\"2\\"/\\"9\\"/'}
    assert pytheas.run("edit", "cm", "one", environment=editor).out == "configmap/one edited\n"
    assert pytheas("get", "cm", "one", "-o", "jsonpath={.data.b}") == "9"
    assert "no changes made" in pytheas.run("edit", "cm", "one", environment={"EDITOR": "true"}).err


def test_a_rollout_and_the_way_back(pytheas: Pytheas) -> None:
    pytheas("create", "deployment", "web", "--image=web:1", "--replicas=0")
    pytheas("rollout", "status", "deploy/web", "--timeout=20s")
    pytheas("set", "image", "deploy/web", "web=web:2")
    pytheas("wait", "deploy/web", "--for=jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}=2")
    assert pytheas("rollout", "history", "deploy/web").splitlines()[1:4] == [
        "REVISION  CHANGE-CAUSE",
        "1         <none>",
        "2         <none>",
    ]
    assert "web:1" in pytheas("rollout", "history", "deploy/web", "--revision=1")
    assert pytheas("rollout", "undo", "deploy/web") == "deployment.apps/web rolled back\n"
    image = pytheas("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    assert image == "web:1"
    pytheas("wait", "deploy/web", "--for=jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}=3")
    again = pytheas("rollout", "undo", "deploy/web", "--to-revision=3")
    assert again == "deployment.apps/web skipped rollback (current template already matches revision 3)\n"


def test_delete_waits_until_finalizers_are_gone(pytheas: Pytheas) -> None:
    held = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/hold]}\n"
    pytheas("apply", "-f", "-", stdin=held)
    error = pytheas.fails("delete", "cm", "held", "--timeout=1s")
    assert error == "error: timed out waiting for the condition on configmaps/held\n"
    deleting = pytheas.start("delete", "cm", "held", "--timeout=30s")
    pytheas("patch", "cm", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert deleting.wait(timeout=30) in (0, 1)  # 1 if the patch was first and nothing was left to delete
    deleting.communicate()
    assert pytheas("get", "cm", "held", "--ignore-not-found") == ""


def test_watch_goes_on_as_objects_change(pytheas: Pytheas) -> None:
    made = "{apiVersion: v1, kind: ConfigMap, metadata: {name: seen, labels: {watched: ''}}, data: {a: '1'}}"
    pytheas("apply", "-f", "-", stdin=made)
    watching = pytheas.start("get", "cm", "-l", "watched", "-w", "--output-watch-events", "-o", "wide")
    assert watching.stdout is not None
    read = watching.stdout.readline
    assert read().split()[0] == "EVENT"
    assert read().split()[:2] == ["ADDED", "seen"]
    pytheas("label", "cm", "seen", "a=b")
    assert read().split()[:2] == ["MODIFIED", "seen"]
    pytheas("delete", "cm", "seen")
    assert read().split()[:2] == ["DELETED", "seen"]
    watching.send_signal(signal.SIGINT)
    assert watching.wait(timeout=10) == 130
    watching.communicate()


def test_why_a_pod_is_pending(pytheas: Pytheas) -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: lost}, spec: {containers: [{name: c, image: c:1}]}}"
    pytheas("apply", "-f", "-", stdin=pod)
    pytheas("wait", "pod/lost", "--for=condition=PodScheduled=False", "--timeout=20s")
    answer = pytheas.run("why", "pod", "lost")
    assert answer.code == 1
    assert answer.out.startswith("pod/lost:\n  No node takes it: ")


def test_permission_and_identity_are_told(plane: ControlPlane, pytheas: Pytheas) -> None:
    other = Pytheas(plane.layout.kubeconfig("proxy"), pytheas.namespace)
    error = other.fails("create", "configmap", "x")
    assert error.startswith("Error from server (Forbidden): configmaps is forbidden: ")
    assert 'User "system:kube-proxy" cannot create resource "configmaps"' in error


def test_kinds_are_learned_once_and_kept(plane: ControlPlane, pytheas: Pytheas) -> None:
    pytheas("get", "pods")
    answer = pytheas.run("get", "pods", "-v=6")
    assert "/apis " not in answer.err
    assert "GET /api/v1/namespaces/" in answer.err


def test_the_example_applies(pytheas: Pytheas) -> None:
    out = pytheas("apply", "-f", str(ROOT / "examples" / "hello.yaml"))
    assert out == "deployment.apps/hello created\nservice/hello created\n"
