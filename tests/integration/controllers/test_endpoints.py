"""What is behind a Service, as kubectl shows it."""

from __future__ import annotations

import json
from typing import Any

from tests.harness.kubectl import Kubectl
from tests.harness.process import wait_until
from tests.integration.controllers.simulation import Simulation
from tests.integration.controllers.test_rollout import manifest, rolled_out


def slices(kube: Kubectl, service: str = "web") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kube.get("endpointslices", "-l", f"kubernetes.io/service-name={service}")["items"]
    return found


def ready(kube: Kubectl) -> list[str]:
    """The addresses that traffic may go to."""
    endpoints = [each for item in slices(kube) for each in item.get("endpoints") or []]
    return sorted(each["addresses"][0] for each in endpoints if each["conditions"]["ready"])


def addresses(kube: Kubectl) -> list[str]:
    """The same, as the older form has it."""
    subsets = kube.get("endpoints", "web").get("subsets") or []
    return sorted(each["ip"] for subset in subsets for each in subset.get("addresses") or [])


def pods(kube: Kubectl) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in kube.get("pods")["items"]}


def service(kube: Kubectl, **spec: Any) -> None:
    ports = spec.pop("ports", [{"port": 80, "targetPort": 8080, "name": "http"}])
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"tier": "front"}},
        "spec": {"selector": {"app": "web"}, "ports": ports, **spec},
    }
    kube("apply", "-f", "-", stdin=json.dumps(body))


def test_slices_follow_the_pods(namespace: Kubectl, simulation: Simulation) -> None:
    simulation.ready_if(lambda pod: True)
    service(namespace)
    wait_until("an empty slice", lambda: len(slices(namespace)) == 1)
    namespace("apply", "-f", "-", stdin=manifest())
    rolled_out(namespace)
    wait_until("three endpoints", lambda: len(ready(namespace)) == 3)
    (item,) = slices(namespace)
    assert item["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert item["metadata"]["labels"] == {
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "web",
        "tier": "front",
    }
    pod = next(iter(pods(namespace).values()))
    address = pod["status"]["podIP"]
    (endpoint,) = [each for each in item["endpoints"] if each["addresses"] == [address]]
    assert endpoint["conditions"] == {"ready": True, "serving": True, "terminating": False}
    assert endpoint["nodeName"] == pod["spec"]["nodeName"]
    assert endpoint["targetRef"]["uid"] == pod["metadata"]["uid"]
    assert addresses(namespace) == ready(namespace)


def test_an_unready_pod_leaves_at_once(namespace: Kubectl, simulation: Simulation) -> None:
    simulation.ready_if(lambda pod: True)
    service(namespace)
    namespace("apply", "-f", "-", stdin=manifest(replicas=2))
    rolled_out(namespace)
    wait_until("two endpoints", lambda: len(ready(namespace)) == 2)
    simulation.ready_if(lambda pod: False)
    name, pod = next(iter(pods(namespace).items()))
    unready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    namespace("patch", "pod", name, "--subresource=status", "-p", json.dumps(unready))
    wait_until("one endpoint", lambda: len(ready(namespace)) == 1, seconds=2)
    assert pod["status"]["podIP"] not in addresses(namespace)
    (subset,) = namespace.get("endpoints", "web")["subsets"]
    assert [each["ip"] for each in subset["notReadyAddresses"]] == [pod["status"]["podIP"]]


