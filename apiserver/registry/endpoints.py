"""Endpoints: the older, one-object form of a Service's addresses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from api import names
from api.field import FieldError, required
from apiserver.registry import addresses, rules
from apiserver.registry.columns import NONE, few
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy


class EndpointsStrategy(Strategy):
    allow_create_on_update = True

    def default(self, obj: Object) -> None:
        for subset in obj.get("subsets") or ():
            for port in subset.get("ports") or ():
                if not port.get("protocol"):
                    port["protocol"] = "TCP"

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        errors: list[FieldError] = []
        for index, subset in enumerate(obj.get("subsets") or ()):
            errors += _subset(subset, f"subsets[{index}]")
        return errors

    def warnings(self, obj: Object) -> list[str]:
        return [
            warning
            for index, subset in enumerate(obj.get("subsets") or ())
            for field in ("addresses", "notReadyAddresses")
            for number, address in enumerate(subset.get(field) or ())
            for warning in addresses.ip_warnings(address.get("ip") or "", f"subsets[{index}].{field}[{number}].ip")
        ]


def _subset(subset: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        errors.append(required(at, "must specify `addresses` or `notReadyAddresses`"))
    for field in ("addresses", "notReadyAddresses"):
        for index, address in enumerate(subset.get(field) or ()):
            errors += _address(address, f"{at}.{field}[{index}]")
    ports = subset.get("ports") or ()
    for index, port in enumerate(ports):
        errors += _port(port, f"{at}.ports[{index}]", needs_name=len(ports) > 1)
    return errors


def _address(address: Object, at: str) -> list[FieldError]:
    errors = rules.ip_address(address.get("ip"), f"{at}.ip")
    if host := address.get("hostname"):
        errors += rules.each(names.dns1123_label, host, f"{at}.hostname")
    if node := address.get("nodeName"):
        errors += rules.each(names.dns1123_subdomain, node, f"{at}.nodeName")
    return errors or rules.ordinary_ip(address.get("ip"), f"{at}.ip")


def _port(port: Object, at: str, *, needs_name: bool) -> list[FieldError]:
    name = port.get("name")
    errors: list[FieldError] = []
    if name:
        errors += rules.each(names.dns1123_label, name, f"{at}.name")
    elif needs_name:
        errors.append(required(f"{at}.name"))
    errors += rules.port_number(port.get("port"), f"{at}.port")
    errors += rules.one_of(port.get("protocol"), rules.PROTOCOLS, f"{at}.protocol")
    if protocol := port.get("appProtocol"):
        errors += rules.each(names.qualified_name, protocol, f"{at}.appProtocol")
    return errors


def _pairs(obj: Object) -> Iterator[str]:
    for subset in obj.get("subsets") or ():
        addresses = subset.get("addresses") or ()
        ports = subset.get("ports") or ()
        if not ports:
            yield from (address.get("ip") or "" for address in addresses)
        for port in ports:
            for address in addresses:
                host = address.get("ip") or ""
                yield f"[{host}]:{port.get('port')}" if ":" in host else f"{host}:{port.get('port')}"


def _endpoints(obj: Object, now: datetime) -> str:
    if not obj.get("subsets"):
        return NONE
    return few(list(_pairs(obj)))


KIND = Kind(
    group="",
    version="v1",
    kind="Endpoints",
    plural="endpoints",
    definition="io.k8s.api.core.v1.Endpoints",
    singular="endpoints",
    strategy=EndpointsStrategy(),
    short_names=("ep",),
    deprecation="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    columns=(Column("Endpoints", _endpoints, description="The addresses and ports that are ready"),),
)
