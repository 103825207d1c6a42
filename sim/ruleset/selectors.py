"""What a rule can look at: a table of selectors, by nft's words. A row is all that a new one takes.

A row says: the data type (datatypes.py), the size in bits, what must be there first (`needs`), and how the value is read: a Python
expression over `skb` (Skb) and `p` (its Packet). Numbers are ints, addresses bytes, device names str.

A field of a header that is cut short is there while its own bytes are (nft_payload); options want the whole header.
"""

from __future__ import annotations

from typing import NamedTuple


class Selector(NamedTuple):
    """One row: see the module's docstring. `needs` are keys of NEEDS."""

    name: str
    type: str
    bits: int
    needs: tuple[str, ...]
    source: str


NEEDS = {
    "ip": "p.version == 4",
    "ip6": "p.version == 6",
    "header": "p.complete",
    **{f"{size} bytes": f"(p.complete or len(p.data) >= p.l4 + {size} and not p.fragment)" for size in range(1, 21)},
    **{f"any {size} bytes": f"len(p.data) >= p.l4 + {size} and not p.fragment" for size in (2, 4)},
    "first": "not p.fragment",
    "icmp": "p.protonum == 1",
    "tcp": "p.protonum == 6",
    "udp": "p.protonum == 17",
    "dccp": "p.protonum == 33",
    "esp": "p.protonum == 50",
    "ah": "p.protonum == 51",
    "icmpv6": "p.protonum == 58",
    "sctp": "p.protonum == 132",
    "udplite": "p.protonum == 136",
    "conn": "skb.conn is not None",
    "settable": "maxseg_place(p) >= 0",
    "maxseg": "tcp_option(p, 2, 2) is not None",
    "window": "tcp_option(p, 3, 1) is not None",
    "master": "skb.conn is not None and skb.conn.master is not None and skb.conn.master.helper is not None",
}

HEADERS_RUN_OUT = "p.protonum in (0, 43, 44, 51, 60) and not p.fragment"
"""Where ip6tables' -p finds no protocol because the packet ends among IPv6's headers, it drops the packet (ip6_packet_match)."""


def _l4(offset: int, size: int) -> str:
    """The source that reads `size` bytes at `offset` of the transport header as a number."""
    if size == 1:
        return f"p.data[p.l4 + {offset}]" if offset else "p.data[p.l4]"
    return f"int.from_bytes(p.data[p.l4 + {offset}:p.l4 + {offset + size}])"


def _l3(offset: int, size: int) -> str:
    """The same for the network header."""
    return f"p.data[{offset}]" if size == 1 else f"int.from_bytes(p.data[{offset}:{offset + size}])"


_META = (
    Selector("meta l4proto", "inet_proto", 8, (), "p.protonum"),
    Selector("meta nfproto", "nf_proto", 8, (), "(2 if p.version == 4 else 10)"),
    Selector("meta protocol", "ether_type", 16, (), "(0x0800 if p.version == 4 else 0x86DD)"),
    Selector("meta length", "integer", 32, (), "len(p.data)"),
    Selector("meta mark", "mark", 32, (), "skb.mark"),
    Selector("xt priority", "classid", 32, (), "skb.priority"),
    Selector("meta iifname", "ifname", 128, (), "skb.indev"),
    Selector("meta oifname", "ifname", 128, (), "skb.outdev"),
    Selector("meta iif", "iface_index", 32, (), "skb.indev"),
    Selector("meta oif", "iface_index", 32, (), "skb.outdev"),
    Selector("meta pkttype", "pkt_type", 8, (), "packet_type(skb)"),
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
    Selector("th sport", "inet_service", 16, ("any 2 bytes",), _l4(0, 2)),
    Selector("th dport", "inet_service", 16, ("any 4 bytes",), _l4(2, 2)),
    Selector("tcp flags", "tcp_flag", 8, ("tcp", "14 bytes"), f"(p.flags if p.complete else {_l4(13, 1)})"),
    Selector("xt tcp-option", "integer", 256, ("tcp", "header"), "tcp_options(p)"),
    Selector("tcp sequence", "integer", 32, ("tcp", "8 bytes"), f"(p.seq if p.complete else {_l4(4, 4)})"),
    Selector("tcp ackseq", "integer", 32, ("tcp", "12 bytes"), f"(p.ack if p.complete else {_l4(8, 4)})"),
    Selector("tcp doff", "integer", 4, ("tcp", "13 bytes"), "p.data[p.l4 + 12] >> 4"),
    Selector("tcp reserved", "integer", 4, ("tcp", "13 bytes"), "p.data[p.l4 + 12] & 15"),
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
    _ct("zone", "integer", 16, "skb.conn.zone"),
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
    Selector("fib saddr type", "fib_addrtype", 32, (), "address_type(p.src, '')"),
    Selector("fib daddr type", "fib_addrtype", 32, (), "address_type(p.dst, '')"),
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
        Selector(f"fib {name} type", "fib_addrtype", 32, (), f"address_type(p.{field}, {dev})")
        for name, field, dev in _FIB_FLAGS if "mark" in name
    ),
    *(Selector(f"fib {name} oif", "fib_there", 32, (), f"int(bool(fib_device(p, p.{field}, {dev})))") for name, field, dev in _FIB_FLAGS),
    *(Selector(f"fib {name} oifname", "ifname", 128, (), f"fib_device(p, p.{field}, {dev})") for name, field, dev in _FIB_FLAGS),
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

SELECTORS: dict[str, Selector] = {
    row.name: row for row in (*_META, *_IP, *_PORTS, *_TRANSPORT, *_CT, *_CT_TUPLES, *_CT_COUNTS, *_FIB, *_FIB_WAY, *_TCP_OPTIONS)
}


def parts_of(selector: str) -> tuple[Selector, ...]:
    """The rows behind a selector; more than one for a concatenation "ip saddr . tcp dport". Raises KeyError."""
    if selector in SELECTORS:
        return (SELECTORS[selector],)
    return tuple(SELECTORS[name] for name in selector.split(" . "))
