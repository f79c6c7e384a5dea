"""IP addresses and ranges: `ip('10.0.0.1')`, `cidr('10.0.0.0/8')`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from apiserver.cel.functions import function, opaque
from apiserver.cel.values import CelError

_IP, _CIDR = "net.IP", "net.CIDR"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


@opaque(_IP)
@dataclass(frozen=True, slots=True)
class Ip:
    address: Address


@opaque(_CIDR)
@dataclass(frozen=True, slots=True)
class Cidr:
    """An address and the length of its prefix; the bits after the prefix are kept."""

    interface: Interface


def _address(text: str) -> Address:
    """Raises CelError."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise CelError(f'IP Address "{text}" parse error during conversion from string: {error}') from error
    if "%" in text:
        raise CelError(f'IP address "{text}" with zone value is not allowed')
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise CelError(f'IPv4-mapped IPv6 address "{text}" is not allowed')
    return address


def _interface(text: str) -> Interface:
    """Raises CelError."""
    head, slash, length = text.partition("/")
    try:
        if not slash or not length.isdecimal() or (length[0] == "0" and length != "0"):
            raise ValueError("no prefix length")
        interface = ipaddress.ip_interface(text)
    except ValueError as error:
        raise CelError(f'network address parse error during conversion from string: "{text}": {error}') from error
    _address(head)
    return interface


def _fits(parse: object, text: str) -> bool:
    try:
        _address(text) if parse is _address else _interface(text)
    except CelError:
        return False
    return True


@function(_IP, "ip(string)")
def ip(text: str) -> Ip:
    return Ip(_address(text))


@function("bool", "isIP(string)")
def is_ip(text: str) -> bool:
    return _fits(_address, text)


@function("bool", "ip.isCanonical(string)")
def is_canonical(text: str) -> bool:
    return str(_address(text)) == text


@function("string", f"string({_IP})")
def ip_to_string(ip: Ip) -> str:
    return str(ip.address)


@function("int", f"{_IP}.family()")
def family(ip: Ip) -> int:
    return ip.address.version


@function("bool", f"{_IP}.isUnspecified()")
def is_unspecified(ip: Ip) -> bool:
    return ip.address.is_unspecified


@function("bool", f"{_IP}.isLoopback()")
def is_loopback(ip: Ip) -> bool:
    return ip.address.is_loopback


@function("bool", f"{_IP}.isLinkLocalMulticast()")
def is_link_local_multicast(ip: Ip) -> bool:
    return any(ip.address in ipaddress.ip_network(net) for net in ("224.0.0.0/24", "ff02::/16"))


@function("bool", f"{_IP}.isLinkLocalUnicast()")
def is_link_local_unicast(ip: Ip) -> bool:
    return ip.address.is_link_local


@function("bool", f"{_IP}.isGlobalUnicast()")
def is_global_unicast(ip: Ip) -> bool:
    address = ip.address
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and str(address) != "255.255.255.255"


@function(_CIDR, "cidr(string)")
def cidr(text: str) -> Cidr:
    return Cidr(_interface(text))


@function("bool", "isCIDR(string)")
def is_cidr(text: str) -> bool:
    return _fits(_interface, text)


@function("bool", f"{_CIDR}.containsIP({_IP})", f"{_CIDR}.containsIP(string)")
def contains_ip(cidr: Cidr, other: Ip | str) -> bool:
    address = other.address if isinstance(other, Ip) else _address(other)
    return address in cidr.interface.network


@function("bool", f"{_CIDR}.containsCIDR({_CIDR})", f"{_CIDR}.containsCIDR(string)")
def contains_cidr(cidr: Cidr, other: Cidr | str) -> bool:
    inner = (other.interface if isinstance(other, Cidr) else _interface(other)).network
    outer = cidr.interface.network
    return inner.network_address in outer and inner.prefixlen >= outer.prefixlen


@function(_IP, f"{_CIDR}.ip()")
def ip_of_cidr(cidr: Cidr) -> Ip:
    return Ip(cidr.interface.ip)


@function(_CIDR, f"{_CIDR}.masked()")
def masked(cidr: Cidr) -> Cidr:
    return Cidr(ipaddress.ip_interface(str(cidr.interface.network)))


@function("int", f"{_CIDR}.prefixLength()")
def prefix_length(cidr: Cidr) -> int:
    return cidr.interface.network.prefixlen


@function("string", f"string({_CIDR})")
def cidr_to_string(cidr: Cidr) -> str:
    return str(cidr.interface)
