"""What a rule can look at: a table of selectors, by nft's words. A row is all that a new one takes.

A row says: the data type (datatypes.py), the size in bits, what must be there first (`needs`), and how the value is read: a Python
expression over `skb` (Skb) and `p` (its Packet). Numbers are ints, addresses bytes, device names str.

A field of a header that is cut short is there while its own bytes are (nft_payload); options want the whole header. In a later fragment
nft's fields are whatever bytes stand in their place (nft_payload_fast_eval asks for no offset); iptables' modules want a header.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import Final, NamedTuple

from sim.ruleset.headers import HEADERS, OPTIONAL, PROTOCOLS, HeaderField


class Selector(NamedTuple):
    """One row: see the module's docstring. `needs` are keys of NEEDS."""

    name: str
    type: str
    bits: int
    needs: tuple[str, ...]
    source: str


class _Needs(dict[str, str]):
    """The sources by key; "has SOURCE" is a need of its own: that SOURCE is not None."""

    def __missing__(self, key: str) -> str:
        if not key.startswith("has "):
            raise KeyError(key)
        return f"{key[4:]} is not None"


NEEDS: dict[str, str] = _Needs({
    "ip": "p.version == 4",
    "ip6": "p.version == 6",
    "headers": "(p.version == 4 or p.l4 <= len(p.data) and p.protonum not in (0, 43, 44, 51, 60) or headers_whole(p))",
    "header": "p.complete",
    "tcp options": "tcp_options_whole(p)",
    **{f"{size} bytes": f"(p.complete or len(p.data) >= p.th + {size})" for size in range(1, 21)},
    **{f"any {size} bytes": f"len(p.data) >= p.th + {size}" for size in range(1, 21)},
    "first": "not p.fragment",
    **{name: f"p.protonum == {number}" for name, number in PROTOCOLS.items()},
    "conn": "skb.conn is not None",
    "settable": "maxseg_place(p) >= 0",
    "maxseg": "tcp_option(p, 2, 2) is not None",
    "window": "tcp_option(p, 3, 1) is not None",
    "master": "skb.conn is not None and skb.conn.master is not None and skb.conn.master.helper is not None",
    "indev": "skb.indev",
    "held": "skb.held",
    "routed": "(skb.outdev or skb.routed)",
    "sender": "sender(skb) is not None",
    "socket": "receiver(skb) is not None",
    "link": "False",  # no device here has a link layer
    "outdev": "skb.outdev",
})

HEADERS_RUN_OUT = f"not {NEEDS['headers']}"
"""Where ip6tables' -p finds no protocol because the packet ends among IPv6's headers, it drops the packet (ip6_packet_match)."""


def _l4(offset: int, size: int) -> str:
    """The source that reads `size` bytes at `offset` of the transport header as a number."""
    if size == 1:
        return f"p.data[p.th + {offset}]" if offset else "p.data[p.th]"
    return f"int.from_bytes(p.data[p.th + {offset}:p.th + {offset + size}])"


def _l3(offset: int, size: int) -> str:
    """The same for the network header."""
    return f"p.data[{offset}]" if size == 1 else f"int.from_bytes(p.data[{offset}:{offset + size}])"


