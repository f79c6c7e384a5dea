"""A KubeletConfiguration file becomes options."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon.options import parse
from kubelet import config_file
from kubelet.options import EVICTION_HARD, Options


def options(tmp_path: Path, content: dict[str, Any], *flags: str) -> Options:
    file = tmp_path / "kubelet.yaml"
    file.write_text(yaml.safe_dump({"apiVersion": config_file.API_VERSION, "kind": config_file.KIND, **content}))
    formats = {config_file.KIND: config_file.read}
    return parse(Options, "tester", argv=["--config", str(file), *flags], formats=formats)


def test_every_field_has_an_option() -> None:
    names = set(typing.get_type_hints(Options))
    named = {*config_file._OPTIONS.values(), *map(config_file.snake, config_file._MAPS)}
    assert named <= names
    assert config_file.snake("imageGCHighThresholdPercent") == "image_gc_high_threshold_percent"
    assert config_file.snake("cgroupsPerQOS") == "cgroups_per_qos"
    assert config_file.snake("podCIDR") == "pod_cidr"


def test_fields_of_every_kind(tmp_path: Path) -> None:
    read = options(
        tmp_path,
        {
            "maxPods": 20,
            "evictionHard": {"memory.available": "1Gi", "nodefs.available": "5%"},
            "systemReserved": {"cpu": "100m", "memory": "64Mi"},
            "authentication": {"anonymous": {"enabled": True}, "x509": {"clientCAFile": "/ca"}},
            "authorization": {"mode": "AlwaysAllow"},
            "syncFrequency": "1m30s",
            "clusterDNS": ["10.0.0.10"],
            "registerWithTaints": [{"key": "a", "value": "b", "effect": "NoSchedule"}],
            "shutdownGracePeriodByPodPriority": [{"priority": 1000, "shutdownGracePeriodSeconds": 10}],
            "healthzPort": 10999,
            "crashLoopBackOff": {"maxContainerRestartPeriod": "60s"},
            "featureGates": {"Anything": True},
            "staticPodPath": "",
        },
        "--max-pods=30",
    )
    assert read.max_pods == 30
    assert read.eviction_hard == ("memory.available<1Gi", "nodefs.available<5%")
    assert read.system_reserved == ("cpu=100m", "memory=64Mi")
    assert (read.anonymous_auth, read.client_ca_file, read.authorization_mode) == (True, Path("/ca"), "AlwaysAllow")
    assert (float(read.sync_period), float(read.max_container_restart_period)) == (90, 60)
    assert read.cluster_dns == ("10.0.0.10",)
    assert read.register_with_taints == ("a=b:NoSchedule",)
    assert read.shutdown_grace_period_by_pod_priority == ("1000=10",)
    assert read.health_bind == "127.0.0.1:10999"
    assert read.unsupported == ("featureGates",)
    assert read.pod_manifest_path is None


def test_defaults_of_evictions_can_be_kept(tmp_path: Path) -> None:
    content = {"evictionHard": {"memory.available": "1Gi"}, "mergeDefaultEvictionSettings": True}
    assert options(tmp_path, content).eviction_hard == ("memory.available<1Gi", *EVICTION_HARD[1:])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"maxPod": 1}, 'strict decoding error: unknown field "maxPod"'),
        ({"authentication": {"anonymus": {}}}, 'unknown field "authentication.anonymus"'),
        ({"maxPods": "many"}, "maxPods: invalid literal"),
        ({"evictionHard": "memory.available<1Gi"}, "evictionHard must be a map"),
        ({"registerWithTaints": [{"value": "x"}]}, "needs key and effect"),
        ({"authorization": {"mode": "Always"}}, "--authorization-mode must be one of AlwaysAllow, Webhook, not Always"),
        ({"apiVersion": "kubelet.config.k8s.io/v1"}, 'is registered for version "kubelet.config.k8s.io/v1"'),
    ],
)
def test_what_makes_no_sense_is_named(
    tmp_path: Path, content: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        options(tmp_path, content)
    assert message in capsys.readouterr().err


def test_of_two_files_the_later_wins(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("node-name: here\nmax-pods: 5\n")
    read = options(tmp_path, {"maxPods": 7}, "--config", str(own))
    assert (read.node_name, read.max_pods) == ("here", 5)
