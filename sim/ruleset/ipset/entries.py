"""Entries of sets in text, and back: 1.2.3.4, 10.0.0.0/8, tcp:22, icmp:echo-request, eth0, and ranges of them, which stand for many."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sim.ruleset.ipset.model import IpSet, Key
from sim.ruleset.iptables.icmp import ICMP, ICMPV6, IcmpName
from sim.ruleset.iptables.names import PROTOCOL_NAMES, protocol_number, service_port
from sim.units import show_address

_PORTED = {6: "tcp", 17: "udp", 132: "sctp", 136: "udplite"}
_MOST = 1 << 20


class Wrong(Exception):
    """What ipset says of it; `usage` sends the reader to the help and exits with 2."""

    def __init__(self, message: str, usage: bool = False) -> None:
        super().__init__(message)
        self.message, self.usage = message, usage


def syntax(message: str) -> Wrong:
    """A mistake that ipset's parser finds."""
    return Wrong(f"Syntax error: {message}")


def number(text: str, low: int, high: int) -> int:
    """A number as ipset reads it."""
    try:
        value = int(text, 8) if len(text) > 1 and text[0] == "0" and text[1] not in "xX" else int(text, 0)
    except ValueError:
        raise syntax(f"'{text}' is invalid as number") from None
    if not low <= value <= high or text[:1] == "-":
        raise syntax(f"'{text}' is out of range {low}-{high}")
    return value


# ---- reading ---------------------------------------------------------------------------------------------------------


def keys(ipset: IpSet, text: str, command: str) -> list[Key]:
    """The keys that an entry stands for: more than one where it has ranges."""
    dims = ipset.type.dims
    parts = text.split(",", len(dims)) if len(dims) > 1 else [text]
    _count(ipset, text, parts)
    found = [list(_READ[dim](ipset, part, command)) for dim, part in zip(dims, parts, strict=True)]
    total = 1
    for values in found:
        total *= len(values)
    if total > _MOST:
        raise Wrong("The range you specified exceeds the size limit of the set type")
    return list(itertools.product(*found))


def _count(ipset: IpSet, text: str, parts: list[str]) -> None:
    dims, name = len(ipset.type.dims), ipset.type.name
    commas = text.count(",")
    if dims == 1 and commas:
        raise syntax(f"Elem separator in {text}, but settype {name} supports none.")
    if dims == 2 and commas > 1:
        raise syntax(f"Two elem separators in {text}, but settype {name} supports one.")
    if dims == 3 and commas > 2:
        raise syntax(f"Three elem separators in {text}, but settype {name} supports two.")
    for place, which in ((1, "Second"), (2, "Third")):
        if dims > place and (len(parts) <= place or not parts[place]):
            raise syntax(f"{which} element is missing from {text}.")


def _address(text: str, family: str) -> int:
    if family == "ip" and text == "localhost":
        return 0x7F000001
    try:
        if family == "ip" and all(part.isdecimal() for part in text.split(".")) and text.count(".") < 3:
            *head, last = [int(part) for part in text.split(".")]
            if any(part > 255 for part in head) or last >> 32 - 8 * len(head):
                raise ValueError(text)
            return sum(part << 24 - 8 * at for at, part in enumerate(head)) + last
        return int(ipaddress.IPv4Address(text) if family == "ip" else ipaddress.IPv6Address(text))
    except ValueError:
        raise syntax(f"cannot parse {text}: resolving to IPv{'4' if family == 'ip' else '6'} address failed") from None


def _bounds(ipset: IpSet, text: str) -> tuple[int, int, int | None]:
    """(lowest, highest, the length that was written or None) of an address, a network or a range."""
    bits = ipset.bits
    first, slash, length_text = text.partition("/")
    if slash:
        length = number(length_text, 0, bits)
        if not length and ipset.type.name != "hash:net,iface":
            raise Wrong("The value of the CIDR parameter of the IP address is invalid")
        host = (1 << bits - length) - 1
        base = _address(first, ipset.family) & ~host
        return base, base | host, length
    low_text, dash, high_text = text.partition("-")
    low = _address(low_text, ipset.family)
    high = _address(high_text, ipset.family) if dash else low
    return min(low, high), max(low, high), None