_META = (
    Selector("meta l4proto", "inet_proto", 8, ("headers",), "p.protonum"),
    Selector("meta nfproto", "nf_proto", 8, (), "(2 if p.version == 4 else 10)"),
    Selector("meta protocol", "ether_type", 16, (), "(0x0800 if p.version == 4 else 0x86DD)"),
    Selector("meta length", "integer", 32, (), "len(p.data)"),
    Selector("meta mark", "mark", 32, (), "skb.mark"),
    Selector("xt priority", "classid", 32, (), "skb.priority"),
    Selector("meta priority", "classid", 32, (), "skb.priority"),
    Selector("meta cpu", "integer", 32, (), "0"),
    Selector("meta random", "integer", 32, (), "drawn(skb, 'meta')"),
    Selector("meta iiftype", "iface_type", 16, ("held",), "link_type(skb.held)"),
    Selector("meta oiftype", "iface_type", 16, ("outdev",), "link_type(skb.outdev)"),
    Selector("meta iifgroup", "devgroup", 32, ("indev",), "0"),
    Selector("meta oifgroup", "devgroup", 32, ("outdev",), "0"),
    Selector("meta ipsec", "there", 8, (), "0"),
    Selector("meta skuid", "uid", 32, ("sender",), "sender(skb)[0]"),
    Selector("meta skgid", "gid", 32, ("sender",), "sender(skb)[1]"),
    Selector("meta cgroup", "integer", 32, ("sender",), "0"),
    Selector("meta rtclassid", "realm", 32, ("routed",), "0"),
    Selector("rt classid", "realm", 32, ("routed",), "0"),
    Selector("rt ipsec", "there", 8, ("routed",), "0"),
    Selector("rt mtu", "integer", 16, ("outdev",), "route_mss(p)"),
    Selector("rt ip nexthop", "ipv4_addr", 32, ("ip", "routed"), "next_hop(p.dst)"),
    Selector("rt ip6 nexthop", "ipv6_addr", 128, ("ip6", "routed"), "next_hop(p.dst)"),
    Selector("socket transparent", "integer", 1, ("socket",), "0"),
    Selector("socket wildcard", "integer", 1, ("socket",), "int(receiver(skb))"),
    Selector("socket mark", "mark", 32, ("socket",), "0"),
    Selector("ether saddr", "ether_addr", 48, ("link",), "0"),
    Selector("ether daddr", "ether_addr", 48, ("link",), "0"),
    Selector("ether type", "ether_type", 16, ("link",), "0"),
    Selector("meta time", "moment", 64, (), "moment(skb)"),
    Selector("meta day", "day", 8, (), "day(skb)"),
    Selector("meta hour", "hour", 32, (), "hour(skb)"),
    Selector("meta iifname", "ifname", 128, (), "skb.indev"),
    Selector("meta oifname", "ifname", 128, (), "skb.outdev"),
    Selector("meta iif", "iface_index", 32, (), "skb.indev"),
    Selector("meta oif", "iface_index", 32, (), "skb.outdev"),
    Selector("meta pkttype", "pkt_type", 8, (), "skb.pkt_type"),
)
_IP = (
    Selector("xt tos", "tos", 8, (), "p.tos"),
    Selector("ip saddr", "ipv4_addr", 32, ("ip",), "p.src"),
    Selector("ip daddr", "ipv4_addr", 32, ("ip",), "p.dst"),
    Selector("ip protocol", "inet_proto", 8, ("ip",), "p.protonum"),
    Selector("ip ttl", "integer", 8, ("ip",), "p.ttl"),
    Selector("ip length", "integer", 16, ("ip",), "len(p.data)"),
    Selector("ip id", "integer", 16, ("ip",), _l3(4, 2)),
    Selector("ip frag-off", "integer", 16, ("ip",), _l3(6, 2)),
    Selector("ip checksum", "integer", 16, ("ip",), _l3(10, 2)),
    Selector("ip version", "integer", 4, ("ip",), "4"),
    Selector("ip hdrlength", "integer", 4, ("ip",), "p.data[0] & 15"),
    Selector("ip dscp", "dscp", 6, ("ip",), "p.tos >> 2"),
    Selector("ip ecn", "ecn", 2, ("ip",), "p.tos & 3"),
    Selector("ip6 saddr", "ipv6_addr", 128, ("ip6",), "p.src"),
    Selector("ip6 daddr", "ipv6_addr", 128, ("ip6",), "p.dst"),
    Selector("ip6 nexthdr", "inet_proto", 8, ("ip6",), _l3(6, 1)),
    Selector("ip6 hoplimit", "integer", 8, ("ip6",), "p.ttl"),
    Selector("ip6 length", "integer", 16, ("ip6",), "len(p.data) - 40"),
    Selector("ip6 version", "integer", 4, ("ip6",), "6"),
    Selector("ip6 dscp", "dscp", 6, ("ip6",), "p.tos >> 2"),
    Selector("ip6 ecn", "ecn", 2, ("ip6",), "p.tos & 3"),
    Selector("ip6 flowlabel", "integer", 20, ("ip6",), "int.from_bytes(p.data[1:4]) & 0xFFFFF"),
)
_PORTS = tuple(
    Selector(f"{protocol} {port}", "inet_service", 16, (protocol, f"{at + 2} bytes"), f"(p.{port} if p.complete else {_l4(at, 2)})")
    for protocol in ("tcp", "udp", "udplite", "sctp", "dccp")
    for at, port in ((0, "sport"), (2, "dport"))
)
_TRANSPORT = (
    Selector("th sport", "inet_service", 16, ("headers", "any 2 bytes"), _l4(0, 2)),
    Selector("th dport", "inet_service", 16, ("headers", "any 4 bytes"), _l4(2, 2)),
    Selector("tcp flags", "tcp_flag", 8, ("tcp", "14 bytes"), f"(p.flags if p.complete else {_l4(13, 1)})"),
    Selector("xt tcp-option", "integer", 256, ("tcp", "header", "tcp options"), "tcp_options(p)"),
    Selector("tcp sequence", "integer", 32, ("tcp", "8 bytes"), f"(p.seq if p.complete else {_l4(4, 4)})"),
    Selector("tcp ackseq", "integer", 32, ("tcp", "12 bytes"), f"(p.ack if p.complete else {_l4(8, 4)})"),
    Selector("tcp doff", "integer", 4, ("tcp", "13 bytes"), "p.data[p.th + 12] >> 4"),
    Selector("tcp reserved", "integer", 4, ("tcp", "13 bytes"), "p.data[p.th + 12] & 15"),
    Selector("tcp window", "integer", 16, ("tcp", "16 bytes"), f"(p.window if p.complete else {_l4(14, 2)})"),
    Selector("tcp checksum", "integer", 16, ("tcp", "18 bytes"), _l4(16, 2)),
    Selector("tcp urgptr", "integer", 16, ("tcp", "20 bytes"), _l4(18, 2)),
    Selector("udp length", "integer", 16, ("udp", "6 bytes"), _l4(4, 2)),
    Selector("udp checksum", "integer", 16, ("udp", "8 bytes"), _l4(6, 2)),
    Selector("icmp type", "icmp_type", 8, ("icmp", "1 bytes"), _l4(0, 1)),
    Selector("icmp code", "icmp_code", 8, ("icmp", "2 bytes"), _l4(1, 1)),
    Selector("icmp checksum", "integer", 16, ("icmp", "4 bytes"), _l4(2, 2)),
    Selector("icmp id", "integer", 16, ("icmp", "6 bytes"), _l4(4, 2)),
    Selector("icmp sequence", "integer", 16, ("icmp", "8 bytes"), _l4(6, 2)),
    Selector("icmp gateway", "integer", 32, ("icmp", "8 bytes"), _l4(4, 4)),
    Selector("icmp mtu", "integer", 16, ("icmp", "8 bytes"), _l4(6, 2)),
    Selector("icmpv6 type", "icmpv6_type", 8, ("icmpv6", "1 bytes"), _l4(0, 1)),
    Selector("icmpv6 code", "icmpv6_code", 8, ("icmpv6", "2 bytes"), _l4(1, 1)),
    Selector("icmpv6 checksum", "integer", 16, ("icmpv6", "4 bytes"), _l4(2, 2)),
    Selector("icmpv6 id", "integer", 16, ("icmpv6", "6 bytes"), _l4(4, 2)),
    Selector("icmpv6 sequence", "integer", 16, ("icmpv6", "8 bytes"), _l4(6, 2)),
    Selector("icmpv6 mtu", "integer", 32, ("icmpv6", "8 bytes"), _l4(4, 4)),
)


