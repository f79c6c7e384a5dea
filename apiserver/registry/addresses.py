"""Addresses in forms that are taken, but are not the usual ones: sentences for the `Warning` header."""

from __future__ import annotations

import ipaddress


def ip_warnings(value: str, at: str) -> list[str]:
    """Of an address that has been checked, or of none."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return []
    if address.version == 4:
        return []
    if address.ipv4_mapped:
        text = f'will be considered invalid in a future Kubernetes release: use "{address.ipv4_mapped}"'
        return [f'{at}: non-standard IP address "{value}" {text}']
    if str(address) != value:
        return [f'{at}: IPv6 address "{value}" should be in RFC 5952 canonical format ("{address}")']
    return []


def cidr_warnings(value: str, at: str) -> list[str]:
    """Of a range of addresses that has been checked, or of none."""
    try:
        network = ipaddress.ip_network(value, strict=False)
        address = ipaddress.ip_address(value.partition("/")[0])
    except ValueError:
        return []
    if address != network.network_address:
        whole = f"{address}/{network.max_prefixlen}"
        return [f'{at}: CIDR value "{value}" is ambiguous in this context (should be "{network}" or "{whole}"?)']
    if network.version == 6 and str(network) != value:
        return [f'{at}: IPv6 CIDR value "{value}" should be in RFC 5952 canonical format ("{network}")']
    return []
