"""EndpointSlice: a part of a Service's addresses."""

from __future__ import annotations

import ipaddress
from datetime import datetime

from api import names
from api.field import FieldError, duplicate, invalid, required, too_many
from apiserver.registry import rules
from apiserver.registry.columns import UNSET, few
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

_TYPES = ("FQDN", "IPv4", "IPv6")
_MAX_ENDPOINTS, _MAX_ADDRESSES, _MAX_PORTS, _MAX_HINTS = 1000, 100, 20000, 8


class EndpointSliceStrategy(Strategy):
    has_generation = True

    def default(self, obj: Object) -> None:
        for port in obj.get("ports") or ():
            if port.get("name") is None:
                port["name"] = ""
            if not port.get("protocol"):
                port["protocol"] = "TCP"

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        kind = obj.get("addressType")
        errors = rules.one_of(kind, _TYPES, "addressType")
        errors += _endpoints(obj.get("endpoints") or [], kind or "")
        return errors + _ports(obj.get("ports") or [])

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        errors = self.validate(new, ctx)
        return errors + rules.immutable(new.get("addressType"), old.get("addressType"), "addressType")


def _endpoints(endpoints: list[Object], kind: str) -> list[FieldError]:
    if len(endpoints) > _MAX_ENDPOINTS:
        return [too_many("endpoints", len(endpoints), _MAX_ENDPOINTS)]
    errors: list[FieldError] = []
    for index, endpoint in enumerate(endpoints):
        at = f"endpoints[{index}]"
        addresses = endpoint.get("addresses") or ()
        if not addresses:
            errors.append(required(f"{at}.addresses", "must contain at least 1 address"))
        elif len(addresses) > _MAX_ADDRESSES:
            errors.append(too_many(f"{at}.addresses", len(addresses), _MAX_ADDRESSES))
        for number, address in enumerate(addresses):
            errors += _address(address, kind, f"{at}.addresses[{number}]")
        if node := endpoint.get("nodeName"):
            errors += rules.each(names.dns1123_subdomain, node, f"{at}.nodeName")
        if host := endpoint.get("hostname"):
            errors += rules.each(names.dns1123_label, host, f"{at}.hostname")
        for number, zone in enumerate((endpoint.get("hints") or {}).get("forZones") or ()):
            here = f"{at}.hints.forZones[{number}].name"
            errors += rules.each(names.label_value, zone.get("name"), here) if zone.get("name") else [required(here)]
    return errors


def _address(address: str, kind: str, at: str) -> list[FieldError]:
    if kind == "FQDN":
        wrong = names.dns1123_subdomain(address.removesuffix("."))
        if not wrong and "." not in address.removesuffix("."):
            wrong = ["should be a domain with at least two segments separated by dots"]
        return [invalid(at, address, why) for why in wrong]
    try:
        fits = f"IPv{ipaddress.ip_address(address).version}" == kind
    except ValueError:
        fits = False
    if kind in ("IPv4", "IPv6") and not fits:
        return [invalid(at, address, f"must be a valid {kind} address")]
    return rules.ordinary_ip(address, at)


def _ports(ports: list[Object]) -> list[FieldError]:
    if len(ports) > _MAX_PORTS:
        return [too_many("ports", len(ports), _MAX_PORTS)]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        at, name = f"ports[{index}]", port.get("name") or ""
        if name:
            errors += rules.each(names.dns1123_label, name, f"{at}.name")
        if name in seen:
            errors.append(duplicate(f"{at}.name", name))
        seen.add(name)
        errors += rules.one_of(port.get("protocol"), rules.PROTOCOLS, f"{at}.protocol")
        if port.get("port") is not None:
            errors += rules.port_number(port["port"], f"{at}.port")
        if protocol := port.get("appProtocol"):
            errors += rules.each(names.qualified_name, protocol, f"{at}.appProtocol")
    return errors


def _address_type(obj: Object, now: datetime) -> str:
    return obj.get("addressType") or ""


def _port_list(obj: Object, now: datetime) -> str:
    shown = [str(port.get("port") or port.get("name") or "*") for port in obj.get("ports") or ()]
    return few(shown) or UNSET


def _address_list(obj: Object, now: datetime) -> str:
    endpoints = obj.get("endpoints") or ()
    return few([address for endpoint in endpoints for address in endpoint.get("addresses") or ()]) or UNSET


KIND = Kind(
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    plural="endpointslices",
    definition="io.k8s.api.discovery.v1.EndpointSlice",
    singular="endpointslice",
    strategy=EndpointSliceStrategy(),
    columns=(
        Column("AddressType", _address_type, description="The kind of addresses: IPv4, IPv6 or FQDN"),
        Column("Ports", _port_list, description="The ports of all its endpoints"),
        Column("Endpoints", _address_list, description="The addresses"),
    ),
)
