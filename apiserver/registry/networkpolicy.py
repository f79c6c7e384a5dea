"""NetworkPolicy: who may talk to a set of pods, and to whom they may."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import datetime

from api import names
from api.field import FieldError, forbidden, invalid, not_supported, required
from api.selectors import LabelSelector, SelectorError
from apiserver.registry import rules
from apiserver.registry.columns import NONE
from apiserver.registry.kind import Column, Context, Kind, Object, Strategy

_DIRECTIONS = (("ingress", "from"), ("egress", "to"))
_TYPES = ("Ingress", "Egress")
_PROTOCOLS = ("TCP", "UDP", "SCTP")


class NetworkPolicyStrategy(Strategy):
    has_generation = True

    def default(self, obj: Object) -> None:
        spec = obj.get("spec")
        if spec is None:
            spec = obj["spec"] = {}
        if spec.get("podSelector") is None:
            spec["podSelector"] = {}
        for direction, _ in _DIRECTIONS:
            for rule in spec.get(direction) or ():
                for port in rule.get("ports") or ():
                    if port.get("protocol") is None:
                        port["protocol"] = "TCP"
        if not spec.get("policyTypes"):
            spec["policyTypes"] = list(_TYPES if spec.get("egress") else _TYPES[:1])

    def validate(self, obj: Object, ctx: Context) -> list[FieldError]:
        spec = obj["spec"]
        errors = rules.label_selector(spec["podSelector"], "spec.podSelector")
        for direction, peers in _DIRECTIONS:
            for index, rule in enumerate(spec.get(direction) or ()):
                at = f"spec.{direction}[{index}]"
                errors += _each(_port, rule.get("ports") or [], f"{at}.ports")
                errors += _each(_peer, rule.get(peers) or [], f"{at}.{peers}")
        types = spec["policyTypes"]
        if len(types) > len(_TYPES):
            return [*errors, invalid("spec.policyTypes", types, "may not specify more than two policyTypes")]
        wrong = (index for index, each in enumerate(types) if each not in _TYPES)
        return errors + [not_supported(f"spec.policyTypes[{index}]", types[index], _TYPES) for index in wrong]


def _each(check: Callable[[Object, str], list[FieldError]], items: list[Object], at: str) -> list[FieldError]:
    return [error for index, item in enumerate(items) for error in check(item, f"{at}[{index}]")]


def _port(port: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol not in _PROTOCOLS:
        errors.append(not_supported(f"{at}.protocol", protocol, _PROTOCOLS))
    if number is None:
        if end is not None:
            errors.append(invalid(f"{at}.endPort", end, "may not be specified when `port` is not specified"))
        return errors
    if isinstance(number, str):
        if end is not None:
            errors.append(invalid(f"{at}.endPort", end, "may not be specified when `port` is non-numeric"))
        return errors + rules.each(names.port_name, number, f"{at}.port")
    errors += rules.port_number(number, f"{at}.port")
    if end is not None:
        if end < number:
            errors.append(invalid(f"{at}.endPort", number, "must be greater than or equal to `port`"))
        errors += rules.port_number(end, f"{at}.endPort")
    return errors


def _peer(peer: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    given = [field for field in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(field) is not None]
    for field in given:
        here = f"{at}.{field}"
        errors += _block(peer[field], here) if field == "ipBlock" else rules.label_selector(peer[field], here)
    if not given:
        errors.append(required(at, "must specify a peer"))
    elif len(given) > 1 and "ipBlock" in given:
        errors.append(forbidden(at, "may not specify both ipBlock and another peer"))
    return errors


def _block(block: Object, at: str) -> list[FieldError]:
    whole = block.get("cidr")
    if not whole:
        return [required(f"{at}.cidr")]
    if errors := rules.cidr(whole, f"{at}.cidr"):
        return errors
    network = ipaddress.ip_network(whole, strict=False)
    for index, without in enumerate(block.get("except") or ()):
        here = f"{at}.except[{index}]"
        if wrong := rules.cidr(without, here):
            errors += wrong
        elif not _strictly_within(without, network):
            errors.append(invalid(here, without, "must be a strict subset of `cidr`"))
    return errors


def _strictly_within(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    part = ipaddress.ip_network(text, strict=False)
    inside = part.version == network.version and part.network_address in network
    return inside and part.prefixlen > network.prefixlen


def _selector(obj: Object, now: datetime) -> str:
    try:
        return str(LabelSelector.of((obj.get("spec") or {}).get("podSelector") or {})) or NONE
    except SelectorError:
        return "<error>"


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="NetworkPolicy",
    plural="networkpolicies",
    definition="io.k8s.api.networking.v1.NetworkPolicy",
    singular="networkpolicy",
    strategy=NetworkPolicyStrategy(),
    short_names=("netpol",),
    columns=(Column("Pod-Selector", _selector, description="The pods it is about."),),
)