def _read_ip(ipset: IpSet, text: str, command: str) -> Iterable[bytes]:
    low, high, _ = _bounds(ipset, text)
    if high - low >= _MOST or (ipset.family == "ip6" and high != low):
        raise Wrong("The range you specified exceeds the size limit of the set type")
    if ipset.type.kind == "bitmap":
        if not ipset.low <= low <= high <= ipset.high:
            raise Wrong("Element is out of the range of the set")
    elif low == 0:
        raise Wrong("Null-valued element, cannot be stored in a hash type of set")
    return dict.fromkeys(masked(ipset, value.to_bytes(ipset.bits // 8)) for value in range(low, high + 1))


def masked(ipset: IpSet, address: bytes) -> bytes:
    """An address under the set's netmask or bitmask."""
    if ipset.netmask:
        host = ipset.bits - ipset.netmask
        return (int.from_bytes(address) >> host << host).to_bytes(len(address))
    return bytes(a & m for a, m in zip(address, ipset.bitmask, strict=True)) if ipset.bitmask else address


def _read_net(ipset: IpSet, text: str, command: str) -> Iterator[tuple[bytes, int]]:
    low, high, length = _bounds(ipset, text)
    size = ipset.bits // 8
    if length is not None:
        yield low.to_bytes(size), length
        return
    while low <= high:
        width = min((low & -low).bit_length() - 1 if low else ipset.bits, (high - low + 1).bit_length() - 1)
        yield low.to_bytes(size), ipset.bits - width
        low += 1 << width


def _read_port(ipset: IpSet, text: str, command: str) -> Iterable[tuple[int, int]]:
    if ipset.type.kind == "bitmap":
        return _bitmap_ports(ipset, text)
    name, colon, rest = text.partition(":")
    if not colon:
        name, rest = "tcp", text
    protocol = protocol_number(name) if not name.isdecimal() else number(name, 0, 255)
    if protocol is None:
        raise syntax(f"cannot parse '{name}' as a protocol")
    if protocol in (1, 58):
        return [(protocol, _icmp(rest, ICMP if protocol == 1 else ICMPV6, "ICMP" if protocol == 1 else "ICMPv6"))]
    if protocol in _PORTED:
        low, high = _ports(rest, _PORTED[protocol])
        if low != high and command == "test":
            family = "inet" if ipset.family == "ip" else "inet6"
            message = f"FROM-TO port range is not allowed in command test with set type {ipset.type.name} and family {family}"
            raise Wrong(message)
        return [(protocol, port) for port in range(low, high + 1)]
    if rest != "0":
        raise syntax(f"Protocol {name} can be used with pseudo port value 0 only.")
    return [(protocol, 0)]


def _bitmap_ports(ipset: IpSet, text: str) -> list[tuple[int, int]]:
    low, high = _ports(text.partition(":")[2] or text, "tcp")
    if not ipset.low <= low <= high <= ipset.high:
        raise Wrong("Element is out of the range of the set")
    return [(0, port) for port in range(low, high + 1)]


def _ports(text: str, protocol: str) -> tuple[int, int]:
    low_text, dash, high_text = text.partition("-")
    low = _port(low_text, protocol)
    high = _port(high_text, protocol) if dash else low
    return min(low, high), max(low, high)


def _port(text: str, protocol: str) -> int:
    try:
        return number(text, 0, 65535)
    except Wrong as wrong:
        named = service_port(text, protocol)
        if named is not None:
            return named
        raise Wrong(f"{wrong.message}\nSyntax error: 'tcp' is invalid as number\ncannot parse '{text}' as a {protocol} port") from None


def _icmp(text: str, table: tuple[IcmpName, ...], label: str) -> int:
    row = next((row for row in table if row.name == text), None)
    if row is not None:
        return row.type << 8 | row.low
    kind, slash, code = text.partition("/")
    if not kind.isdecimal() or int(kind) > 255 or (slash and (not code.isdecimal() or int(code) > 255)):
        raise Wrong(f"Cannot parse {text} as an {label} type/code.")
    return int(kind) << 8 | int(code or 0)


def _read_iface(ipset: IpSet, text: str, command: str) -> list[str]:
    bare = text.removeprefix("physdev:")
    if len(bare) > 15:
        raise syntax(f"interface name '{bare}' is longer than 15 characters")
    return [text]


_READ: dict[str, Callable[[IpSet, str, str], Iterable[Any]]] = {"ip": _read_ip, "net": _read_net, "port": _read_port, "iface": _read_iface}

# ---- showing ---------------------------------------------------------------------------------------------------------


def show_key(ipset: IpSet, key: Key) -> str:
    """An element as it is listed."""
    return ",".join(_SHOW[dim](ipset, value) for dim, value in zip(ipset.type.dims, key, strict=True))


def _show_net(ipset: IpSet, value: tuple[bytes, int]) -> str:
    address, length = value
    return show_address(address) + (f"/{length}" if length != ipset.bits else "")


def _show_port(ipset: IpSet, value: tuple[int, int]) -> str:
    protocol, port = value
    if ipset.type.kind == "bitmap":
        return str(port)
    name = PROTOCOL_NAMES.get(protocol, str(protocol))
    if protocol not in (1, 58):
        return f"{name}:{port}"
    kind, code = port >> 8, port & 255
    table = ICMP if protocol == 1 else ICMPV6
    found = next((row.name for row in table if (row.type, row.low) == (kind, code) and row.name != "any"), None)
    return f"{name}:{found or f'{kind}/{code}'}"


def _show_ip(ipset: IpSet, value: bytes) -> str:
    return show_address(value)


def _show_name(ipset: IpSet, value: str) -> str:
    return value


_SHOW: dict[str, Callable[[IpSet, Any], str]] = {
    "ip": _show_ip, "net": _show_net, "port": _show_port, "iface": _show_name, "set": _show_name,
}  # fmt: skip
