"""Addresses of tasks: what the engine gives, and the IPv6 address that stands for it.

The engine's network has no IPv6, so an IPv6 address of a task is its IPv4 address within a prefix of our own: it is
registered, shown and checked as an IPv6 address, and asked at the IPv4 address.
"""

from __future__ import annotations

import ipaddress

_PREFIX = int(ipaddress.IPv6Address("fd00:ec5::"))


def ipv6_of(address: str) -> str:
    """Give the IPv6 address that stands for an IPv4 address."""
    return str(ipaddress.IPv6Address(_PREFIX + int(ipaddress.IPv4Address(address))))


def reachable(address: str) -> str:
    """Give the address at which a target can be asked."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.IPv4Address(int(parsed) - _PREFIX)) if parsed.version == 6 else address


def of_subnet(subnet: str | None, address: str) -> tuple[str, str]:
    """Give the IPv4 and the IPv6 address of a task, '' for none: `subnet-dual…` has both, `subnet-ipv6…` the latter."""
    name = subnet or ""
    ipv4 = "" if name.startswith("subnet-ipv6") else address
    return ipv4, ipv6_of(address) if name.startswith(("subnet-ipv6", "subnet-dual")) else ""
