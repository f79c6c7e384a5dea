"""What a pod's spec comes to: resources, environment, security, Docker's create bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import core_v1, meta_v1
from kubelet.pod import resources
from kubelet.pod.create import Mount, Wanted, container_body, sandbox_body
from kubelet.pod.env import Objects, environment, references
from kubelet.pod.expand import expand
from kubelet.pod.fields import Facts, FieldError, field_value, resource_value
from kubelet.pod.ground import Ground
from kubelet.pod.identity import Identity
from kubelet.pod.problem import ConfigError, CreateError, SandboxError
from kubelet.pod.security import seccomp
from kubelet.pod.services import service_variables

GROUND = Ground("n1", "pause:1", "/top", "cgroupfs", 8 << 30, 0)


def pod_of(*containers: dict[str, Any], **spec: Any) -> core_v1.Pod:
    metadata = {"name": "web", "namespace": "shop", "uid": "u-1", "labels": {"app": "web"}, "annotations": {"a": 'x"y'}}
    whole = {"metadata": metadata, "spec": {"nodeName": "n1", "containers": list(containers), **spec}}
    return msgspec.convert(whole, core_v1.Pod)


def only(pod: core_v1.Pod) -> core_v1.Container:
    assert pod.spec is not None
    return pod.spec.containers[0]


def main(**fields: Any) -> dict[str, Any]:
    return {"name": "main", "image": "app:1", **fields}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("a$b$", "a$b$"),
        ("$(A", "$(A"),
        ("$()", "$()"),
        ("$($$)", "$($$)"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1"}) == expanded


@given(st.text("$()AB", max_size=12))
def test_doubled_dollars_keep_any_text_as_it_is(text: str) -> None:
    assert expand(text.replace("$", "$$"), {"A": "1"}) == text


@pytest.mark.parametrize(
    ("request_", "limit", "shares", "quota", "memory"),
    [
        ({}, {}, 2, 0, 0),
        ({"cpu": "100m"}, {}, 102, 0, 0),
        ({}, {"cpu": "500m", "memory": "1Mi"}, 512, 50000, 1 << 20),
        ({"cpu": "1"}, {"cpu": "1m"}, 1024, 1000, 0),
        ({"cpu": "1000"}, {}, 262144, 0, 0),
    ],
)
def test_limits(request_: dict[str, str], limit: dict[str, str], shares: int, quota: int, memory: int) -> None:
    container = only(pod_of(main(resources={"requests": request_, "limits": limit})))
    assert resources.limits(container) == resources.Limits(shares, quota, memory)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "0"}}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_qos(given: dict[str, Any], wanted: str) -> None:
    pod = pod_of(main(resources=given))
    assert pod.spec is not None
    assert resources.qos_class(pod.spec) == wanted


def test_one_container_without_limits_makes_a_pod_burstable() -> None:
    pod = pod_of(main(resources={"limits": {"cpu": "1", "memory": "1Gi"}}), {"name": "b", "image": "b"})
    assert pod.spec is not None
    assert resources.qos_class(pod.spec) == "Burstable"


def test_oom_scores() -> None:
    def scores(pod: core_v1.Pod, memory: int = 8 << 30, *, critical: bool = False) -> list[int]:
        assert pod.spec is not None
        all_of_them = [*pod.spec.containers, *(pod.spec.initContainers or ())]
        return [resources.oom_score(each, pod.spec, memory, critical=critical) for each in all_of_them]

    burstable = pod_of(main(resources={"requests": {"memory": "2Gi"}}))
    assert scores(burstable) == [750]
    assert scores(burstable, 1 << 20) == [3]
    assert scores(burstable, critical=True) == [-997]
    assert scores(pod_of(main(resources={"limits": {"cpu": "1", "memory": "1Gi"}}))) == [-997]
    assert scores(pod_of(main())) == [1000]
    sidecar = {"name": "side", "image": "i", "restartPolicy": "Always"}
    assert scores(pod_of(main(resources={"requests": {"memory": "2Gi"}}), initContainers=[sidecar])) == [750, 750]
    whole = {"requests": {"memory": "4Gi"}}
    assert scores(pod_of(main(resources={"requests": {"memory": "2Gi"}}), main(name="b"), resources=whole)) == [
        625,
        875,
    ]


def test_cgroup_parents() -> None:
    assert resources.cgroup_parent("/a", "Burstable", "u-1", "cgroupfs") == "/a/kubepods/burstable/podu-1"
    assert resources.cgroup_parent("", "Guaranteed", "u-1", "cgroupfs") == "/kubepods/podu-1"
    assert resources.cgroup_parent("", "BestEffort", "u-1", "systemd") == "kubepods-besteffort-podu_1.slice"


def test_fields() -> None:
    pod, facts = pod_of(main()), Facts(("10.0.0.9",), ("192.0.2.1", "2001:db8::1"))
    assert field_value(pod, "metadata.annotations", facts) == 'a="x\\"y"'
    assert field_value(pod, "metadata.labels['app']", facts) == "web"
    assert field_value(pod, "metadata.labels['none']", facts) == ""
    assert field_value(pod, "status.hostIPs", facts) == "192.0.2.1,2001:db8::1"
    with pytest.raises(FieldError, match="unsupported fieldPath"):
        field_value(pod, "spec.containers", facts)


def test_field_values_are_quoted_as_go_does() -> None:
    pod = pod_of(main())
    assert pod.metadata is not None
    annotations = {"b": 'a"b\\c\td\r\n', "a": "é\x01\u200b\U000e0001 "}
    metadata = msgspec.structs.replace(pod.metadata, annotations=annotations)
    text = field_value(msgspec.structs.replace(pod, metadata=metadata), "metadata.annotations", Facts())
    assert text == 'a="é\\x01\\u200b\\U000e0001 "\nb="a\\"b\\\\c\\td\\r\\n"'


def test_resource_fields_of_another_container() -> None:
    def value(container: str, resource: str) -> str:
        ref = {"resourceFieldRef": {"containerName": container, "resource": resource, "divisor": "1m"}}
        pod = pod_of(main(env=[{"name": "X", "valueFrom": ref}]), initContainers=[side])
        return environment(pod, only(pod), Facts(allocatable={"cpu": "4"}), Objects(), {})["X"]

    side = {"name": "side", "image": "s", "resources": {"limits": {"cpu": "250m"}}}
    assert (value("side", "limits.cpu"), value("main", "limits.cpu"), value("main", "requests.cpu")) == (
        "250",
        "4000",
        "0",
    )
    with pytest.raises(ConfigError, match="container none not found"):
        value("none", "limits.cpu")


def test_binary_data_is_no_variable() -> None:
    objects = Objects({"c": {"A": b"text", "B": b"\0"}}, binary={"c": frozenset({"B"})})
    pod = pod_of(main(envFrom=[{"configMapRef": {"name": "c"}, "prefix": "1-"}]))
    assert environment(pod, only(pod), Facts(), objects, {}) == {"1-A": "text"}
    ref = {"configMapKeyRef": {"name": "c", "key": "B"}}
    pod = pod_of(main(env=[{"name": "X", "valueFrom": ref}]))
    with pytest.raises(ConfigError, match="couldn't find key B in ConfigMap shop/c"):
        environment(pod, only(pod), Facts(), objects, {})


def test_service_variables_of_an_ipv6_service() -> None:
    spec = core_v1.ServiceSpec(clusterIP="fd00::7", ports=[core_v1.ServicePort(port=80)])
    service = core_v1.Service(metadata=meta_v1.ObjectMeta(name="web", namespace="shop"), spec=spec)
    found = service_variables([service], "shop", links=True)
    assert (found["WEB_SERVICE_HOST"], found["WEB_PORT_80_TCP_ADDR"]) == ("fd00::7", "fd00::7")
    assert found["WEB_PORT"] == found["WEB_PORT_80_TCP"] == "tcp://[fd00::7]:80"


def test_resource_fields_round_up_and_fall_back_to_the_node() -> None:
    container = only(pod_of(main(resources={"limits": {"cpu": "1500m"}})))
    facts = Facts(allocatable={"memory": "8Gi", "cpu": "4"})

    def value(resource: str, divisor: str = "0") -> str:
        return resource_value(container, core_v1.ResourceFieldSelector(resource, divisor=divisor), facts)

    assert value("limits.cpu") == "2"
    assert value("limits.cpu", "1m") == "1500"
    assert value("limits.memory", "1Gi") == "8"
    assert value("requests.memory") == "0"
    with pytest.raises(FieldError):
        value("cpu")


def test_environment_takes_the_later_source() -> None:
    objects = Objects({"c": {"A": b"from map", "B": b"b"}}, {"s": {"A": b"from secret"}})
    source = [
        {"configMapRef": {"name": "c"}},
        {"secretRef": {"name": "s"}},
        {"configMapRef": {"name": "x", "optional": True}},
    ]
    env = [{"name": "B", "value": "$(A)!"}, {"name": "C", "value": "$(B)$(D)"}, {"name": "D", "value": "late"}]
    pod = pod_of(main(envFrom=source, env=env))
    found = environment(pod, only(pod), Facts(), objects, {"A": "service", "S": "service"})
    assert found == {"A": "from secret", "B": "from secret!", "C": "from secret!$(D)", "D": "late", "S": "service"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "k"}}, 'configmap "none" not found'),
        ({"secretKeyRef": {"name": "s", "key": "k"}}, "couldn't find key k in Secret shop/s"),
        ({"fieldRef": {"fieldPath": "no.such"}}, "unsupported fieldPath: no.such"),
    ],
)
def test_what_a_variable_cannot_be_made_from(source: dict[str, Any], message: str) -> None:
    pod = pod_of(main(env=[{"name": "X", "valueFrom": source}]))
    with pytest.raises(ConfigError, match=message.replace("(", "\\(")):
        environment(pod, only(pod), Facts(), Objects(secrets={"s": {}}), {})


def test_references() -> None:
    pod = pod_of(
        main(
            env=[{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "c1", "key": "k"}}}],
            envFrom=[{"secretRef": {"name": "s1"}}],
        ),
        volumes=[
            {"name": "v", "configMap": {"name": "c2"}},
            {"name": "w", "projected": {"sources": [{"secret": {"name": "s2"}}, {"configMap": {"name": "c3"}}]}},
        ],
    )
    assert references(pod) == ({"c1", "c2", "c3"}, {"s1", "s2"})


def test_a_null_byte_is_refused_without_telling_the_value() -> None:
    pod = pod_of(main(envFrom=[{"secretRef": {"name": "s"}}]))
    with pytest.raises(ConfigError) as raised:
        environment(pod, only(pod), Facts(), Objects(secrets={"s": {"A": b"hush\0"}}), {})
    assert str(raised.value) == "the value of the environment variable A contains a null byte"


def test_service_variables() -> None:
    def service(namespace: str, name: str, ip: str = "10.96.0.7") -> core_v1.Service:
        ports = [core_v1.ServicePort(port=80, name="http-web"), core_v1.ServicePort(port=53, protocol="UDP")]
        metadata = meta_v1.ObjectMeta(name=name, namespace=namespace)
        return core_v1.Service(metadata=metadata, spec=core_v1.ServiceSpec(clusterIP=ip, ports=ports))

    services = [
        service("shop", "my-db"),
        service("other", "hidden"),
        service("default", "kubernetes", "10.96.0.1"),
        service("shop", "headless", "None"),
    ]
    found = service_variables(services, "shop", links=True)
    assert found["MY_DB_SERVICE_HOST"] == "10.96.0.7"
    assert found["MY_DB_SERVICE_PORT"] == found["MY_DB_SERVICE_PORT_HTTP_WEB"] == "80"
    assert found["MY_DB_PORT"] == "tcp://10.96.0.7:80"
    assert found["MY_DB_PORT_53_UDP"] == "udp://10.96.0.7:53"
    assert found["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert not [name for name in found if "HIDDEN" in name or "HEADLESS" in name]
    own = service_variables([service("shop", "kubernetes"), services[2]], "shop", links=True)
    assert own["KUBERNETES_SERVICE_HOST"] == "10.96.0.7"
    assert set(service_variables(services, "shop", links=False)) <= {name for name in found if "KUBERNETES" in name}


def test_the_sandbox_body() -> None:
    body = sandbox_body(pod_of(main()), GROUND, 2, "web")
    assert body["Labels"] == {
        "io.kubernetes.pod.name": "web",
        "io.kubernetes.pod.namespace": "shop",
        "io.kubernetes.pod.uid": "u-1",
        "dev.pytheas.node": "n1",
        "io.kubernetes.docker.type": "podsandbox",
        "io.kubernetes.container.name": "POD",
        "dev.pytheas.attempt": "2",
    }
    host = body["HostConfig"]
    assert (host["NetworkMode"], host["IpcMode"], host["OomScoreAdj"]) == ("none", "shareable", 0)
    on_host = sandbox_body(pod_of(main(), hostNetwork=True, hostIPC=True, hostPID=True), GROUND, 0, "n1")
    shared = {name: on_host["HostConfig"][name] for name in ("NetworkMode", "UTSMode", "IpcMode", "PidMode")}
    assert set(shared.values()) == {"host"}
    assert on_host["Hostname"] == ""


def test_a_runtime_of_another_kind() -> None:
    pod = pod_of(main())
    body = sandbox_body(pod, GROUND, 0, "web", runtime="runsc")
    assert (body["HostConfig"]["Runtime"], body["Labels"]["dev.pytheas.runtime"]) == ("runsc", "runsc")
    made = container_body(pod, only(pod), Wanted("sb", 0, "i", "h", runtime="runsc"), GROUND)
    assert made["HostConfig"]["Runtime"] == "runsc"
    assert "Runtime" not in sandbox_body(pod, GROUND, 0, "web")["HostConfig"]


def test_a_sandbox_that_docker_cannot_make() -> None:
    with pytest.raises(SandboxError, match="does not support user namespaces"):
        sandbox_body(pod_of(main(), hostUsers=False), GROUND, 0, "web")


def test_the_container_body() -> None:
    pod = pod_of(
        main(command=["run", "$(A)"], workingDir="/w", tty=True),
        shareProcessNamespace=True,
        terminationGracePeriodSeconds=7,
    )
    mounts = [Mount("/src", "/dst"), Mount("/ro", "/r", read_only=True, propagation="rslave")]
    body = container_body(pod, only(pod), Wanted("sb", 3, "sha256:1", "hash", {"A": "1"}, mounts), GROUND)
    assert (body["Entrypoint"], body["Cmd"], body["Env"]) == (["run", "1"], [], ["A=1"])
    assert (body["Image"], body["WorkingDir"], body["Tty"]) == ("sha256:1", "/w", True)
    assert body["Healthcheck"] == {"Test": ["NONE"]}
    host = body["HostConfig"]
    assert host["NetworkMode"] == host["IpcMode"] == host["PidMode"] == "container:sb"
    assert [(each["Source"], each["Target"], each["ReadOnly"], each["BindOptions"]) for each in host["Mounts"]] == [
        ("/src", "/dst", False, {}),
        ("/ro", "/r", True, {"Propagation": "rslave", "ReadOnlyNonRecursive": True}),
    ]
    assert host["CgroupParent"] == "/top/kubepods/besteffort/podu-1"
    labels = body["Labels"]
    assert (labels["dev.pytheas.attempt"], labels["dev.pytheas.grace-period"]) == ("3", "7")


def test_args_alone_keep_the_images_entrypoint() -> None:
    pod = pod_of(main(args=["$(A)x"]))
    body = container_body(pod, only(pod), Wanted("sb", 0, "i", "h", {"A": "1"}), GROUND)
    assert "Entrypoint" not in body
    assert body["Cmd"] == ["1x"]


def secured(own: dict[str, Any], whole: dict[str, Any], ground: Ground = GROUND) -> dict[str, Any]:
    pod = pod_of(main(securityContext=own), securityContext=whole)
    who = Identity(5, 7, (7, 9))
    return container_body(pod, only(pod), Wanted("sb", 0, "i", "h", user=who, devices=["/dev/fuse"]), ground)


def test_the_containers_security_context_wins() -> None:
    own = {
        "capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
        "seLinuxOptions": {"level": "s0:c1,c2"},
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
    }
    body = secured(own, {"seccompProfile": {"type": "Unconfined"}, "seLinuxOptions": {"type": "spc_t"}})
    host = body["HostConfig"]
    assert (body["User"], host["GroupAdd"], body["Labels"]["dev.pytheas.user"]) == ("5:7", ["9"], "5:7:7,9")
    assert (host["CapAdd"], host["CapDrop"], host["ReadonlyRootfs"]) == (["NET_ADMIN"], ["ALL"], True)
    assert host["SecurityOpt"] == ["no-new-privileges", "label=level:s0:c1,c2"]


def test_what_the_pod_says_holds_for_all_its_containers() -> None:
    confined = {"type": "Localhost", "localhostProfile": "own"}
    whole = {"appArmorProfile": confined, "seLinuxOptions": {"user": "u", "role": "r", "type": "t"}}
    options = ["seccomp=unconfined", "apparmor=own", "label=user:u", "label=role:r", "label=type:t"]
    assert secured({}, whole)["HostConfig"]["SecurityOpt"] == options
    own = {"appArmorProfile": {"type": "Unconfined"}}
    assert "apparmor=unconfined" in secured(own, whole)["HostConfig"]["SecurityOpt"]


def test_an_unmasked_proc() -> None:
    host = secured({"procMount": "Unmasked"}, {})["HostConfig"]
    assert host["MaskedPaths"] == host["ReadonlyPaths"] == []
    assert "MaskedPaths" not in secured({"procMount": "Default"}, {})["HostConfig"]


def test_a_privileged_container() -> None:
    host = secured({"privileged": True}, {"seccompProfile": {"type": "RuntimeDefault"}})["HostConfig"]
    assert host["Privileged"] is True
    assert host["SecurityOpt"] == ["seccomp=unconfined"]


def test_a_privileged_container_where_the_machine_lacks_capabilities() -> None:
    host = secured({"privileged": True}, {}, Ground("n1", capabilities=("CHOWN", "KILL")))["HostConfig"]
    assert "Privileged" not in host
    assert (host["CapAdd"], host["DeviceCgroupRules"]) == (["CHOWN", "KILL"], ["a *:* rwm"])
    fuse = {"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}
    assert host["Devices"] == [fuse]
    assert host["MaskedPaths"] == host["ReadonlyPaths"] == []


def test_seccomp_profiles(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{"defaultAction":"SCMP_ACT_ALLOW"}')
    ground = Ground("n1", seccomp_folder=tmp_path)

    def options(**profile: str) -> list[str]:
        return seccomp(msgspec.convert(profile, core_v1.SeccompProfile) if profile else None, ground)

    assert options() == options(type="Unconfined") == ["seccomp=unconfined"]
    assert options(type="RuntimeDefault") == seccomp(None, Ground("n1", seccomp_default=True)) == []
    assert options(type="Localhost", localhostProfile="own.json") == ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']
    for path in ("../own.json", "absent.json"):
        with pytest.raises(CreateError):
            options(type="Localhost", localhostProfile=path)