def _ct(name: str, datatype: str, bits: int, source: str) -> Selector:
    return Selector(f"ct {name}", datatype, bits, ("conn",), source)


_CT_TUPLES = tuple(
    Selector(f"ct {direction} {name}", datatype, bits, ("conn", *needs), f"skb.conn.{direction}.{field}")
    for direction in ("original", "reply")
    for name, datatype, bits, field, needs in (
        ("ip saddr", "ipv4_addr", 32, "src", ("ip",)),
        ("ip daddr", "ipv4_addr", 32, "dst", ("ip",)),
        ("ip6 saddr", "ipv6_addr", 128, "src", ("ip6",)),
        ("ip6 daddr", "ipv6_addr", 128, "dst", ("ip6",)),
        ("protocol", "inet_proto", 8, "protonum", ()),
        ("proto-src", "inet_service", 16, "sport", ()),
        ("proto-dst", "inet_service", 16, "dport", ()),
    )
)
_CT = (
    Selector("ct state", "ct_state", 32, (), "CT_STATE_BITS[skb.ctinfo]"),
    Selector("xt ctstate", "xt_ctstate", 32, (), "xt_state(skb)"),
    _ct("direction", "ct_dir", 8, "direction_of(skb)"),
    _ct("status", "ct_status", 32, "skb.conn.status"),
    _ct("mark", "mark", 32, "skb.conn.mark"),
    _ct("label", "ct_label", 128, "(skb.conn.labels or 0)"),
    _ct("zone", "integer", 16, "skb.conn.zone & 0xFFFF"),
    _ct("original zone", "integer", 16, "(0 if skb.conn.zone & 0x20000 else skb.conn.zone & 0xFFFF)"),
    _ct("reply zone", "integer", 16, "(0 if skb.conn.zone & 0x10000 else skb.conn.zone & 0xFFFF)"),
    _ct("id", "integer", 32, "skb.conn.id"),
    _ct("expiration", "time", 32, "milliseconds_left(skb)"),
    Selector("ct helper", "string", 128, ("master",), "skb.conn.master.helper"),
    _ct("l3proto", "nf_proto", 8, "(2 if len(skb.conn.original.src) == 4 else 10)"),
    _ct("protocol", "inet_proto", 8, "skb.conn.original.protonum"),
    Selector("xt ctexpire", "seconds", 32, ("conn",), "milliseconds_left(skb) // 1000"),
)
_FIB = (
    *(
        Selector(f"xt {field} type{device}", "xt_addrtype", 32, ("ip6",), f"address_class(p.{name}, {dev})")
        for field, name in (("saddr", "src"), ("daddr", "dst"))
        for device, dev in (("", "''"), (" iif", "skb.indev"), (" oif", "skb.outdev"))
    ),
    Selector("fib saddr type", "fib_addrtype", 32, (), "fib_type(p.src, skb)"),
    Selector("fib daddr type", "fib_addrtype", 32, (), "fib_type(p.dst, skb)"),
    Selector("fib saddr . iif type", "fib_addrtype", 32, (), "address_type(p.src, skb.indev)"),
    Selector("fib daddr . iif type", "fib_addrtype", 32, (), "address_type(p.dst, skb.indev)"),
    Selector("fib saddr . oif type", "fib_addrtype", 32, (), "address_type(p.src, skb.outdev)"),
    Selector("fib daddr . oif type", "fib_addrtype", 32, (), "address_type(p.dst, skb.outdev)"),
)

