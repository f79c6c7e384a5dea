"""Volumes on a real node: what is in them, who may read it, how it changes, and that nothing of it is left behind."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest
from tests.e2e.kubelet.test_containers import config_map, secret
from tests.harness.images import binary_tree
from tests.harness.process import wait_until

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def on_node(lab: Lab, script: str) -> str:
    return lab.node.host.run("sh", "-ec", script)


def mounted(lab: Lab, uid: str) -> list[str]:
    """The mount points on the node that belong to a pod."""
    table = on_node(lab, "cat /proc/self/mountinfo")
    return [line.split()[4] for line in table.splitlines() if uid in line]


def uid_of(lab: Lab, pod: str) -> str:
    return str(lab.kubectl.get("pod", pod)["metadata"]["uid"])


def test_a_pod_calls_the_api_server_as_its_account(lab: Lab) -> None:
    image, name = "curl:1", lab.name("caller")
    tree = binary_tree("/usr/bin/curl", "/usr/bin/busybox")
    importing = ["docker", "-H", lab.node.host.docker, "import", "-", image]
    subprocess.run(importing, input=tree, check=True, capture_output=True)
    script = f"""T=$(busybox cat {ACCOUNT}/token); N=$(busybox cat {ACCOUNT}/namespace); U=https://kubernetes.default/api/v1
        echo "header = \\"Authorization: Bearer $T\\"" |
        curl -sS --cacert {ACCOUNT}/ca.crt -K - $U/namespaces/$N/pods/{name}; echo ' done'"""
    shell = ["/usr/bin/busybox", "sh", "-c", f"PATH=/usr/bin; {script}"]
    aliases = [{"ip": "10.96.0.1", "hostnames": ["kubernetes.default"]}]
    container = {"image": image, "command": shell}
    lab.apply(manifest(name, "", container, hostAliases=aliases, restartPolicy="Never"))
    lab.phase(name, "Succeeded")
    said = lab.kubectl("logs", name)
    assert json.loads(said.removesuffix(" done\n"))["metadata"]["name"] == name, said


def test_no_token_where_none_is_wanted(lab: Lab) -> None:
    name = lab.name("plain")
    lab.apply(manifest(name, SLEEP, automountServiceAccountToken=False))
    assert "volumes" not in lab.kubectl.get("pod", name)["spec"]


def test_files_follow_their_objects(lab: Lab) -> None:
    """One pod with all the kinds; every change is seen within two seconds, and all of it at once."""
    config, hidden, fixed, name = lab.name("config"), lab.name("hidden"), lab.name("fixed"), lab.name("files")
    made = config_map(config, color="red", size="9")
    made["binaryData"] = {"raw": base64.b64encode(b"\xff\x00").decode()}
    frozen = {**config_map(fixed, a="1"), "immutable": True}
    lab.apply(made, secret(hidden, password="hush"), frozen)
    labels = {"fieldRef": {"fieldPath": "metadata.labels"}}
    parts = [
        {"configMap": {"name": config, "items": [{"key": "size", "path": "sub/size", "mode": 0o400}]}},
        {"secret": {"name": hidden}},
        {"configMap": {"name": "no-such", "optional": True}},
        {"downwardAPI": {"items": [{"path": "labels", **labels}]}},
        {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}},
    ]
    volumes = [
        {"name": "c", "configMap": {"name": config, "defaultMode": 0o640}},
        {"name": "s", "secret": {"secretName": hidden, "defaultMode": 0o400}},
        {"name": "f", "configMap": {"name": fixed}},
        {"name": "p", "projected": {"sources": parts}},
    ]
    mounts = [{"name": each["name"], "mountPath": f"/v/{each['name']}"} for each in volumes]
    mounts.append({"name": "c", "mountPath": "/single", "subPath": "color"})
    security = {"fsGroup": 2000, "runAsUser": 1000}
    spec: dict[str, Any] = {"volumes": volumes, "securityContext": security}
    lab.apply(manifest(name, SLEEP, {"volumeMounts": mounts}, **spec))
    lab.ready(name)

    def read(path: str) -> str:
        return lab.execute(name, "cat", f"/v/{path}")

    stat = lab.execute(
        name, "stat", "-L", "-c", "%a %u %g", "/v/c/color", "/v/s/password", "/v/p/sub/size", "/v/p/token"
    )
    assert stat.splitlines() == ["640 0 2000", "440 0 2000", "440 0 2000", "640 1000 2000"]
    assert (read("c/color"), read("s/password"), read("p/sub/size"), read("f/a")) == ("red", "hush", "9", "1")
    assert lab.execute(name, "sh", "-c", "od -An -tx1 /v/c/raw").split() == ["ff", "00"]
    claims = json.loads(base64.urlsafe_b64decode(read("p/token").split(".")[1] + "=="))
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (["vault"], 600)
    refused = lab.execute(name, "sh", "-c", "echo x 2>&1 > /v/c/color || echo refused")
    assert "refused" in refused

    def change(patch: dict[str, Any], what: str, path: str, wanted: str) -> float:
        lab.kubectl("patch", what, "--type=merge", "-p", json.dumps(patch))
        began = time.monotonic()
        wait_until(f"{path} to change", lambda: wanted in read(path), 2, every=0.1)
        return time.monotonic() - began

    change({"data": {"color": "blue", "size": "10"}}, f"configmap/{config}", "c/color", "blue")
    assert (read("c/size"), read("p/sub/size")) == ("10", "10")
    encoded = base64.b64encode(b"shout").decode()
    change({"data": {"password": encoded}}, f"secret/{hidden}", "s/password", "shout")
    change({"metadata": {"labels": {"tier": "gold"}}}, f"pod/{name}", "p/labels", 'tier="gold"')
    lab.node.kubelet.stop()
    lab.kubectl("patch", f"configmap/{config}", "--type=merge", "-p", '{"data": {"color": "green", "size": null}}')
    lab.node.kubelet.start()
    wait_until("a restarted kubelet to bring it up to date", lambda: read("c/color") == "green", 20, every=0.2)
    assert "size" not in lab.execute(name, "ls", "/v/c")
    assert lab.execute(name, "cat", "/single") == "red"


def test_folders_parts_and_what_is_left_of_them(lab: Lab) -> None:
    """emptyDir on disk and in memory, hostPath with its types, subPaths, propagation; and a clean node afterwards."""
    host, name = f"{lab.node.host.folder}/shared-{lab.name('x')}", lab.name("folders")
    on_node(lab, f"mkdir -p {host}/inner && mount --bind {host} {host} && mount --make-shared {host}")
    on_node(lab, f"mount -t tmpfs tmpfs {host}/inner && echo kept > {host}/inner/precious && echo kept > {host}/top")
    volumes = [
        {"name": "disk", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "2Mi"}},
        {"name": "host", "hostPath": {"path": host, "type": "Directory"}},
        {"name": "made", "hostPath": {"path": f"{host}/made:0", "type": "DirectoryOrCreate"}},
    ]
    mounts = [
        {"name": "disk", "mountPath": "/disk"},
        {"name": "disk", "mountPath": "/part", "subPathExpr": "$(WHO)/deep"},
        {"name": "disk", "mountPath": "/disk/nested", "subPath": "other"},
        {"name": "memory", "mountPath": "/memory"},
        {"name": "host", "mountPath": "/host", "mountPropagation": "HostToContainer"},
        {"name": "host", "mountPath": "/locked", "readOnly": True, "recursiveReadOnly": "Enabled"},
        {"name": "host", "mountPath": "/both", "mountPropagation": "Bidirectional"},
        {"name": "made", "mountPath": "/made"},
    ]
    env = [{"name": "WHO", "value": "me"}]
    main = {"volumeMounts": mounts, "env": env, "securityContext": {"privileged": True}}
    lab.apply(manifest(name, SLEEP, main, volumes=volumes, securityContext={"fsGroup": 3000}))
    lab.ready(name)
    uid = uid_of(lab, name)

    def shell(script: str) -> str:
        return lab.execute(name, "sh", "-c", script).strip()

    assert shell("stat -c '%a %g' /disk /part /memory") == "2777 3000\n2777 3000\n2777 3000"
    assert (
        shell("echo hi > /part/f; cat /disk/me/deep/f; ls /disk/nested /disk/other")
        == "hi\n/disk/nested:\n\n/disk/other:"
    )
    assert shell("df -k /memory | tail -1 | awk '{print $2}'") == "2048"
    assert shell("dd if=/dev/zero of=/memory/f bs=1M count=3 2>&1 || true").count("No space") == 1
    assert shell("cat /host/inner/precious /locked/inner/precious") == "kept\nkept"
    assert shell("(echo x > /locked/inner/precious) 2>&1 || true").endswith("Read-only file system")
    on_node(lab, f"mkdir {host}/late && mount -t tmpfs tmpfs {host}/late && touch {host}/late/seen")
    assert shell("ls /host/late") == "seen"
    shell("mkdir /both/up && mount -t tmpfs tmpfs /both/up && touch /both/up/seen")
    assert on_node(lab, f"ls {host}/up").strip() == "seen"
    assert mounted(lab, uid)
    # A kubelet that is killed in the midst of the clean-up finishes it when it is back.
    lab.kubectl("delete", f"pod/{name}", "--wait=false")
    lab.node.kubelet.kill()
    lab.node.kubelet.start()
    wait_until("no mount of the pod to be left", lambda: not mounted(lab, uid), 20)
    lab.kubectl("wait", "--for=delete", f"pod/{name}", "--timeout=20s")
    assert on_node(lab, f"cat {host}/inner/precious {host}/top; ls {host}/up {host}/late").split()[:2] == [
        "kept",
        "kept",
    ]
    assert on_node(lab, f"test -e {lab.node.host.folder}/state/kubelet/pods/{uid} || echo gone").strip() == "gone"
    on_node(lab, f"umount -R {host} && rm -r {host}")


def test_what_cannot_be_mounted_says_why(lab: Lab, pod: Callable[..., str]) -> None:
    wrong = [
        (
            {"hostPath": {"path": "/etc/passwd", "type": "Directory"}},
            "hostPath type check failed: /etc/passwd is not a directory",
        ),
        ({"configMap": {"name": "no-such"}}, 'configmap "no-such" not found'),
        ({"image": {"reference": "busybox:1"}}, "image volumes are not supported"),
        ({"nfs": {"server": "127.0.0.1", "path": "/x"}}, "mount failed: "),
    ]
    names = []
    for source, _ in wrong:
        names.append(
            pod(SLEEP, {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, volumes=[{"name": "v", **source}])
        )
    for name, (_, sentence) in zip(names, wrong, strict=True):
        lab.has_event(name, "FailedMount", f'MountVolume.SetUp failed for volume "v" : {sentence}')


def test_a_claim_s_local_volume_keeps_its_data(lab: Lab) -> None:
    folder, volume, claim, name = f"{lab.node.host.folder}/local", lab.name("pv"), lab.name("pvc"), lab.name("user")
    on_node(lab, f"mkdir -p {folder} && echo first > {folder}/data")
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [lab.node.name]}]}
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": volume,
        "local": {"path": folder},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
    }
    asked = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": volume,
        "resources": {"requests": {"storage": "1Mi"}},
    }
    lab.apply(
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume}, "spec": spec},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": claim}, "spec": asked},
        manifest(
            name,
            "cat /data/data; echo second > /data/data; " + SLEEP,
            {"volumeMounts": [{"name": "v", "mountPath": "/data"}]},
            volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": claim}}],
        ),
    )
    lab.ready(name)
    assert lab.logs(name, "first") == ["first"]
    lab.delete(f"pod/{name}", f"pvc/{claim}")
    assert on_node(lab, f"cat {folder}/data").strip() == "second"