def test_a_terminating_pod_says_so(namespace: Kubectl, simulation: Simulation) -> None:
    simulation.ready_if(lambda pod: True)
    service(namespace)
    namespace("apply", "-f", "-", stdin=manifest(replicas=1))
    rolled_out(namespace)
    (name,) = pods(namespace)
    namespace("patch", "pod", name, "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    namespace("delete", "pod", name, "--wait=false")

    def terminating() -> list[dict[str, bool]]:
        endpoints = [each for item in slices(namespace) for each in item.get("endpoints") or []]
        return [each["conditions"] for each in endpoints if each["conditions"]["terminating"]]

    wait_until(
        "the endpoint to say so", lambda: terminating() == [{"ready": False, "serving": True, "terminating": True}]
    )
    namespace("patch", "pod", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    wait_until("the endpoint to go", lambda: not terminating())


def test_named_ports_are_the_pods_own(namespace: Kubectl, simulation: Simulation) -> None:
    simulation.ready_if(lambda pod: True)
    for name, number in (("old", 8080), ("new", 9090)):
        made = json.loads(manifest(replicas=1))
        made["metadata"]["name"] = name
        template = made["spec"]["template"]
        template["metadata"]["labels"] |= {"version": name}
        template["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": number}]
        made["spec"]["selector"]["matchLabels"]["version"] = name
        namespace("apply", "-f", "-", stdin=json.dumps(made))
    service(namespace, ports=[{"port": 80, "targetPort": "http"}])
    wait_until("two endpoints", lambda: len(ready(namespace)) == 2)
    assert sorted(item["ports"][0]["port"] for item in slices(namespace)) == [8080, 9090]


def test_headless_and_unready_ones_published(namespace: Kubectl, simulation: Simulation) -> None:
    with_address = {"phase": "Running", "podIP": "10.244.9.9", "podIPs": [{"ip": "10.244.9.9"}]}
    simulation.ready_if(lambda pod: False)
    service(namespace, clusterIP="None", publishNotReadyAddresses=True, ports=[])
    namespace("apply", "-f", "-", stdin=manifest(replicas=1))
    wait_until("a pod", lambda: len(pods(namespace)) == 1)
    (name,) = pods(namespace)
    namespace("patch", "pod", name, "--subresource=status", "-p", json.dumps({"status": with_address}))
    wait_until("its endpoint", lambda: ready(namespace) == ["10.244.9.9"])
    (item,) = slices(namespace)
    assert item["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    assert item["endpoints"][0]["conditions"]["serving"] is False


def test_without_a_selector_the_users_own_are_mirrored(namespace: Kubectl, simulation: Simulation) -> None:
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
    namespace("apply", "-f", "-", stdin=json.dumps(body))
    own = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "web"},
        "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}],
    }
    namespace("apply", "-f", "-", stdin=json.dumps(own))
    wait_until("a mirror", lambda: ready(namespace) == ["192.0.2.1"])
    namespace("label", "service", "web", "touched=yes")
    own["subsets"][0]["addresses"].append({"ip": "192.0.2.2"})  # type: ignore[index]
    namespace("apply", "-f", "-", stdin=json.dumps(own))
    wait_until("the mirror to follow", lambda: ready(namespace) == ["192.0.2.1", "192.0.2.2"])
    namespace("delete", "service", "web")
    wait_until("the mirror to go", lambda: not slices(namespace))
    assert addresses(namespace) == ["192.0.2.1", "192.0.2.2"]


def test_more_than_a_hundred_take_several_slices(namespace: Kubectl, simulation: Simulation) -> None:
    simulation.ready_if(lambda pod: True)
    service(namespace)
    namespace("apply", "-f", "-", stdin=manifest(replicas=130))
    wait_until("all endpoints", lambda: len(ready(namespace)) == 130)
    sizes = [len(item["endpoints"]) for item in slices(namespace)]
    assert max(sizes) <= 100
    assert sum(sizes) == 130
    namespace("scale", "deployment/web", "--replicas=0")
    wait_until("none to be left", lambda: not ready(namespace))
    wait_until("one slice to be left", lambda: len(slices(namespace)) == 1)


def test_a_service_takes_its_endpoints_along(namespace: Kubectl, simulation: Simulation) -> None:
    service(namespace)
    wait_until("a slice", lambda: slices(namespace))
    namespace("delete", "service", "web")
    wait_until("slices to go", lambda: not slices(namespace))
    wait_until("endpoints to go", lambda: namespace.run("get", "endpoints", "web").code != 0)
