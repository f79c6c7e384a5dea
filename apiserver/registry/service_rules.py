"""What is wrong with a Service."""

from __future__ import annotations

import ipaddress

from api import names
from api.field import FieldError, duplicate, forbidden, invalid, not_supported, required
from apiserver.registry import rules
from apiserver.registry import service_addresses as addresses
from apiserver.registry.kind import Context, Object

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_FAMILIES = ("IPv4", "IPv6")
_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_TRAFFIC = ("Cluster", "Local")
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
_AFFINITY_LIMIT = 86400
_ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"
_ONCE = "may not change once set"


def headless(spec: Object) -> bool:
    return spec.get("clusterIPs") == ["None"]


def external(spec: Object) -> bool:
    """Whether it takes traffic from outside the cluster."""
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_health_check(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def service(spec: Object) -> list[FieldError]:
    kind = spec.get("type")
    errors: list[FieldError] = []
    if not spec.get("ports") and not headless(spec) and kind != "ExternalName":
        errors.append(required("spec.ports"))
    if kind in ("LoadBalancer", "NodePort") and headless(spec):
        errors.append(invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    if kind == "ExternalName":
        errors += _external_name(spec)
    errors += _ports(spec)
    errors += rules.labels(spec.get("selector"), "spec.selector")
    errors += _affinity(spec)
    if kind != "ExternalName":
        errors += _cluster_ips(spec)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        at = f"spec.externalIPs[{index}]"
        errors += rules.ip_address(address, at) or rules.ordinary_ip(address, at)
    errors += rules.one_of(kind, _TYPES, "spec.type")
    return errors + _load_balancer(spec) + _traffic(spec)


def _external_name(spec: Object) -> list[FieldError]:
    text = "may not be set for ExternalName services"
    errors = [
        forbidden(f"spec.{name}", text) for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy") if spec.get(name)
    ]
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return [*errors, required("spec.externalName")]
    return errors + rules.each(names.dns1123_subdomain, name, "spec.externalName")


def _ports(spec: Object) -> list[FieldError]:
    ports = spec.get("ports") or ()
    errors: list[FieldError] = []
    seen_names: set[str] = set()
    for index, port in enumerate(ports):
        at, name = f"spec.ports[{index}]", port.get("name")
        if name:
            errors += rules.each(names.dns1123_label, name, f"{at}.name")
            if name in seen_names:
                errors.append(duplicate(f"{at}.name", name))
            seen_names.add(name)
        elif len(ports) > 1:
            errors.append(required(f"{at}.name"))
        errors += rules.port_number(port.get("port"), f"{at}.port")
        errors += rules.one_of(port.get("protocol"), rules.PROTOCOLS, f"{at}.protocol")
        errors += rules.port_number_or_name(port.get("targetPort"), f"{at}.targetPort")
        if protocol := port.get("appProtocol"):
            errors += rules.each(names.qualified_name, protocol, f"{at}.appProtocol")
        if port.get("nodePort") and spec.get("type") == "ClusterIP":
            errors.append(forbidden(f"{at}.nodePort", "may not be used when `type` is 'ClusterIP'"))
    return errors + _repeated_ports(ports)


def _repeated_ports(ports: list[Object] | tuple[Object, ...]) -> list[FieldError]:
    errors: list[FieldError] = []
    node_ports: set[tuple[str, int]] = set()
    own_ports: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        protocol = port.get("protocol") or ""
        if number := port.get("nodePort"):
            if (protocol, number) in node_ports:
                errors.append(duplicate(f"spec.ports[{index}].nodePort", number))
            node_ports.add((protocol, number))
        key = (protocol, port.get("port") or 0)
        if key in own_ports:
            errors.append(duplicate(f"spec.ports[{index}]", {"port": key[1], "protocol": protocol}))
        own_ports.add(key)
    return errors


def _affinity(spec: Object) -> list[FieldError]:
    kind, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    errors = rules.one_of(kind, ("ClientIP", "None"), "spec.sessionAffinity")
    at = "spec.sessionAffinityConfig"
    if kind == "None" and config is not None:
        errors.append(forbidden(at, "must not be set when session affinity is None"))
    if kind == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
        if seconds is None:
            errors.append(required(f"{at}.clientIP.timeoutSeconds", "when session affinity type is ClientIP"))
        elif not 0 < seconds <= _AFFINITY_LIMIT:
            text = f"must be greater than 0 and less than {_AFFINITY_LIMIT}"
            errors.append(invalid(f"{at}.clientIP.timeoutSeconds", seconds, text))
    return errors


def _cluster_ips(spec: Object) -> list[FieldError]:
    first, values = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    at = "spec.clusterIPs"
    errors: list[FieldError] = []
    if first and not values:
        errors.append(required(at))
    elif first and values[0] != first:
        errors.append(invalid(at, values, "first value must match `clusterIP`"))
    elif values and not first:
        errors.append(invalid(at, values, "must be empty when `clusterIP` is not specified"))
    errors += _families(spec)
    wrong: list[FieldError] = []
    if values and values[0] == "None":
        if len(values) > 1:
            wrong.append(invalid(at, values, "'None' must be the first and only value"))
    else:
        for index, value in enumerate(values):
            wrong += rules.ip_address(value, f"{at}[{index}]")
    if len(values) > 2:
        errors.append(invalid(at, values, "may only hold up to 2 values"))
    if wrong or headless(spec):
        return errors + wrong
    versions = [f"IPv{ipaddress.ip_address(value).version}" for value in values]
    if len(versions) == 2 and versions[0] == versions[1]:
        errors.append(invalid(at, values, "may specify no more than one IP for each IP family"))
    for index, (version, wanted) in enumerate(zip(versions, spec.get("ipFamilies") or (), strict=False)):
        if version != wanted and wanted in _FAMILIES:
            text = f"expected an {wanted} value as indicated by `ipFamilies[{index}]`"
            errors.append(invalid(f"{at}[{index}]", values[index], text))
    return errors


def _families(spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    families = spec.get("ipFamilies") or []
    for index, family in enumerate(families):
        if family not in _FAMILIES:
            errors.append(not_supported(f"spec.ipFamilies[{index}]", family, _FAMILIES))
        if family in families[:index]:
            errors.append(duplicate(f"spec.ipFamilies[{index}]", family))
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in _POLICIES:
        errors.append(not_supported("spec.ipFamilyPolicy", policy, _POLICIES))
    return errors


def _load_balancer(spec: Object) -> list[FieldError]:
    balancer = spec.get("type") == "LoadBalancer"
    errors: list[FieldError] = []
    if ranges := spec.get("loadBalancerSourceRanges"):
        at = "spec.LoadBalancerSourceRanges"
        if not balancer:
            errors.append(forbidden(at, _ONLY_BALANCER))
        for index, value in enumerate(ranges):
            errors += rules.cidr(value.strip(), f"{at}[{index}]")
    if spec.get("allocateLoadBalancerNodePorts") is not None and not balancer:
        errors.append(forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_BALANCER))
    name = spec.get("loadBalancerClass")
    if name is not None:
        if not balancer:
            errors.append(forbidden("spec.loadBalancerClass", _ONLY_BALANCER))
        else:
            errors += rules.each(names.qualified_name, name, "spec.loadBalancerClass")
    return errors


def _traffic(spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    policy = spec.get("externalTrafficPolicy")
    if not external(spec):
        if policy:
            text = "may only be set for externally-accessible services"
            errors.append(invalid("spec.externalTrafficPolicy", policy, text))
    else:
        errors += rules.one_of(policy, _TRAFFIC, "spec.externalTrafficPolicy")
    port = spec.get("healthCheckNodePort")
    if port and not needs_health_check(spec):
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.append(invalid("spec.healthCheckNodePort", port, text))
    elif needs_health_check(spec):
        errors += rules.port_number(port, "spec.healthCheckNodePort")
    inside = spec.get("internalTrafficPolicy")
    if inside is None and spec.get("type") in ("ClusterIP", "LoadBalancer", "NodePort"):
        errors.append(required("spec.internalTrafficPolicy"))
    elif inside is not None and inside not in _TRAFFIC:
        errors.append(not_supported("spec.internalTrafficPolicy", inside, _TRAFFIC))
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        errors.append(not_supported("spec.trafficDistribution", distribution, _DISTRIBUTIONS))
    return errors


def change(spec: Object, before: Object) -> list[FieldError]:
    """What may not change in a Service that stays one with addresses."""
    errors: list[FieldError] = []
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        errors += _kept_addresses(spec, before) + _kept_families(spec, before)
    if spec.get("type") == before.get("type") == "LoadBalancer":
        name = spec.get("loadBalancerClass")
        if name != before.get("loadBalancerClass"):
            errors.append(invalid("spec.loadBalancerClass", name, _ONCE))
    if needs_health_check(spec) and needs_health_check(before):
        port = before.get("healthCheckNodePort")
        if port and spec.get("healthCheckNodePort") != port:
            errors.append(forbidden("spec.healthCheckNodePort", rules.IMMUTABLE))
    return errors


def _kept_addresses(spec: Object, before: Object) -> list[FieldError]:
    if headless(spec) and headless(before):
        return []
    now, then = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    at = "spec.clusterIPs"
    if then and not now:
        return [invalid(f"{at}[0]", now, "primary clusterIP can not be unset")]
    errors = [
        invalid(f"{at}[{index}]", now, _ONCE)
        for index, (new, old) in enumerate(zip(now, then, strict=False))
        if new != old and (index == 0 or len(now) == len(then))
    ]
    if len(then) > len(now) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        text = "must be set to 'SingleStack' when releasing the secondary clusterIP"
        errors.append(invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), text))
    return errors


def _kept_families(spec: Object, before: Object) -> list[FieldError]:
    now, then = spec.get("ipFamilies") or [], before.get("ipFamilies") or []
    if headless(spec) or headless(before) or not now or not then:
        return []
    return [] if now[0] == then[0] else [invalid("spec.ipFamilies[0]", now, _ONCE)]


def allocation(obj: Object, old: Object | None, ctx: Context) -> list[FieldError]:
    """Addresses and ports the client chose: of this cluster's ranges, and nobody else's."""
    spec = obj["spec"]
    errors = _configured_families(spec, ctx)
    own = set(addresses.reservations(old)) if old else set()
    kept = set(addresses.cluster_ips(old)) if old else set()
    taken = addresses.held(ctx, addresses.CLUSTER_IPS)
    networks = addresses.networks(ctx)
    for address in addresses.cluster_ips(obj):
        if address in kept:
            continue
        try:
            inside = any(ipaddress.ip_address(address) in network for network in networks)
        except ValueError:
            continue
        text = f"failed to allocate IP {address}: "
        if not inside:
            shown = ",".join(map(str, networks))
            text += f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {shown}"
            errors.append(invalid("spec.clusterIPs", spec["clusterIPs"], text))
        elif f"{addresses.CLUSTER_IPS}{address}" in taken:
            errors.append(invalid("spec.clusterIPs", spec["clusterIPs"], f"{text}provided IP is already allocated"))
    return errors + _chosen_ports(spec, own, ctx)


def _chosen_ports(spec: Object, own: set[str], ctx: Context) -> list[FieldError]:
    taken, valid = addresses.held(ctx, addresses.NODE_PORTS), addresses.port_range(ctx)
    errors: list[FieldError] = []
    for index, port in enumerate(spec.get("ports") or ()):
        number = port.get("nodePort")
        name = f"{addresses.NODE_PORTS}{port.get('protocol')}/{number}"
        if not number or name in own:
            continue
        at = f"spec.ports[{index}].nodePort"
        if number not in valid:
            text = f"provided port is not in the valid range. The range of valid ports is {valid}"
            errors.append(invalid(at, number, text))
        elif name in taken:
            errors.append(invalid(at, number, "provided port is already allocated"))
    health = spec.get("healthCheckNodePort")
    name = f"{addresses.NODE_PORTS}TCP/{health}"
    if health and name in taken and name not in own:
        errors.append(invalid("spec.healthCheckNodePort", health, "provided port is already allocated"))
    return errors


def _configured_families(spec: Object, ctx: Context) -> list[FieldError]:
    if spec.get("type") == "ExternalName" or (headless(spec) and not spec.get("selector")):
        return []
    have = [addresses.family(network) for network in addresses.networks(ctx)]
    errors: list[FieldError] = []
    if spec.get("ipFamilyPolicy") == "RequireDualStack" and len(have) < 2:
        text = "this cluster is not configured for dual-stack services"
        errors.append(invalid("spec.ipFamilyPolicy", "RequireDualStack", text))
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family in _FAMILIES and family not in have:
            errors.append(invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster"))
    return errors


def status(value: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, ingress in enumerate((value.get("loadBalancer") or {}).get("ingress") or ()):
        at = f"status.loadBalancer.ingress[{index}]"
        address, mode, host = ingress.get("ip"), ingress.get("ipMode"), ingress.get("hostname")
        if address:
            errors += rules.ip_address(address, f"{at}.ip")
        if mode is not None and not address:
            errors.append(forbidden(f"{at}.ipMode", "may not be specified when `ip` is not set"))
        elif mode is not None and mode not in ("Proxy", "VIP"):
            errors.append(not_supported(f"{at}.ipMode", mode, ("Proxy", "VIP")))
        if host:
            errors += rules.each(names.dns1123_subdomain, host, f"{at}.hostname")
            if not rules.ip_address(host, ""):
                errors.append(invalid(f"{at}.hostname", host, "must be a DNS name, not an IP address"))
    return errors
