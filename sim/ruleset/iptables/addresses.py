"""Addresses and ports in iptables' texts: 10.0.0.0/8, 1.2.3.4/255.0.255.0, lists, names that stand for numbers; read and printed."""

from __future__ import annotations

import ipaddress
import socket
from typing import NamedTuple

from sim.errors import Span
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.names import protocol_number, service_port
from sim.ruleset.model import Compare, Prefix
from sim.units import inet_aton

_LOCALHOST = {"localhost": b"\x7f\0\0\1", "ip6-localhost": b"\0" * 15 + b"\1"}


class Net(NamedTuple):
    """An address and its mask, as bytes of one length; the address has the mask applied."""

    address: bytes
    mask: bytes


def parse_host(text: str, family: str, span: Span) -> bytes:
    """One address. IPv4 as inet_aton reads it, but missing parts stand at the end: 10.9 is 10.9.0.0 (xtables_numeric_to_ipaddr)."""
    size = 4 if family == "ip" else 16
    if text in _LOCALHOST and len(_LOCALHOST[text]) == size:
        return _LOCALHOST[text]
    try:
        return _ipv4(text) if family == "ip" else ipaddress.IPv6Address(text).packed
    except (OSError, ValueError):
        raise Mistake(f"host/network `{text}' not found", span) from None


def _ipv4(text: str) -> bytes:
    """Dotted with four parts or with fewer, then filled up with zeros; a lone big number as inet_aton has it."""
    if not text or not all(part and part[0].isdecimal() for part in text.split(".")):
        raise ValueError(text)
    parts = text.split(".")
    if len(parts) < 4 and all(part.isdecimal() and int(part) < 256 for part in parts):
        return bytes([int(part) for part in parts] + [0] * (4 - len(parts)))
    return socket.inet_aton(text)


def parse_mask(text: str | None, family: str, span: Span) -> bytes:
    """The mask behind a slash: a length or a dotted mask; None is the whole address."""
    size = 4 if family == "ip" else 16
    if text is None:
        return b"\xff" * size
    if text.isdecimal() and text.isascii() and int(text) <= size * 8:
        return (((1 << int(text)) - 1) << (size * 8 - int(text))).to_bytes(size)
    try:
        if "." in text or ":" in text:
            return (ipaddress.IPv4Address(text) if family == "ip" else ipaddress.IPv6Address(text)).packed
    except ValueError:
        pass
    raise Mistake(f"invalid mask `{text}' specified", span)


def parse_net(text: str, family: str, span: Span) -> Net:
    """address[/mask]."""
    host, slash, mask_text = text.partition("/")
    mask = parse_mask(mask_text if slash else None, family, span)
    if family == "ip" and host == "0" and slash:
        host = "0.0.0.0"
    address = parse_host(host, family, span)
    return Net(bytes(a & m for a, m in zip(address, mask, strict=True)), mask)


def resolved(text: str, family: str, span: Span) -> bytes:
    """One address as getaddrinfo reads it, without a name service: xtoptions' host options."""
    found = inet_aton(text) if family == "ip" else inet6(text)
    if found is None:
        raise Mistake(f"getaddrinfo: {why_unresolved(text, family)}\n", span)
    return found


def inet6(text: str) -> bytes | None:
    """An IPv6 address, else None."""
    try:
        return ipaddress.IPv6Address(text).packed
    except ValueError:
        return None


def why_unresolved(text: str, family: str) -> str:
    """What getaddrinfo says of a text that is no address of the family: one of the other family, or a name that nobody knows here."""
    of_other = ":" in text if family == "ip" else inet_aton(text) is not None
    return "Address family for hostname not supported" if of_other else "Temporary failure in name resolution"


def resolved_net(text: str, family: str, span: Span) -> Net:
    """address[/mask] of such an option."""
    host, slash, mask_text = text.partition("/")
    mask = parse_mask(mask_text if slash else None, family, span)
    return Net(bytes(a & m for a, m in zip(resolved(host, family, span), mask, strict=True)), mask)


def parse_nets(text: str, family: str, span: Span) -> list[Net]:
    """A comma-separated list of addresses."""
    return [parse_net(each.strip(), family, span) for each in text.split(",")]


def mask_length(mask: bytes) -> int | None:
    """The prefix length of a mask, None when its bits are not all in front."""
    number, bits = int.from_bytes(mask), len(mask) * 8
    ones = number.bit_count()
    return ones if number == ((1 << ones) - 1) << (bits - ones) else None


def net_compare(selector: str, net: Net, negated: bool) -> Compare:
    """The comparison for an address option."""
    length = mask_length(net.mask)
    op = "!=" if negated else "=="
    if length is None:
        return Compare(selector, (net.address,), op, mask=net.mask)
    if length == len(net.address) * 8:
        return Compare(selector, (net.address,), op)
    return Compare(selector, (Prefix(net.address, length),), op)


def compare_net(compare: Compare) -> Net:
    """The address and mask that `net_compare` made the comparison of."""
    item = compare.values[0]  # type: ignore[index]
    if isinstance(item, Prefix):
        bits = len(item.address) * 8
        return Net(item.address, (((1 << item.length) - 1) << (bits - item.length)).to_bytes(bits // 8))
    assert isinstance(item, bytes)
    return Net(item, compare.mask if isinstance(compare.mask, bytes) else b"\xff" * len(item))


def show_net(net: Net, full: bool) -> str:
    """10.0.0.0/8, 10.0.0.0/255.0.255.0; a whole address with /32 (or /128) when `full`."""
    family = socket.AF_INET if len(net.address) == 4 else socket.AF_INET6
    host = socket.inet_ntop(family, net.address)
    length = mask_length(net.mask)
    if length is None:
        return f"{host}/{socket.inet_ntop(family, net.mask)}"
    return f"{host}/{length}" if full or length != len(net.mask) * 8 else host


def parse_protocol(text: str, span: Span) -> int:
    """A protocol by number (below 256) or name."""
    lower = text.lower()
    try:
        value = int(lower, 16) if lower.startswith("0x") else int(lower, 8) if lower.startswith("0") and lower != "0" else int(lower)
    except ValueError:
        named = protocol_number(lower)
        if named is None:
            raise Mistake(f'unknown protocol "{lower}" specified', span) from None
        return named
    if not 0 <= value <= 255:
        raise Mistake(f'unknown protocol "{lower}" specified', span)
    return value


def parse_port(text: str, protocol: str | None, span: Span) -> int:
    """A port by number or service name (xtables_parse_port)."""
    number = _port_number(text)
    if number is not None and 0 <= number <= 65535:
        return number
    named = service_port(text, protocol)
    if named is None:
        raise Mistake(f"invalid port/service `{text}' specified", span)
    return named


def _port_number(text: str) -> int | None:
    try:
        if len(text) > 1 and text[0] == "0" and text[1] not in "xX":
            return int(text, 8)
        return int(text, 0) if text and text[0].isdecimal() else None
    except ValueError:
        return None
