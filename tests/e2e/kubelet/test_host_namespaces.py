"""A pod's names and namespaces: its own, its containers' common ones, and the host's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.kubelet.conftest import SLEEP, Lab, manifest

Make = Callable[..., str]

SPACES = ("net", "ipc", "pid", "uts")


def test_host_network_and_host_port(lab: Lab, pod: Make) -> None:
    serve = "mkdir -p /www; echo {} > /www/index.html; httpd -p {} -h /www; " + SLEEP
    host = pod(serve.format("host", 18090), hostNetwork=True)
    port = pod(serve.format("port", 8080), {"ports": [{"containerPort": 8080, "hostPort": 18091}]})
    lab.ready(host)
    lab.ready(port)
    status = lab.status(host)
    assert status["podIP"] == status["hostIP"] == lab.node.host.address
    assert lab.node.host.run("curl", "-sS", f"http://{lab.node.host.address}:18090/").strip() == "host"
    assert lab.node.host.run("curl", "-sS", f"http://{lab.node.host.address}:18091/").strip() == "port"
    lab.delete(f"pod/{port}")
    gone = lab.node.host.run("curl", "-sS", "--max-time", "2", f"http://{lab.node.host.address}:18091/", check=False)
    assert not gone


def spaces(read: Callable[..., str]) -> list[str]:
    return [read("readlink", f"/proc/self/ns/{each}").strip() for each in SPACES]


def test_a_pod_in_the_hosts_namespaces(lab: Lab, pod: Make) -> None:
    aliases = [{"ip": "192.0.2.9", "hostnames": ["one", "two"]}]
    shared = {"hostNetwork": True, "hostPID": True, "hostIPC": True, "hostAliases": aliases}
    name = pod(SLEEP, dnsPolicy="ClusterFirstWithHostNet", **shared)
    lab.ready(name)
    assert spaces(lambda *argv: lab.execute(name, *argv)) == spaces(lab.node.host.run)
    hosts = lab.execute(name, "cat", "/etc/hosts")
    assert hosts.startswith("# Kubernetes-managed hosts file (host network).\n")
    assert lab.node.host.run("cat", "/etc/hosts").rstrip("\n") in hosts
    assert hosts.endswith("\n# Entries added by HostAliases.\n192.0.2.9\tone\ttwo\n")
    assert lab.execute(name, "hostname").strip() == lab.node.host.run("hostname").strip()


def test_names_resolver_and_kernel_parameters_of_a_pod(lab: Lab) -> None:
    name = lab.name("named")
    side = {"name": "side", "image": "busybox:1", "command": ["sh", "-c", "(sleep 0.1 &) ; " + SLEEP]}
    sysctls = {"kernel.shm_rmid_forced": "1", "net.ipv4.ip_local_port_range": "2000 3000"}
    searches = ["first.example", *(f"s{number}.example" for number in range(31))]
    spec: dict[str, Any] = {
        "hostname": "db",
        "subdomain": "sub",
        "setHostnameAsFQDN": True,
        "hostAliases": [{"ip": "192.0.2.9", "hostnames": ["one"]}],
        "shareProcessNamespace": True,
        "dnsPolicy": "None",
        "dnsConfig": {
            "nameservers": ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
            "searches": searches,
            "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
        },
        "securityContext": {"sysctls": [{"name": key, "value": value} for key, value in sysctls.items()]},
        "more": [side],
    }
    lab.apply(manifest(name, SLEEP, **spec))
    lab.ready(name)
    assert lab.execute(name, "hostname").strip() == "db.sub.default.svc.cluster.local"
    address = lab.status(name)["podIP"]
    hosts = lab.execute(name, "cat", "/etc/hosts").splitlines()
    assert f"{address}\tdb.sub.default.svc.cluster.local\tdb" in hosts
    assert hosts[-1] == "192.0.2.9\tone"
    assert lab.execute(name, "cat", "/etc/resolv.conf").splitlines() == [
        *(f"nameserver 192.0.2.{number}" for number in (1, 2, 3)),
        "search " + " ".join(searches),
        "options ndots:2 edns0",
    ]
    values = [lab.execute(name, "cat", f"/proc/sys/{key.replace('.', '/')}").split() for key in sysctls]
    assert values == [["1"], ["2000", "3000"]]
    assert "/pause -P" in lab.execute(name, "cat", "/proc/1/cmdline").replace("\0", " ")
    # An orphan's end is taken note of by the first process: no zombie stays.
    assert "Z" not in [line.split()[3] for line in lab.execute(name, "ps", "-o", "pid,ppid,user,stat").splitlines()]


def test_what_a_pods_surroundings_cannot_be(lab: Lab, pod: Make) -> None:
    long = pod(SLEEP, stem="long", hostname="d" * 59, subdomain="sub", setHostnameAsFQDN=True)
    users = pod(SLEEP, stem="users", hostUsers=False)
    many = [f"192.0.2.{number}" for number in (1, 2, 3)]
    over = pod(SLEEP, stem="over", dnsPolicy="Default", dnsConfig={"nameservers": many})
    lab.has_event(long, "FailedCreatePodSandBox", "is too long (64 characters is the max, 89 characters requested)")
    lab.has_event(users, "FailedCreatePodSandBox", "the container runtime does not support user namespaces")
    lab.has_event(over, "DNSConfigForming", "Nameserver limits were exceeded, some nameservers have been omitted")
    assert lab.waiting(users, "ContainerCreating")


def test_a_runtime_class_names_the_engines_runtime(lab: Lab, pod: Make) -> None:
    def runtime_class(name: str, handler: str) -> dict[str, Any]:
        kind = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass"}
        return {**kind, "metadata": {"name": name}, "handler": handler}

    known, unknown = lab.name("known"), lab.name("unknown")
    lab.apply(runtime_class(known, "runc"), runtime_class(unknown, "no-such-runtime"))
    runs, waits = pod(SLEEP, runtimeClassName=known), pod(SLEEP, runtimeClassName=unknown)
    lab.ready(runs)
    template = '{{.HostConfig.Runtime}} {{index .Config.Labels "dev.pytheas.runtime"}}'
    assert lab.docker("inspect", "-f", template, *lab.containers(runs, "POD")).split() == ["runc", "runc"]
    lab.has_event(waits, "FailedCreatePodSandBox", "no-such-runtime")
