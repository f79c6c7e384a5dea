"""The endpoints of the API server's own Service."""

from __future__ import annotations

from apiserver.bootstrap import endpoint_slice, endpoints, reachable
from apiserver.storage.etcd import prefix_end


def test_endpoints_are_the_servers_that_live() -> None:
    servers: list[list[object]] = [["10.0.0.1", 6443], ["10.0.0.2", 6443]]
    made = endpoints(servers)
    assert made["subsets"] == [
        {
            "addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}],
            "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
        }
    ]
    sliced = endpoint_slice(servers)
    assert (sliced["addressType"], [each["addresses"] for each in sliced["endpoints"]]) == (
        "IPv4",
        [["10.0.0.1"], ["10.0.0.2"]],
    )
    assert len(endpoints([["10.0.0.1", 6443], ["10.0.0.2", 7443]])["subsets"]) == 2


def test_which_addresses_can_be_endpoints() -> None:
    assert reachable("10.0.0.1")
    assert reachable("fd00::1")
    assert not any(reachable(host) for host in ("127.0.0.1", "0.0.0.0", "::1", "169.254.1.1", "some.name", ""))


def test_the_end_of_a_prefix() -> None:
    assert prefix_end(b"/registry/") == b"/registry0"
    assert prefix_end(b"a\xff") == b"b"
    assert prefix_end(b"\xff") == b"\0"