_FIB_FLAGS = tuple(
    (f"{side}{mark}{device}", field, dev)
    for side, field in (("saddr", "src"), ("daddr", "dst"))
    for mark in ("", " . mark")
    for device, dev in (("", "''"), (" . iif", "skb.indev"), (" . oif", "skb.outdev"))
)
_FIB_WAY = (
    *(
        Selector(
            f"fib {name} type", "fib_addrtype", 32, (), f"address_type(p.{field}, {dev})" if "skb" in dev else f"fib_type(p.{field}, skb)"
        )
        for name, field, dev in _FIB_FLAGS
        if "mark" in name
    ),
    *(Selector(f"fib {name} oif", "fib_there", 32, (), f"int(bool(fib_device(skb, p.{field}, {dev})))") for name, field, dev in _FIB_FLAGS),
    *(Selector(f"fib {name} oifname", "ifname", 128, (), f"fib_device(skb, p.{field}, {dev})") for name, field, dev in _FIB_FLAGS),
)
_CT_COUNTS = tuple(
    Selector(f"ct {direction}{what}", "integer", 64, ("conn",), f"ct_counted(skb.conn, '{direction}', '{what}')")
    for direction in ("", "original ", "reply ")
    for what in ("bytes", "packets", "avgpkt")
)
ACCOUNTED = frozenset(row.name for row in _CT_COUNTS)
_TCP_OPTIONS = (
    *(
        Selector(f"tcp option {name}", "there", 8, (), f"int(p.protonum == 6 and p.complete and tcp_option(p, {kind}, 0) is not None)")
        for name, kind in (("maxseg", 2), ("window", 3), ("sack-perm", 4), ("sack", 5), ("timestamp", 8), ("md5sig", 19), ("fastopen", 34))
    ),
    Selector("tcp option maxseg size", "integer", 16, ("tcp", "header", "maxseg"), "tcp_option(p, 2, 2)"),
    Selector("tcp option window count", "integer", 8, ("tcp", "header", "window"), "tcp_option(p, 3, 1)"),
)


