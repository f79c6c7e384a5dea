"""What a node refuses, and what of the kernel a pod may use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import core_v1
from daemon.fatal import Fatal
from kubelet.pod.admission import refusal
from kubelet.pod.capabilities import NAMES, changes
from kubelet.pod.ground import Ground
from kubelet.pod.sysctls import Allowed, dotted, values
from kubelet.runtime.kernel import apparmor_enabled, bounded_capabilities


def pod_of(labels: dict[str, str] | None = None, **spec: Any) -> core_v1.Pod:
    whole = {"metadata": {"name": "web", "labels": labels or {}}, "spec": {"containers": [{"name": "main"}], **spec}}
    return msgspec.convert(whole, core_v1.Pod)


def sysctls(*names: str) -> dict[str, Any]:
    return {"securityContext": {"sysctls": [{"name": each, "value": "1"} for each in names]}}


@pytest.mark.parametrize(
    ("pod", "reason", "message"),
    [
        (
            pod_of({"kubernetes.io/os": "windows"}),
            "PodOSSelectorNodeLabelDoesNotMatch",
            "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
        ),
        (
            pod_of(os={"name": "windows"}),
            "PodOSNotSupported",
            "Failed to admit pod as the OS field doesn't match node OS",
        ),
        (
            pod_of(**sysctls("net.ipv4.tcp_syncookies", "kernel.msgmax")),
            "SysctlForbidden",
            'forbidden sysctl: "kernel.msgmax" not allowlisted',
        ),
        (
            pod_of(hostIPC=True, **sysctls("kernel.shm_rmid_forced")),
            "SysctlForbidden",
            'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
        ),
        (
            pod_of(containers=[{"name": "main", "securityContext": {"appArmorProfile": {"type": "RuntimeDefault"}}}]),
            "AppArmor",
            "Cannot enforce AppArmor: AppArmor is not enabled on the host",
        ),
    ],
)
def test_refusals(pod: core_v1.Pod, reason: str, message: str) -> None:
    refused = refusal(pod, Ground("n1"))
    assert refused is not None
    assert (refused.reason, refused.message) == (reason, message)


def test_what_is_taken() -> None:
    assert refusal(pod_of({"kubernetes.io/os": "linux"}, os={"name": "linux"}), Ground("n1")) is None
    unconfined = {"appArmorProfile": {"type": "Unconfined"}}
    assert refusal(pod_of(securityContext=unconfined), Ground("n1")) is None
    confined = {"appArmorProfile": {"type": "RuntimeDefault"}}
    assert refusal(pod_of(securityContext=confined), Ground("n1", apparmor=True)) is None
    allowed = Allowed.of(("kernel.msg*", "net/core/somaxconn"))
    pod = pod_of(**sysctls("kernel/msgmax", "net.core.somaxconn", "net.ipv4.tcp_rmem"))
    assert refusal(pod, Ground("n1", sysctls=allowed)) is None
    assert pod.spec is not None
    assert values(pod.spec) == {"kernel.msgmax": "1", "net.core.somaxconn": "1", "net.ipv4.tcp_rmem": "1"}


def test_sysctls_that_all_pods_share_cannot_be_allowed() -> None:
    with pytest.raises(Fatal, match=r'the sysctl "vm\.swappiness" are not known to be namespaced'):
        Allowed.of(("vm.swappiness",))


def test_a_sysctls_name_with_slashes() -> None:
    assert dotted("net/ipv4/conf/eth0.1/arp") == "net.ipv4.conf.eth0/1.arp"
    assert dotted("net.ipv4.conf.eth0/1.arp") == "net.ipv4.conf.eth0/1.arp"


@pytest.mark.parametrize(
    ("asked", "added", "dropped"),
    [
        ({}, [], []),
        ({"add": ["CAP_NET_ADMIN", "net_admin"], "drop": ["mknod"]}, ["NET_ADMIN"], ["MKNOD"]),
        ({"add": ["NET_ADMIN", "SYS_TIME"], "drop": ["NET_ADMIN"]}, ["SYS_TIME"], ["NET_ADMIN"]),
        ({"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}, ["NET_BIND_SERVICE"], ["ALL"]),
        ({"add": ["ALL", "CHOWN"], "drop": ["all"]}, ["CHOWN"], ["ALL"]),
        ({"add": ["ALL"], "drop": ["SYS_ADMIN"]}, ["ALL"], ["SYS_ADMIN"]),
    ],
)
def test_capabilities(asked: dict[str, list[str]], added: list[str], dropped: list[str]) -> None:
    assert changes(msgspec.convert(asked, core_v1.Capabilities), ()) == (added, dropped)


_NAMES = st.lists(st.sampled_from(["ALL", "CHOWN", "cap_chown", "KILL", "CAP_KILL", "SYS_ADMIN"]))


@given(_NAMES, _NAMES, st.sampled_from([(), ("CHOWN", "KILL")]))
def test_what_is_dropped_is_never_added(add: list[str], drop: list[str], present: tuple[str, ...]) -> None:
    added, dropped = changes(core_v1.Capabilities(add=add, drop=drop), present)
    assert not {*added} & {*dropped}
    assert len({*added}) == len(added)
    wanted = {each.upper().removeprefix("CAP_") for each in drop}
    assert "ALL" in dropped or wanted <= {*dropped}


def test_all_capabilities_are_those_of_the_machine() -> None:
    asked = core_v1.Capabilities(add=["ALL"], drop=["KILL"])
    assert changes(asked, ("CHOWN", "KILL")) == (["CHOWN"], ["KILL"])


def test_a_machine_that_lacks_capabilities(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tkubelet\nCapBnd:\t000001fffeffffff\nSeccomp:\t0\n")
    bounded = bounded_capabilities("20.10.24+dfsg1", status)
    assert set(NAMES) - set(bounded) == {"SYS_RESOURCE", "PERFMON", "BPF", "CHECKPOINT_RESTORE"}
    assert bounded_capabilities("27.5.1", status) == ()
    status.write_text("CapBnd:\t000001ffffffffff\n")
    assert bounded_capabilities("20.10.24+dfsg1", status) == ()


def test_whether_apparmor_is_enabled(tmp_path: Path) -> None:
    parameter = tmp_path / "enabled"
    assert not apparmor_enabled(parameter)
    parameter.write_text("Y\n")
    assert apparmor_enabled(parameter)
