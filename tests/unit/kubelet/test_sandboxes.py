"""Which pods' sandboxes join a namespace by themselves, and where none can."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from api.types import core_v1
from kubelet.sandboxes.pool import has_host_ports, suits, why_not


def spec(**fields: Any) -> core_v1.PodSpec:
    return msgspec.convert({"containers": [{"name": "main"}], **fields}, core_v1.PodSpec)


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, True),
        ({"hostIPC": True}, True),
        ({"hostNetwork": True}, False),
        ({"hostPID": True}, False),
        ({"shareProcessNamespace": True}, False),
        ({"hostUsers": False}, False),
        ({"securityContext": {"sysctls": [{"name": "net.ipv4.ip_local_port_range", "value": "1024 65535"}]}}, False),
        ({"securityContext": {"sysctls": [{"name": "net/ipv4/tcp_syncookies", "value": "0"}]}}, False),
        ({"securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]}}, True),
        ({"runtimeClassName": "other"}, False),
    ],
)
def test_a_sandbox_joins_by_itself_unless_somebody_gets_near_it(fields: dict[str, Any], answer: bool) -> None:
    assert suits(spec(**fields)) is answer


def test_host_ports_of_any_container_want_a_network_of_the_pods_own() -> None:
    port = {"name": "main", "ports": [{"containerPort": 80, "hostPort": 8080}]}
    assert has_host_ports(spec(containers=[port]))
    assert has_host_ports(spec(initContainers=[port]))
    assert not has_host_ports(spec(containers=[{"name": "main", "ports": [{"containerPort": 80}]}]))


def test_docker_with_user_namespaces_or_a_foreign_pause_image_makes_them_itself() -> None:
    assert why_not(True, {"SecurityOptions": ["name=seccomp,profile=default"]}) == ""
    assert "user namespace" in why_not(True, {"SecurityOptions": ["name=userns"]})
    assert "user namespace" in why_not(True, {"SecurityOptions": ["name=rootless"]})
    assert "program" in why_not(False, {})
