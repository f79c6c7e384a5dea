"""Service: a stable address in front of pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from api import names
from api.field import FieldError, forbidden
from apiserver.registry import addresses as odd
from apiserver.registry import service_addresses as addresses
from apiserver.registry import service_rules
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Context, Kind, Object, StatusStrategy
from apiserver.registry.service_rules import external, headless, needs_health_check

_HINTS = "service.kubernetes.io/topology-aware-hints"
_AFFINITY_SECONDS = 10800
_WIDTH = 16
_INTERNAL = ("ClusterIP", "NodePort", "LoadBalancer")


class ServiceStrategy(StatusStrategy):
    allow_create_on_update = True
    returns_deleted = True
    field_names = ("spec.clusterIP", "spec.type")

    def validate_name(self, name: str) -> list[str]:
        return names.dns1035_label(name)

    def default(self, obj: Object) -> None:
        if obj.get("spec") is None:
            obj["spec"] = {}
        spec = obj["spec"]
        _default_affinity(spec)
        if not spec.get("type"):
            spec["type"] = "ClusterIP"
        for port in spec.get("ports") or ():
            if not port.get("protocol"):
                port["protocol"] = "TCP"
            if not port.get("targetPort"):
                port["targetPort"] = port.get("port")
        if external(spec) and not spec.get("externalTrafficPolicy"):
            spec["externalTrafficPolicy"] = "Cluster"
        if spec["type"] in _INTERNAL and spec.get("internalTrafficPolicy") is None:
            spec["internalTrafficPolicy"] = "Cluster"
        if spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
            spec["allocateLoadBalancerNodePorts"] = True

    def prepare_for_create(self, obj: Object, ctx: Context) -> None:
        obj["status"] = {"loadBalancer": {}}
        spec = obj["spec"]
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_for_update(new, old, ctx)
        spec, before = new["spec"], old["spec"]
        _carry_over(spec, before)
        _align_cluster_ips(spec, before)
        _drop_what_the_type_has_not(spec, before)

    def prepare_for_status_update(self, new: Object, old: Object, ctx: Context) -> None:
        for ingress in ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
            if ingress.get("ip") and ingress.get("ipMode") is None:
                ingress["ipMode"] = "VIP"

    def allocate(self, obj: Object, old: Object | None, ctx: Context) -> None:
        spec = obj["spec"]
        if spec["type"] == "ExternalName":
            return
        _choose_families(spec, ctx)
        if not spec.get("clusterIP") and not spec.get("clusterIPs"):
            by_family = {addresses.family(network): network for network in addresses.networks(ctx)}
            chosen = [addresses.free_ip(by_family[name], ctx) for name in spec["ipFamilies"] if name in by_family]
            if chosen:
                spec["clusterIP"], spec["clusterIPs"] = chosen[0], chosen
        _choose_ports(obj, ctx)

    def reservations(self, obj: Object) -> Iterable[str]:
        return addresses.reservations(obj)

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors = service_rules.service(obj["spec"])
        return errors or service_rules.allocation(obj, None, ctx)

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = service_rules.change(new["spec"], old["spec"])
        errors += service_rules.service(new["spec"])
        return errors or service_rules.allocation(new, old, ctx)

    def warnings(self, obj: Object) -> list[str]:
        return list(_warnings(obj))

    def validate_status_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        status = new.get("status") or {}
        ingress = (status.get("loadBalancer") or {}).get("ingress")
        if ingress and new["spec"].get("type") != "LoadBalancer":
            return [forbidden("status.loadBalancer.ingress", "may only be used when `spec.type` is 'LoadBalancer'")]
        return service_rules.status(status)

    def fields(self, obj: Object) -> Mapping[str, str]:
        spec = obj.get("spec") or {}
        return {"spec.clusterIP": spec.get("clusterIP") or "", "spec.type": spec.get("type") or ""}


def _warnings(obj: Object) -> Iterator[str]:
    spec, kind = obj["spec"], obj["spec"]["type"]
    if _HINTS in (obj["metadata"].get("annotations") or {}):
        yield f"annotation {_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
    for index, address in enumerate(spec.get("clusterIPs") or ()):
        yield from odd.ip_warnings(address, f"spec.clusterIPs[{index}]")
    hidden = kind == "ClusterIP" and headless(spec)
    if hidden and spec.get("loadBalancerIP"):
        yield "spec.loadBalancerIP is ignored for headless services"
    if hidden and spec.get("externalIPs"):
        yield "spec.externalIPs is ignored for headless services"
    if hidden and spec.get("sessionAffinity") != "None":
        yield "spec.SessionAffinity is ignored for headless services"
    for index, address in enumerate(spec.get("externalIPs") or ()):
        yield from odd.ip_warnings(address, f"spec.externalIPs[{index}]")
    if spec.get("externalIPs") and not hidden and kind != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    yield from odd.ip_warnings(spec.get("loadBalancerIP") or "", "spec.loadBalancerIP")
    for index, block in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        yield from odd.cidr_warnings(block.strip(), f"spec.loadBalancerSourceRanges[{index}]")
    if kind == "ExternalName" and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if kind != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _default_affinity(spec: Object) -> None:
    if not spec.get("sessionAffinity"):
        spec["sessionAffinity"] = "None"
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        if (config.get("clientIP") or {}).get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _AFFINITY_SECONDS}}


def _carry_over(spec: Object, before: Object) -> None:
    """An update that does not mention what was allocated keeps it."""
    if "ExternalName" not in (spec["type"], before.get("type")):
        if not spec.get("clusterIP") and not spec.get("clusterIPs") and before.get("clusterIPs"):
            spec["clusterIP"], spec["clusterIPs"] = before.get("clusterIP"), list(before["clusterIPs"])
        elif spec.get("clusterIP") == before.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = list(before.get("clusterIPs") or ())
    if _has_node_ports(spec) and _has_node_ports(before):
        _carry_ports(spec, before)
    if needs_health_check(spec) and needs_health_check(before) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before.get("healthCheckNodePort")


def _carry_ports(spec: Object, before: Object) -> None:
    known = {(port.get("protocol"), port.get("port")): port.get("nodePort") for port in before.get("ports") or ()}
    used = {port.get("nodePort") for port in spec.get("ports") or ()}
    for port in spec.get("ports") or ():
        number = known.get((port.get("protocol"), port.get("port")))
        if not port.get("nodePort") and number and number not in used:
            port["nodePort"] = number
            used.add(number)


def _has_node_ports(spec: Object) -> bool:
    if spec.get("type") == "NodePort":
        return True
    return spec.get("type") == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False


def _align_cluster_ips(spec: Object, before: Object) -> None:
    """`clusterIP` is the first of `clusterIPs`; a client that changes one of them means both."""
    first, values = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    old_first, old_values = before.get("clusterIP") or "", before.get("clusterIPs") or []
    if first and not values:
        spec["clusterIPs"] = [first]
    elif first != old_first and values == old_values:
        if first:
            spec["clusterIPs"] = [first, *values[1:]]
        else:
            spec.pop("clusterIPs", None)


def _drop_what_the_type_has_not(spec: Object, before: Object) -> None:
    """When the type changes, what belonged to the old type goes, unless the client set it anew."""
    if spec["type"] == before.get("type"):
        return
    if spec["type"] == "ExternalName":
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(name) == before.get(name):
                spec.pop(name, None)
    if not _has_node_ports(spec) and _has_node_ports(before):
        old = {(port.get("protocol"), port.get("nodePort")) for port in before.get("ports") or ()}
        for port in spec.get("ports") or ():
            if (port.get("protocol"), port.get("nodePort")) in old:
                port.pop("nodePort", None)
    if not needs_health_check(spec) and spec.get("healthCheckNodePort") == before.get("healthCheckNodePort"):
        spec.pop("healthCheckNodePort", None)
    if not external(spec) and spec.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
        spec.pop("externalTrafficPolicy", None)
    if spec["type"] != "LoadBalancer":
        for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if spec.get(name) == before.get(name):
                spec.pop(name, None)


def _choose_families(spec: Object, ctx: Context) -> None:
    have = [addresses.family(network) for network in addresses.networks(ctx)]
    open_ended = headless(spec) and not spec.get("selector")
    if not spec.get("ipFamilyPolicy"):
        # Nobody but its owner knows what a headless Service without a selector points to.
        both = open_ended or len(spec.get("ipFamilies") or ()) > 1 or len(spec.get("clusterIPs") or ()) > 1
        spec["ipFamilyPolicy"] = "RequireDualStack" if both else "SingleStack"
    families = list(spec.get("ipFamilies") or ())
    if not families:
        stated = [f"IPv{6 if ':' in address else 4}" for address in addresses.cluster_ips({"spec": spec})]
        families = stated or have[:1]
    if spec["ipFamilyPolicy"] != "SingleStack" and len(families) == 1 and (open_ended or len(have) > 1):
        families.append("IPv6" if families[0] == "IPv4" else "IPv4")
    spec["ipFamilies"] = families


def _choose_ports(obj: Object, ctx: Context) -> None:
    spec = obj["spec"]
    if _has_node_ports(spec):
        chosen = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
        by_number: dict[tuple[int, str], int] = {}
        for port in spec.get("ports") or ():
            if port.get("nodePort"):
                continue
            # One number serves both protocols of one port (DNS over TCP and UDP).
            twin = next((n for (number, _), n in by_number.items() if number == port.get("port")), None)
            port["nodePort"] = twin or addresses.free_port(ctx, chosen)
            chosen.add(port["nodePort"])
            by_number[port.get("port") or 0, port.get("protocol") or ""] = port["nodePort"]
    if needs_health_check(spec) and not spec.get("healthCheckNodePort"):
        used = {number for _, number in addresses.node_ports(obj)}
        spec["healthCheckNodePort"] = addresses.free_port(ctx, used)


def _type(obj: Object, now: datetime) -> str:
    return (obj.get("spec") or {}).get("type") or ""


def _cluster_ip(obj: Object, now: datetime) -> str:
    values = (obj.get("spec") or {}).get("clusterIPs") or ()
    return (values[0] if values else "") or NONE


def _external_ip(obj: Object, now: datetime) -> str:
    spec = obj.get("spec") or {}
    outside = list(spec.get("externalIPs") or ())
    kind = spec.get("type")
    if kind == "ExternalName":
        return spec.get("externalName") or ""
    if kind == "LoadBalancer":
        ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        given = ",".join(sorted({each.get("ip") or each.get("hostname") or "" for each in ingress} - {""}))
        shown = given[: _WIDTH - 3] + "..." if len(given) > _WIDTH else given
        return ",".join([*([shown] if shown else []), *outside]) or "<pending>"
    return ",".join(outside) or NONE


def _ports(obj: Object, now: datetime) -> str:
    shown = []
    for port in (obj.get("spec") or {}).get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port')}{node}/{port.get('protocol')}")
    return ",".join(shown) or NONE


def _selector(obj: Object, now: datetime) -> str:
    selector = (obj.get("spec") or {}).get("selector") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or NONE


KIND = Kind(
    group="",
    version="v1",
    kind="Service",
    plural="services",
    definition="io.k8s.api.core.v1.Service",
    singular="service",
    strategy=ServiceStrategy(),
    short_names=("svc",),
    categories=("all",),
    subresources=("proxy",),
    status=True,
    columns=(
        Column("Type", _type, description="ClusterIP, NodePort, LoadBalancer or ExternalName"),
        Column("Cluster-IP", _cluster_ip, description="The address inside the cluster"),
        Column("External-IP", _external_ip, description="Addresses outside the cluster"),
        Column("Port(s)", _ports, description="The ports it listens on"),
        Column("Selector", _selector, description="Which pods it stands for", priority=1),
    ),
)