def _field_row(field: HeaderField) -> Selector:
    """The row of a transport header's field that has no quicker one above."""
    needs = (field.header, f"any {field.bytes[1]} bytes")
    return Selector(f"{field.header} {field.name}", field.type, field.bits, needs, field.source("p.th"))


_FIELDS = tuple(_field_row(field) for header in PROTOCOLS for field in HEADERS[header])
_VERSION = {"ip6": ("ip6",), "ip option": ("ip",)}


def found(kind: str, name: str, number: int, field: HeaderField | None) -> Selector:
    """The row of something that is searched for, or of a `field` in it."""
    prefix = {"ip6": f"exthdr {name}" if field is None else name}.get(kind, f"{kind} {name}")
    if field is None:
        return Selector(prefix, "there", 8, _VERSION.get(kind, ()), f"there({kind!r}, p, {number})")
    first, end = field.bytes
    source = f"look({kind!r}, p, {number}, {first}, {end})"
    needs = (*_VERSION.get(kind, ()), f"has {source}")
    value = f"{source}.to_bytes(16)" if field.type == "ipv6_addr" else field.cut(source)
    return Selector(f"{prefix} {field.name}", field.type, field.bits, needs, value)


FROM_THE_WIRE: Final = frozenset(("tcp sequence",))
"""Fields that nft 1.0.6 puts into a mark as they lie in the packet, without a word about the order of their bytes."""


def as_it_lies(value: int) -> int:
    """What a little-endian machine reads in these 32 bits of a packet."""
    return int.from_bytes(value.to_bytes(4), "little")


_OPTIONAL = tuple(
    found(kind, name, optional.number, field)
    for (kind, name), optional in OPTIONAL.items()
    for field in ((None, *optional.fields) if name not in ("rt0", "srh") else optional.fields)
)


