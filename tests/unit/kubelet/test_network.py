"""CNI configurations and plugins, name files, routes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.types import core_v1
from kubelet.network import conf, host_ports, routes
from kubelet.network.cni import Attachment, Cni, CniError
from kubelet.network.files import domain, hostname, hosts_file, kernel_name
from kubelet.network.resolver import Dns, host_conf, resolver
from kubelet.pod.problem import SandboxError

DNS = Dns(("10.96.0.10",), "cluster.local")
HOST = "# made by hand\nnameserver 192.0.2.53\nsearch corp.example.\noptions timeout:1\n"


def pod_of(**spec: Any) -> core_v1.Pod:
    metadata = {"name": "web", "namespace": "shop", "uid": "u-1"}
    return msgspec.convert({"metadata": metadata, "spec": {"containers": [], **spec}}, core_v1.Pod)


def test_the_first_configuration_by_name_counts(tmp_path: Path) -> None:
    assert conf.load(tmp_path / "absent") is None
    (tmp_path / "20-b.conflist").write_text(json.dumps({"name": "b", "plugins": [{"type": "x"}]}))
    (tmp_path / "10-a.conf").write_text(json.dumps({"name": "a", "type": "bridge", "cniVersion": "0.3.1"}))
    (tmp_path / "05-readme.txt").write_text("not one")
    found = conf.load(tmp_path)
    assert found == {
        "cniVersion": "0.3.1",
        "name": "a",
        "plugins": [{"name": "a", "type": "bridge", "cniVersion": "0.3.1"}],
    }


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"name": "x"}', '{"name": "x", "plugins": []}'])
def test_configurations_that_make_no_sense(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.conflist").write_text(text)
    with pytest.raises(conf.ConfError):
        conf.load(tmp_path)


def test_a_plugin_gets_what_it_can_use() -> None:
    network = conf.generate("10.244.1.0/24", Path("/data"), host_ports=True)
    assert [each["type"] for each in network["plugins"]] == ["bridge", "portmap"]
    bridge, portmap = network["plugins"]
    runtime = {"portMappings": [{"hostPort": 1}]}
    assert "runtimeConfig" not in conf.plugin_input(network, bridge, None, runtime)
    body = conf.plugin_input(network, portmap, {"ips": []}, runtime)
    assert body["runtimeConfig"] == runtime
    assert body["prevResult"] == {"ips": []}
    assert (body["name"], body["cniVersion"]) == ("pytheas", "1.0.0")
    assert "capabilities" not in body
    assert len(conf.generate("10.244.1.0/24", Path("/data"), host_ports=False)["plugins"]) == 1


def plugin(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\ninput=$(cat)\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def cni(tmp_path: Path) -> Cni:
    log, folder = tmp_path / "log", tmp_path / "bin"
    folder.mkdir()
    say = f'echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_NETNS $CNI_IFNAME $0" >> {log}; '
    plugin(folder, "first", say + 'echo \'{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.5/24"}]}\'')
    plugin(
        folder,
        "second",
        say + f'echo "$input" > {tmp_path}/input; echo "$input" | sed "s/.*prevResult\\": //; s/}}$//"',
    )
    plugin(folder, "broken", say + '[ "$CNI_COMMAND" = DEL ] && exit 0; echo \'{"code":7,"msg":"no room"}\'; exit 1')
    return Cni(tmp_path / "conf", (str(tmp_path / "none"), str(folder)), tmp_path / "cache")


def configure(tmp_path: Path, *types: str) -> None:
    (tmp_path / "conf").mkdir()
    body = {"name": "net", "cniVersion": "1.0.0", "plugins": [{"type": each} for each in types]}
    (tmp_path / "conf" / "a.conflist").write_text(json.dumps(body))


def calls(tmp_path: Path) -> list[str]:
    return [f"{line.split()[0]} {Path(line.split()[-1]).name}" for line in (tmp_path / "log").read_text().splitlines()]


async def test_add_and_delete_run_the_chain_and_keep_the_result(tmp_path: Path, cni: Cni) -> None:
    configure(tmp_path, "first", "second")
    assert await cni.add(Attachment("sb1", "/proc/1/ns/net", "web", "shop", "u-1")) == ("10.1.0.5",)
    assert cni.cached("sb1") == ("10.1.0.5",)
    assert cni.known() == ["sb1"]
    assert json.loads((tmp_path / "input").read_text())["prevResult"]["ips"] == [{"address": "10.1.0.5/24"}]
    await cni.check("sb1", "/proc/1/ns/net")
    (tmp_path / "conf" / "a.conflist").unlink()  # DEL uses what ADD used, whatever is configured now
    await cni.delete("sb1", "/proc/1/ns/net")
    await cni.delete("sb1")
    chain = ["ADD first", "ADD second", "CHECK first", "CHECK second", "DEL second", "DEL first"]
    assert calls(tmp_path) == chain
    assert cni.cached("sb1") is None


async def test_a_failed_add_is_undone(tmp_path: Path, cni: Cni) -> None:
    configure(tmp_path, "first", "broken")
    with pytest.raises(CniError, match='plugin type="broken" failed \\(ADD\\): no room'):
        await cni.add(Attachment("sb1", "/proc/1/ns/net"))
    assert calls(tmp_path) == ["ADD first", "ADD broken", "DEL broken", "DEL first"]
    assert cni.known() == []


async def test_a_network_that_is_half_given_back_is_no_network(tmp_path: Path, cni: Cni) -> None:
    configure(tmp_path, "first")
    await cni.add(Attachment("sandbox", "/proc/1/ns/net"))
    assert cni.cached("sandbox") == ("10.1.0.5",)
    plugin(tmp_path / "bin", "first", "echo gone; exit 1")
    with pytest.raises(CniError, match="gone"):
        await cni.delete("sandbox")
    assert cni.cached("sandbox") is None
    assert cni.known() == ["sandbox"]
    plugin(tmp_path / "bin", "first", "exit 0")
    await cni.delete("sandbox")
    assert cni.known() == []


async def test_a_missing_plugin_and_a_missing_configuration(tmp_path: Path, cni: Cni) -> None:
    assert "no podCIDR yet" in cni.problem()
    with pytest.raises(CniError, match="no podCIDR yet"):
        await cni.add(Attachment("sb1", ""))
    cni.pod_cidr = "10.244.1.0/24"
    assert cni.problem() == ""
    with pytest.raises(CniError, match="failed to find plugin 'bridge'"):
        await cni.add(Attachment("sb1", ""))


def test_hosts() -> None:
    pod = pod_of(hostname="db", subdomain="sub", hostAliases=[{"ip": "192.0.2.9", "hostnames": ["a", "b"]}])
    name, own = hostname(pod, "n1"), domain(pod, "cluster.local")
    assert (name, own) == ("db", "sub.shop.svc.cluster.local")
    text = hosts_file(pod, ["10.1.0.5"], name, own)
    assert "10.1.0.5\tdb.sub.shop.svc.cluster.local\tdb\n" in text
    assert text.endswith("192.0.2.9\ta\tb\n")
    assert "# from the host" in hosts_file(pod_of(hostNetwork=True), [], "n1", "", "# from the host\n")
    assert hostname(pod_of(hostNetwork=True), "n1") == "n1"


@pytest.mark.parametrize(
    ("spec", "lines"),
    [
        (
            {},
            [
                "nameserver 10.96.0.10",
                "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example",
                "options ndots:5",
            ],
        ),
        ({"dnsPolicy": "Default"}, ["nameserver 192.0.2.53", "search corp.example", "options timeout:1"]),
        ({"hostNetwork": True}, ["nameserver 192.0.2.53", "search corp.example", "options timeout:1"]),
        (
            {
                "dnsPolicy": "None",
                "dnsConfig": {
                    "nameservers": ["192.0.2.1"],
                    "searches": ["x"],
                    "options": [{"name": "ndots", "value": "2"}],
                },
            },
            ["nameserver 192.0.2.1", "search x", "options ndots:2"],
        ),
    ],
)
def test_resolv_conf(spec: dict[str, Any], lines: list[str]) -> None:
    found = resolver(pod_of(**spec), DNS, HOST)
    assert (found.text().splitlines(), found.warnings) == (lines, ())


def test_without_a_cluster_dns_the_nodes_own_is_used() -> None:
    assert resolver(pod_of(), Dns(), HOST).servers == ["192.0.2.53"]


def test_what_the_pod_adds_comes_last_and_its_options_win() -> None:
    options = [{"name": "ndots", "value": "2"}, {"name": "edns0"}]
    config = {"nameservers": ["10.96.0.10", "192.0.2.1"], "searches": ["x", "cluster.local"], "options": options}
    found = resolver(pod_of(dnsConfig=config), DNS, HOST)
    assert found.servers == ["10.96.0.10", "192.0.2.1"]
    assert found.searches == ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example", "x"]
    assert found.options == ["ndots:2", "edns0"]


def test_what_resolvers_would_not_read_is_left_out_and_told() -> None:
    servers = [f"192.0.2.{number}" for number in range(1, 4)]
    long = ".".join(["a" * 50] * 6)
    config = {"nameservers": servers, "searches": [long, *(f"s{number}" for number in range(40))]}
    found = resolver(pod_of(dnsConfig=config), DNS, HOST)
    assert found.servers == ["10.96.0.10", *servers[:2]]
    assert found.searches[4:] == [f"s{number}" for number in range(27)]
    line = " ".join(found.searches)
    assert found.warnings == (
        "Nameserver limits were exceeded, some nameservers have been omitted, "
        "the applied nameserver line is: 10.96.0.10 192.0.2.1 192.0.2.2",
        f"Search Line limits were exceeded, some search paths have been omitted, the applied search line is: {line}",
    )
    wide = {"searches": [f"{number}.{'b' * 200}" for number in range(20)]}
    assert len(" ".join(resolver(pod_of(dnsConfig=wide), DNS, HOST).searches)) <= 2048


def test_the_nodes_own_resolver(tmp_path: Path) -> None:
    own, behind = tmp_path / "resolv.conf", tmp_path / "behind"
    own.write_text(HOST)
    behind.write_text("nameserver 192.0.2.99\n")
    assert host_conf(Dns(host_file=str(own)), behind) == HOST
    own.write_text("nameserver 127.0.0.53\n")
    assert host_conf(Dns(host_file=str(own)), behind) == "nameserver 192.0.2.99\n"
    assert resolver(pod_of(dnsPolicy="Default"), DNS, host_conf(Dns(host_file=""))).searches == ["."]


def test_the_name_that_the_kernel_has() -> None:
    def name(**spec: Any) -> str:
        return kernel_name(pod_of(**spec), "n1", "cluster.local")

    assert name(hostname="db", subdomain="sub") == "db"
    assert name(hostname="db", subdomain="sub", setHostnameAsFQDN=True) == "db.sub.shop.svc.cluster.local"
    assert name(hostname="db", setHostnameAsFQDN=True) == "db"
    assert name(hostname="db", subdomain="sub", hostnameOverride="own.example") == "own.example"
    with pytest.raises(SandboxError, match=r"FQDN d+\.sub\.shop\.svc\.cluster\.local is too long \(64 char.*, 86 char"):
        name(hostname="d" * 59, subdomain="sub", setHostnameAsFQDN=True)


def test_routes() -> None:
    def node(name: str, cidr: str | None, address: str) -> core_v1.Node:
        addresses = [{"type": "InternalIP", "address": address}] if address else []
        body = {"metadata": {"name": name}, "spec": {"podCIDR": cidr}, "status": {"addresses": addresses}}
        return msgspec.convert(body, core_v1.Node)

    nodes = [
        node("n1", "10.244.0.0/24", "192.0.2.1"),
        node("n2", "10.244.1.0/24", "192.0.2.2"),
        node("n3", None, "192.0.2.3"),
        node("n4", "10.244.4.0/24", ""),
    ]
    want = routes.wanted(nodes, "n1")
    assert want == {"10.244.1.0/24": "192.0.2.2"}
    have = {"10.244.1.0/24": "192.0.2.9", "10.244.8.0/24": "192.0.2.8"}
    assert routes.changes(have, want) == (want, ["10.244.8.0/24"])
    assert routes.changes(want, want) == ({}, [])


LEFT_BY_PORTMAP = """\
-P PREROUTING ACCEPT
-N CNI-HOSTPORT-DNAT
-N CNI-HOSTPORT-MASQ
-N KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A PREROUTING -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
"""


def test_the_chains_of_host_ports_go_with_the_last_port() -> None:
    assert host_ports.removals(LEFT_BY_PORTMAP) == [
        ["-D", "PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-j", "CNI-HOSTPORT-DNAT"],
        *(
            [
                *("-D", "POSTROUTING", "-m", "comment", "--comment", "CNI portfwd requiring masquerade"),
                *("-j", "CNI-HOSTPORT-MASQ"),
            ],
        ),
        ["-F", "CNI-HOSTPORT-DNAT"],
        ["-F", "CNI-HOSTPORT-MASQ"],
        ["-X", "CNI-HOSTPORT-DNAT"],
        ["-X", "CNI-HOSTPORT-MASQ"],
    ]
    in_use = LEFT_BY_PORTMAP + "-N CNI-DN-abc\n-A CNI-HOSTPORT-DNAT -p tcp --dport 80 -j CNI-DN-abc\n"
    assert host_ports.removals(in_use) == []
    assert host_ports.removals("-P PREROUTING ACCEPT\n") == []
