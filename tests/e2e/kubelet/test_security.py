"""What the kernel lets a container do, and who it is."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.layout import Layout
from kubelet.pod.capabilities import NAMES
from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest

Make = Callable[..., str]

PASSWD = "root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n"
GROUP = "root:x:0:\nstaff:x:50:\ncrew:x:50000:alice\n"
NO_MKDIR = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}


def container(name: str, **context: Any) -> dict[str, Any]:
    return {"name": name, "image": "busybox:1", "command": ["sh", "-c", SLEEP], "securityContext": context}


def bits(*names: str) -> int:
    return sum(1 << NAMES.index(name) for name in names)


class Seen:
    """What `/proc/self/status` says in a container."""

    def __init__(self, lab: Lab, pod: str, name: str) -> None:
        text = lab.execute(pod, "cat", "/proc/self/status", name=name)
        self._lines = dict(line.partition(":\t")[::2] for line in text.splitlines())
        self.effective, self.bounding = (int(self._lines[each], 16) for each in ("CapEff", "CapBnd"))
        self.groups = self._lines["Groups"].split()

    def __getitem__(self, name: str) -> str:
        return self._lines[name]


def test_what_a_container_sees_of_its_security_context(lab: Lab) -> None:
    name = lab.name("secure")
    folder = Layout.below(lab.node.host.folder).state / "kubelet/seccomp/profiles"
    folder.mkdir(parents=True, exist_ok=True)
    Path(folder, "no-mkdir.json").write_text(json.dumps(NO_MKDIR))
    tight = {
        "runAsUser": 1000,
        "runAsGroup": 2000,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    local = {"type": "Localhost", "localhostProfile": "profiles/no-mkdir.json"}
    spec = {
        "securityContext": {"fsGroup": 3000, "supplementalGroups": [4000], "appArmorProfile": {"type": "Unconfined"}},
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "more": [
            container("some", capabilities={"add": ["CAP_NET_ADMIN", "SYS_TIME"], "drop": ["MKNOD", "SYS_TIME"]}),
            container("every", capabilities={"add": ["ALL"], "drop": ["SYS_ADMIN"]}),
            container("privileged", privileged=True),
            container("local", seccompProfile=local),
        ],
    }
    mounts = [{"name": "scratch", "mountPath": "/scratch"}]
    lab.apply(manifest(name, SLEEP, {"securityContext": tight, "volumeMounts": mounts}, **spec))
    lab.ready(name)
    main, some, every, privileged = (Seen(lab, name, each) for each in ("main", "some", "every", "privileged"))

    assert "uid=1000 gid=2000 groups=2000,3000,4000" in lab.execute(name, "id")
    assert (main.effective, main["NoNewPrivs"], main["Seccomp"]) == (0, "1", "2")
    assert lab.execute(name, "sh", "-c", "touch /scratch/mine && stat -c %g /scratch/mine").strip() == "3000"
    assert " ro," in next(line for line in lab.execute(name, "cat", "/proc/mounts").splitlines() if " / " in line)
    user = {"linux": {"uid": 1000, "gid": 2000, "supplementalGroups": [2000, 3000, 4000]}}
    assert lab.container(name)["user"] == user

    assert some.effective & bits("NET_ADMIN", "MKNOD", "SYS_TIME", "CHOWN") == bits("NET_ADMIN", "CHOWN")
    assert (some["NoNewPrivs"], some["Seccomp"]) == ("0", "0")
    have = int(Path("/proc/self/status").read_text().partition("CapBnd:\t")[2].split()[0], 16)
    known = have & bits(*NAMES[: NAMES.index("AUDIT_READ") + 1])
    assert every.effective & known == known & ~bits("SYS_ADMIN")
    assert privileged.effective & known == known

    work = "mount -t tmpfs none /tmp && mount -o remount,rw /sys && echo 1 > /proc/sys/net/ipv4/ip_forward && echo done"
    assert lab.execute(name, "sh", "-c", work, name="privileged").strip() == "done"
    assert "/dev/kmsg" in lab.execute(name, "sh", "-c", "echo /dev/*", name="privileged")
    refused = "mkdir /tmp/x 2>&1 || touch /tmp/y && echo only that"
    assert "only that" in lab.execute(name, "sh", "-c", refused, name="local")
    assert "Operation not permitted" in lab.execute(name, "sh", "-c", refused, name="local")


def test_groups_of_the_image_are_merged_or_left_out(lab: Lab) -> None:
    image = "pytheas/accounts:1"
    build_with_accounts(lab, image)
    merged, strict, named, wrong = (lab.name(each) for each in ("merged", "strict", "named", "wrong"))
    whole = {"runAsUser": 1000, "runAsGroup": 3000, "supplementalGroups": [4000]}
    own = {"image": image}
    lab.apply(
        manifest(merged, SLEEP, own, securityContext=whole),
        manifest(strict, SLEEP, own, securityContext={**whole, "supplementalGroupsPolicy": "Strict"}),
        manifest(named, SLEEP, own),
        manifest(wrong, SLEEP, own, securityContext={"runAsNonRoot": True}),
    )
    for name, uid, groups in (
        (merged, "1000", [3000, 4000, 50000]),
        (strict, "1000", [3000, 4000]),
        (named, "1000", [50, 50000]),
    ):
        lab.ready(name)
        seen = Seen(lab, name, "main")
        assert (seen["Uid"].split()[0], seen["Gid"].split()[0]) == (uid, str(groups[0]))
        assert sorted(map(int, seen.groups)) == groups
        assert lab.container(name)["user"]["linux"]["supplementalGroups"] == groups
    waiting = lab.waiting(wrong, "CreateContainerConfigError")["state"]["waiting"]
    assert "image has non-numeric user (alice), cannot verify user is non-root" in waiting["message"]


def build_with_accounts(lab: Lab, image: str) -> None:
    """An image with users and groups, which runs as one of them."""
    files = {
        "Dockerfile": "FROM busybox:1\nCOPY passwd group /etc/\nUSER alice:staff\n",
        "passwd": PASSWD,
        "group": GROUP,
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    argv = ["docker", "-H", lab.node.host.docker, "build", "-q", "-t", image, "-"]
    subprocess.run(argv, input=buffer.getvalue(), check=True, capture_output=True)


def test_what_a_container_cannot_be(lab: Lab, pod: Make) -> None:
    root = pod(SLEEP, stem="root", securityContext={"runAsNonRoot": True})
    absent = {"seccompProfile": {"type": "Localhost", "localhostProfile": "none.json"}}
    profile = pod(SLEEP, {"securityContext": absent}, stem="profile")
    unknown = pod(SLEEP, {"securityContext": {"capabilities": {"add": ["FLY"]}}}, stem="unknown")
    waiting = lab.waiting(root, "CreateContainerConfigError")["state"]["waiting"]
    uid = lab.kubectl.get("pod", root)["metadata"]["uid"]
    assert waiting["message"] == (
        f'container has runAsNonRoot and image will run as root (pod: "{root}_default({uid})", container: main)'
    )
    lab.has_event(root, "Failed", "Error: container has runAsNonRoot and image will run as root")
    waiting = lab.waiting(profile, "CreateContainerError")["state"]["waiting"]
    assert waiting["message"].startswith("cannot load seccomp profile")
    waiting = lab.waiting(unknown, "CreateContainerError")["state"]["waiting"]
    assert 'unknown capability: "CAP_FLY"' in waiting["message"]


def test_pods_that_the_node_refuses(lab: Lab, pod: Make) -> None:
    here = {"nodeName": lab.node.name}
    context = {"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}
    refused = {
        pod(SLEEP, stem="sysctl", securityContext=context, **here): (
            "SysctlForbidden",
            'forbidden sysctl: "kernel.msgmax" not allowlisted',
        ),
        pod(SLEEP, stem="windows", os={"name": "windows"}, **here): (
            "PodOSNotSupported",
            "Failed to admit pod as the OS field doesn't match node OS",
        ),
        pod(SLEEP, stem="confined", securityContext={"appArmorProfile": {"type": "RuntimeDefault"}}, **here): (
            "AppArmor",
            "Cannot enforce AppArmor: AppArmor is not enabled on the host",
        ),
    }
    for name, (reason, message) in refused.items():
        lab.phase(name, "Failed")
        status = lab.status(name)
        assert (status["reason"], status["message"]) == (reason, f"Pod was rejected: {message}")
        assert "containerStatuses" not in status
        lab.has_event(name, reason, message)
        assert lab.containers(name, every=True) == []