def _raw(name: str) -> Selector | None:
    """ "@th,16,16": bits of a header; "tcp option @255,8,8": of an option by its number; "tcp option 255"."""
    match = re.fullmatch(r"@(nh|th|ih),(\d+),(\d+)", name)
    if match is not None:
        source = f"bits(p, {match[1]!r}, {int(match[2])}, {int(match[3])})"
        return Selector(name, "integer", int(match[3]), (f"has {source}",), source)
    match = re.fullmatch(r"tcp option @(\d+),(\d+),(\d+)", name)
    if match is not None:
        number, at, size = (int(group) for group in match.groups())
        return found("tcp option", "", number, HeaderField("", name, "integer", at, size))._replace(name=name)
    match = re.fullmatch(r"tcp option (\d+)", name)
    return found("tcp option", match[1], int(match[1]), None) if match is not None else None


def _made(name: str) -> Selector | None:
    """ "numgen inc mod 2 offset 5", "jhash FIELD+FIELD mod 2 seed 0x5 offset 0", "symhash mod 2": numbers made of the packet;
    "meta mark & 0xff": a field under a mask."""
    match = re.fullmatch(r"numgen (inc|random) mod (\d+)(?: offset (\d+))?", name)
    if match is not None:
        source = "skb.drawn" if match[1] == "inc" else f"drawn(skb, {name!r}) * {match[2]} >> 32"
        return Selector(name, "integer", 32, (), f"({source}) + {int(match[3] or 0)}" if match[3] else f"({source})")
    match = re.fullmatch(r"(.+) & (0x[0-9a-f]+)", name)
    if match is not None:
        row, mask = SELECTORS[match[1]], int(match[2], 16)
        whole = f"({row.source} & {mask})"
        if row.type in ("ipv4_addr", "ipv6_addr"):
            whole = f"(int.from_bytes({row.source}) & {mask}).to_bytes({row.bits // 8})"
        return row._replace(name=name, source=whole)
    match = re.fullmatch(r"(?:jhash (.+)|symhash) mod (\d+)(?: seed (0x[0-9a-f]+))?(?: offset (\d+))?", name)
    if match is None:
        return None
    rows = [SELECTORS[each] for each in match[1].split("+")] if match[1] else []
    seed = int(match[3], 16) if match[3] else drawn_seed(name)
    values = ", ".join(f"({row.source}, {row.bits}, {_order(row)!r})" for row in rows)
    source = f"(hashed(({values},), {seed}) * {match[2]} >> 32)" if rows else f"(symmetric(p) * {match[2]} >> 32)"
    needs = tuple(dict.fromkeys(need for row in rows for need in row.needs))
    return Selector(name, "integer", 32, needs, f"{source} + {int(match[4] or 0)}")


def _order(row: Selector) -> str:
    """Headers are in network order; what the kernel itself keeps is in the machine's."""
    return "little" if row.name.startswith(("meta ", "ct ")) and not row.name.endswith("addr") else "big"


def drawn_seed(name: str) -> int:
    """The seed of a jhash that names none: drawn by the kernel; here by the text, the same in every run."""
    return zlib.crc32(name.encode())


class _Selectors(dict[str, Selector]):
    """The rows by name; those with numbers in their names are made when they are asked for."""

    def __missing__(self, name: str) -> Selector:
        row = _raw(name) or _made(name)
        if row is None:
            raise KeyError(name)
        return self.setdefault(name, row)

    def __contains__(self, name: object) -> bool:
        return self.row(str(name)) is not None

    def row(self, name: str) -> Selector | None:
        """The row, or None."""
        try:
            return self[name]
        except KeyError:
            return None


SELECTORS = _Selectors(
    (row.name, row)
    for row in (*_OPTIONAL, *_FIELDS, *_META, *_IP, *_PORTS, *_TRANSPORT, *_CT, *_CT_TUPLES, *_CT_COUNTS, *_FIB, *_FIB_WAY, *_TCP_OPTIONS)
)


@lru_cache(4096)
def parts_of(selector: str) -> tuple[Selector, ...]:
    """The rows behind a selector; more than one for a concatenation "ip saddr . tcp dport". Raises KeyError."""
    row = SELECTORS.row(selector)
    return (row,) if row is not None else tuple(SELECTORS[name] for name in selector.split(" . "))
