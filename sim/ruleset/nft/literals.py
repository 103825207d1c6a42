"""From a written value to its number, address or name, by nft's data types; with nft's own messages for what is none.

Ports and protocols go by name as on a Debian machine (iptables/names.py). Host names are not looked up, "localhost" excepted.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import IPv6Address

from sim.conntrack.labels import MOST as LABELS
from sim.ruleset.datatypes import NAMES
from sim.ruleset.headers import PROTOCOLS
from sim.ruleset.iptables.names import GROUPS, USERS, protocol_number, service_port
from sim.ruleset.model import Item, Wildcard
from sim.ruleset.nft.scanner import NotSimulated
from sim.ruleset.nft.syntax import Mistake, Symbol

# What `nft describe` calls a data type, and how wide a value of a set of that type is.
DESCRIPTION = {
    "inet_service": "internet network service", "ipv4_addr": "IPv4 address", "ipv6_addr": "IPv6 address", "mark": "packet mark",
    "inet_proto": "Internet protocol", "ifname": "network interface name", "iface_index": "network interface index",
    "icmp_type": "ICMP type", "icmp_code": "icmp code", "icmpv6_type": "ICMPv6 type", "icmpv6_code": "icmpv6 code",
    "icmpx_code": "icmpx code",
    "ct_state": "conntrack state", "ct_dir": "conntrack direction", "ct_status": "conntrack status", "tcp_flag": "TCP flag",
    "dscp": "Differentiated Services Code Point", "ecn": "Explicit Congestion Notification", "pkt_type": "packet type",
    "nf_proto": "netfilter protocol", "ether_type": "Ethernet protocol", "integer": "integer", "time": "relative time", "string": "string",
    "fib_addrtype": "fib address type", "there": "boolean type", "fib_there": "boolean type",
    "iface_type": "network interface type", "igmp_type": "IGMP type", "mh_type": "Mobility Header Type", "dccp_pkttype": "DCCP packet type",
    "day": "Day of week of packet reception", "hour": "Hour of day of packet reception", "moment": "Relative time of packet reception",
    "classid": "TC classid", "devgroup": "devgroup name", "ct_event": "conntrack event bits", "bitmask": "bitmask", "uid": "user ID",
    "gid": "group ID", "ether_addr": "Ethernet address", "realm": "routing realm", "ct_label": "conntrack label",
}  # fmt: skip
WIDTH = {
    "inet_service": 16, "ipv4_addr": 32, "ipv6_addr": 128, "mark": 32, "inet_proto": 8, "ifname": 128, "iface_index": 32, "icmp_type": 8,
    "icmp_code": 8, "icmpv6_type": 8, "icmpv6_code": 8, "icmpx_code": 8, "ct_state": 32, "ct_dir": 8, "ct_status": 32, "tcp_flag": 8,
    "dscp": 6, "ecn": 2, "pkt_type": 8, "nf_proto": 8, "ether_type": 16, "time": 32, "string": 128, "iface_type": 16, "igmp_type": 8,
    "mh_type": 8, "dccp_pkttype": 4, "day": 8, "hour": 32, "moment": 64, "classid": 32, "devgroup": 32, "fib_addrtype": 32,
    "uid": 32, "gid": 32, "ether_addr": 48, "ct_label": 128, "realm": 32,
}  # fmt: skip
ADDRESS_BYTES = {"ipv4_addr": 4, "ipv6_addr": 16}
_LONGEST = 999  # digits: Python makes a number of 4,300 at most
NAME_MOST = 16  # IFNAMSIZ, the byte behind the name included
_TIME = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")
_TIME_UNITS = (86_400_000, 3_600_000, 60_000, 1000, 1)
_PLAIN = ("integer", "mark", "bitmask")
_BILLION = 1_000_000_000


_KEYWORDS: dict[str, tuple[int, str]] = {
    **{name: (number, "inet_proto") for name, number in PROTOCOLS.items()}, "redirect": (5, "icmp_type"),
}  # fmt: skip


def keyword_of(symbol: Symbol) -> tuple[int, str] | None:
    """The number and the type of a word that is a constant to nft's parser wherever a value stands: `tcp` is 6, an Internet protocol."""
    return _KEYWORDS.get(symbol.text) if symbol.kind == "protocol" else None


