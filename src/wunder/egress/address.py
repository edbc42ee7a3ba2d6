"""Which addresses may be reached: global ones, and hosts that the operator's file allows (pure)."""

import ipaddress
from collections.abc import Iterable

import msgspec

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: IPv6 networks that carry an IPv4 address (network, bits below it), besides mapped ones.
#: RFC 6052 (NAT64), RFC 4291 2.5.5.1 (IPv4-compatible, deprecated).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")
_IETF_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
#: 6to4 is deprecated (RFC 7526), and whether it is global differs between releases of Python.
_RELAY_6TO4 = ipaddress.ip_network("192.88.99.0/24")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


class AllowedHost(msgspec.Struct, frozen=True):
    """A host that the operator's config file allows, on one port or (0) on any."""

    host: str
    port: int = 0


def allowed_hosts(entries: Iterable[str]) -> frozenset[AllowedHost]:
    """Read `host`, `host:port`, `[v6]:port` entries. Raises: ValueError naming the entry."""
    return frozenset(_allowed_host(entry) for entry in entries)


def is_allowed(host: str, port: int, allowed: frozenset[AllowedHost]) -> bool:
    """Say whether the operator allows this host, as written in the URL, whatever it resolves to."""
    name = _normal(host)
    return AllowedHost(name) in allowed or AllowedHost(name, port) in allowed


def is_global(address: str) -> bool:
    """Say whether an address is one of the public internet, looking through IPv6 wrappings.

    Releases of Python differ over multicast, 6to4 and NAT64 of loopback: hence the list.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_is_global(one) for one in _unwrapped(parsed))


def literal(host: str) -> str | None:
    """Return the address where a host is written as one, None where it is a name."""
    try:
        return str(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return None


def _is_global(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local or address in _NAT64_LOCAL or address in _SIX_TO_FOUR:
            return False
        # Reserved space counts ::/8, where the wrappings live: those were taken off before.
        if address.is_reserved and address not in _NAT64:
            return False
    elif address in _IETF_PROTOCOLS or address in _RELAY_6TO4 or address.is_reserved:
        return False
    return address.is_global and not (
        address.is_multicast or address.is_unspecified or address.is_link_local
    )


def _unwrapped(address: Address) -> list[Address]:
    if not isinstance(address, ipaddress.IPv6Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    inner: list[Address] = []
    if address.teredo is not None:
        inner += address.teredo
    if address in _NAT64 or address in _IPV4_COMPATIBLE:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *inner]


def _allowed_host(entry: str) -> AllowedHost:
    text = entry.strip()
    if literal(text) is not None or ":" not in text:
        host, port = text, "0"
    else:
        host, _, port = text.rpartition(":")
    if not host.strip("[]") or "/" in host or not _is_port(port):
        raise ValueError(f"{entry!r} is no host or host:port")
    return AllowedHost(_normal(host), int(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 65_536


def _normal(host: str) -> str:
    return literal(host) or host.strip("[]").rstrip(".").lower()