def _of_another_type(number: int, symbol: Symbol, datatype: str, bits: int) -> Item:
    """A constant of one type where another's is wanted, as nft takes it between braces and under masks: by its number."""
    if datatype in ("ifname", "string"):
        raise NotSimulated(symbol.text, symbol.at)
    if number >= 1 << bits:
        raise Mistake(symbol.at, f"Value {number} exceeds valid range 0-{(1 << bits) - 1}")
    return number.to_bytes(bits // 8) if datatype in ADDRESS_BYTES else number


def scalar(symbol: Symbol, datatype: str, bits: int, interfaces: Mapping[str, int] | None = None) -> Item:
    """The value of one symbol. `interfaces`: name -> index, where it is known which there are. Raises Mistake."""
    said = keyword_of(symbol)
    if said is not None and said[1] != datatype:
        return _of_another_type(said[0], symbol, datatype, bits)
    special = _SPECIAL.get(datatype)
    if special is not None:
        return special(symbol, interfaces)
    if datatype == "fib_there" and symbol.kind != "boolean":
        raise NotSimulated(symbol.text, symbol.at)
    numeric = _number(symbol)
    if numeric is None:
        names = NAMES.get(datatype, {})
        if symbol.kind == "boolean" and datatype in (*_PLAIN, "there", "fib_there"):
            return int(symbol.text == "exists")
        if symbol.text not in names:
            raise Mistake(symbol.at, f"Could not parse {DESCRIPTION[datatype]}")
        return names[symbol.text]
    if numeric >= 1 << bits:
        raise Mistake(symbol.at, f"Value {numeric} exceeds valid range 0-{(1 << bits) - 1}")
    return numeric


def _number(symbol: Symbol) -> int | None:
    text = symbol.text
    if len(text) > _LONGEST:
        return None
    if text.isascii() and text.isdecimal():
        return None if text.startswith("0") and set(text) & set("89") else int(text)  # strtoull with base 0 reads no 08
    return int(text, 16) if re.fullmatch(r"0[xX][0-9a-fA-F]+", text) else None


def _service(symbol: Symbol, _: object) -> int:
    digits = len(symbol.text) <= _LONGEST and symbol.text.isascii() and symbol.text.isdecimal()
    numeric = int(symbol.text) if digits else _number(symbol)
    if numeric is None:
        port = service_port(symbol.text, None)
        if port is None:
            raise Mistake(symbol.at, "Could not resolve service: Servname not supported for ai_socktype")
        return port
    if numeric > 0xFFFF:
        raise Mistake(symbol.at, "Service out of range")
    return numeric


def _protocol(symbol: Symbol, _: object) -> int:
    numeric = _number(symbol)
    if numeric is None:
        found = 108 if symbol.text == "comp" else protocol_number(symbol.text) if symbol.text != "all" else None
        if found is None:
            raise Mistake(symbol.at, "Could not resolve protocol name")
        return found
    if numeric > 0xFF:
        raise Mistake(symbol.at, "Protocol out of range")
    return numeric


def _address4(symbol: Symbol, _: object) -> bytes:
    numeric = _number(symbol)
    if numeric is not None and numeric < 1 << 32:
        return numeric.to_bytes(4)
    if symbol.text == "localhost":
        return bytes((127, 0, 0, 1))
    if ":" in symbol.text:
        raise Mistake(symbol.at, "Could not resolve hostname: Address family for hostname not supported")
    try:
        return socket.inet_pton(socket.AF_INET, symbol.text)
    except (OSError, ValueError) as error:
        raise Mistake(symbol.at, _unresolved(symbol)) from error


def _address6(symbol: Symbol, _: object) -> bytes:
    if re.fullmatch(r"[\d.]+", symbol.text) and "." in symbol.text:
        raise Mistake(symbol.at, "Could not resolve hostname: Address family for hostname not supported")
    try:
        return IPv6Address(symbol.text).packed
    except ValueError as error:
        raise Mistake(symbol.at, _unresolved(symbol)) from error


def _unresolved(symbol: Symbol) -> str:
    looked_up = not re.fullmatch(r"[\d.:]+", symbol.text)
    return "Could not resolve hostname: " + ("Temporary failure in name resolution" if looked_up else "Name or service not known")


def _name(symbol: Symbol, _: object) -> Item:
    text = symbol.text
    if not text:
        raise Mistake(symbol.at, "Empty string is not allowed")
    wild = symbol.kind != "number" and text.endswith("*") and not text.endswith("\\*")
    if text == "*" and wild:
        raise Mistake(symbol.at, "All-wildcard strings are not supported")
    if len(text) >= NAME_MOST:
        raise Mistake(symbol.at, f"String exceeds maximum length of {NAME_MOST}")
    if wild:
        return Wildcard(text[:-1])
    return text.replace("\\*", "*")


def _interface(symbol: Symbol, interfaces: Mapping[str, int] | None) -> Item:
    numeric = _number(symbol)
    if numeric is not None:
        known = {index: name for name, index in (interfaces or {}).items()}
        return known.get(numeric, str(numeric))
    if interfaces is not None and symbol.text not in interfaces:
        raise Mistake(symbol.at, "Interface does not exist")
    return symbol.text


def _time(symbol: Symbol, _: object) -> int:
    if len(symbol.text) <= _LONGEST and symbol.text.isdecimal():
        return int(symbol.text) * 1000
    found = _TIME.fullmatch(symbol.text)
    if found is None or not symbol.text or len(symbol.text) > _LONGEST:
        raise Mistake(symbol.at, "wrong time format")
    return sum(int(count or 0) * unit for count, unit in zip(found.groups(), _TIME_UNITS, strict=True))


def _string(symbol: Symbol, _: object) -> str:
    if not symbol.text:
        raise Mistake(symbol.at, "Empty string is not allowed")
    if len(symbol.text) >= NAME_MOST:
        raise Mistake(symbol.at, f"String exceeds maximum length of {NAME_MOST}")
    return symbol.text


def _classid(symbol: Symbol, _: object) -> int:
    major, colon, minor = symbol.text.partition(":")
    numeric = _number(symbol)
    if colon:
        return int(major or "0", 16) << 16 | int(minor or "0", 16)
    if numeric is not None and numeric < 1 << 32:
        return numeric
    return NAMES["classid"].get(symbol.text, 0)  # nft takes what begins with no number for 0


def _devgroup(symbol: Symbol, _: object) -> int:
    numeric = _number(symbol)
    if numeric is None and symbol.text not in NAMES["devgroup"]:
        raise Mistake(symbol.at, f"/etc/iproute2/group: could not parse devgroup name {symbol.text!r}".replace("'", '"'))
    return NAMES["devgroup"][symbol.text] if numeric is None else numeric


def _realm(symbol: Symbol, _: object) -> int:
    numeric = _number(symbol)
    if numeric is None and symbol.text not in NAMES["realm"]:
        raise Mistake(symbol.at, f'/etc/iproute2/rt_realms: could not parse routing realm "{symbol.text}"')
    return NAMES["realm"][symbol.text] if numeric is None else numeric


def _moment(symbol: Symbol, _: object) -> int:
    numeric = _number(symbol)
    if numeric is not None:
        return numeric * _BILLION
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            return int(datetime.strptime(symbol.text, form).replace(tzinfo=UTC).timestamp()) * _BILLION
        except ValueError:
            continue
    raise Mistake(symbol.at, "Cannot parse date")


def _hour(symbol: Symbol, _: object) -> int:
    numeric = _number(symbol)
    if numeric is not None:
        return numeric
    found = re.fullmatch(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?", symbol.text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3] or 0) > 59:
        raise Mistake(symbol.at, "wrong time format")
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)


def _day(symbol: Symbol, _: object) -> int:
    numeric = _number(symbol)
    if numeric is not None:
        if numeric > 6:
            raise Mistake(symbol.at, f"Value {numeric} exceeds valid range 0-6")
        return numeric
    names = [name for name in NAMES["day"] if name.lower() == symbol.text.lower()]
    if not names:
        raise Mistake(symbol.at, "Could not parse Day of week of packet reception")
    return NAMES["day"][names[0]]


def _account(known: Mapping[str, int], what: str) -> Callable[[Symbol, object], int]:
    """A user or group, by number or by name."""

    def read(symbol: Symbol, _: object) -> int:
        numeric = _number(symbol)
        if numeric is None and symbol.text not in known:
            raise Mistake(symbol.at, f"{what} does not exist")
        if numeric is not None and numeric > 0xFFFFFFFF:
            raise Mistake(symbol.at, "Value too large")
        return known[symbol.text] if numeric is None else numeric

    return read


def _ethernet(symbol: Symbol, _: object) -> int:
    if not re.fullmatch(r"(?:[0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}", symbol.text):
        raise Mistake(symbol.at, "Could not parse Ethernet address")
    return int.from_bytes(bytes(int(part, 16) for part in symbol.text.split(":")))


def _label(symbol: Symbol, _: object) -> int:
    numeric = _number(symbol)
    if numeric is None:
        raise Mistake(symbol.at, f'/etc/connlabel.conf: could not parse conntrack label "{symbol.text}"')
    if numeric >= LABELS:
        raise Mistake(symbol.at, f"{numeric}: bit {numeric} out of range ({LABELS} max)")
    return 1 << numeric


_SPECIAL: dict[str, Callable[[Symbol, Mapping[str, int] | None], Item]] = {
    "inet_service": _service, "inet_proto": _protocol, "ipv4_addr": _address4, "ipv6_addr": _address6, "ifname": _name,
    "iface_index": _interface, "time": _time, "string": _string, "classid": _classid, "devgroup": _devgroup, "moment": _moment,
    "hour": _hour, "day": _day, "uid": _account(USERS, "User"), "gid": _account(GROUPS, "Group"), "ether_addr": _ethernet,
    "ct_label": _label, "realm": _realm,
}  # fmt: skip
