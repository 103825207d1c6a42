"""Packet: the real bytes of one IP packet, its header fields read once. Tuple: what names one direction of a connection.

`Packet(data)` does what `ip_rcv` and `ipv6_rcv` do first (net/ipv4/ip_input.c, net/ipv6/ip6_input.c, Linux 6.18): bytes that
these would throw away raise Malformed, padding after the total length is cut. What stands behind the IP header is not
judged here: a truncated TCP header gives `complete = False`, and conntrack says INVALID.

Not in here: building and patching bytes (wire.py), label and entry (they live on the Skb).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from struct import Struct
from typing import NamedTuple

from sim.errors import Malformed
from sim.units import Address, show_address


class Protocol(IntEnum):
    """IP protocol numbers (IANA), as /etc/protocols and conntrack name them in lower case."""

    HOPOPT = 0
    ICMP = 1
    IGMP = 2
    IPIP = 4
    TCP = 6
    UDP = 17
    DCCP = 33
    IPV6 = 41
    ROUTING = 43
    FRAGMENT = 44
    GRE = 47
    ESP = 50
    AH = 51
    ICMPV6 = 58
    NONE = 59
    DSTOPTS = 60
    SCTP = 132
    UDPLITE = 136


class Flag(IntFlag):
    """TCP flags, byte 13 of the header (RFC 9293 section 3.1)."""

    FIN = 1
    SYN = 2
    RST = 4
    PSH = 8
    ACK = 16
    URG = 32
    ECE = 64
    CWR = 128


class Tuple(NamedTuple):
    """One direction of a connection (struct nf_conntrack_tuple). A hash key.

    `sport`, `dport` hold what the protocol keys on: ports; for ICMP the id in `sport` and type << 8 | code in `dport`;
    GRE's keys; 0 for protocols without.
    """

    src: Address
    dst: Address
    sport: int
    dport: int
    protonum: int


_IPV4 = Struct("!BBHHHBBH4s4s")
_IPV4_TCP = Struct("!BBHHHBBH4s4sHHIIBBH")
_IPV6 = Struct("!IHBB16s16s")
_TCP = Struct("!HHIIBBHHH")
_PORTS = Struct("!HH")
_WITH_PORTS = frozenset((Protocol.UDP, Protocol.UDPLITE, Protocol.SCTP, Protocol.DCCP))
_HEADER_SIZE: dict[int, int] = {
    Protocol.TCP: 20, Protocol.UDP: 8, Protocol.UDPLITE: 8, Protocol.SCTP: 12, Protocol.DCCP: 12, Protocol.ICMP: 8,
    Protocol.ICMPV6: 8,
}  # fmt: skip
_EXTENSIONS = frozenset((Protocol.HOPOPT, Protocol.ROUTING, Protocol.FRAGMENT, Protocol.AH, Protocol.DSTOPTS))


class Packet:
    """One IP packet. `data` are its bytes from the IP header on; `id` names it in the trace and stays through NAT and forwarding.

    `l4` is the offset of the transport header in `data`, `protonum` its protocol (behind IPv6 extension headers); `sport`,
    `dport` for TCP, UDP, UDP-Lite, SCTP, DCCP, else 0; `flags seq ack window payload` (offset of the TCP payload) for
    TCP; `fragment` the fragment's offset in bytes, `more` whether more follow. `complete` is False when the transport header is cut
    short or absent (later fragments too).
    """

    __slots__ = (
        "ack", "complete", "data", "dport", "dst", "flags", "fragment", "id", "l4", "more", "payload", "protonum", "seq",
        "sport", "src", "tos", "ttl", "version", "window",
    )  # fmt: skip
    ack: int
    complete: bool
    data: bytes
    dport: int
    dst: Address
    flags: int
    fragment: int
    l4: int
    more: bool
    payload: int
    protonum: int
    seq: int
    sport: int
    src: Address
    tos: int
    ttl: int
    version: int
    window: int

    def __init__(self, data: bytes, id: int = 0) -> None:
        self.id = id
        if len(data) >= 40 and data[0] == 0x45 and data[9] == 6 and self._read_plain_tcp(data):
            return
        self.sport = self.dport = self.flags = self.seq = self.ack = self.window = 0
        if not data:
            raise Malformed("empty", "no bytes at all")
        self.version = data[0] >> 4
        if self.version == 4:
            self._read_ipv4(data)
        elif self.version == 6:
            self._read_ipv6(data)
        else:
            raise Malformed("version", f"IP version {self.version}, neither 4 nor 6")
        self._read_transport()

    def _read_plain_tcp(self, data: bytes) -> bool:
        """The quick way for the most frequent of packets: IPv4 without options, not a fragment, with a whole TCP header."""
        (
            _, self.tos, length, _, word, self.ttl, self.protonum, _, self.src, self.dst, self.sport, self.dport, self.seq, self.ack,
            offset, self.flags, self.window,
        ) = _IPV4_TCP.unpack_from(data)  # fmt: skip
        if length != len(data) or word & 0x3FFF or int.from_bytes(data[:20]) % 0xFFFF:
            return False
        self.data = data
        self.version = 4
        self.l4 = 20
        self.fragment = 0
        self.more = False
        self.complete = True
        self.payload = 20 + (offset >> 4) * 4
        return True

    def _read_ipv4(self, data: bytes) -> None:
        if len(data) < 20:
            raise Malformed("short", f"{len(data)} bytes: too short for an IPv4 header")
        first, self.tos, length, _, offset, self.ttl, self.protonum, _, self.src, self.dst = _IPV4.unpack_from(data)
        self.l4 = (first & 15) * 4
        if self.l4 < 20 or len(data) < self.l4:
            raise Malformed("ihl", f"IPv4 header length {self.l4} is impossible")
        if int.from_bytes(data[: self.l4]) % 0xFFFF:
            raise Malformed("checksum", "the IPv4 header's checksum is wrong")
        if len(data) < length or length < self.l4:
            raise Malformed("length", f"IPv4 total length {length}, but {len(data)} bytes came")
        self.data = data if len(data) == length else data[:length]
        self.fragment = (offset & 0x1FFF) * 8
        self.more = bool(offset & 0x2000)

    def _read_ipv6(self, data: bytes) -> None:
        if len(data) < 40:
            raise Malformed("short", f"{len(data)} bytes: too short for an IPv6 header")
        first, length, self.protonum, self.ttl, self.src, self.dst = _IPV6.unpack_from(data)
        self.tos = first >> 20 & 0xFF
        if len(data) < 40 + length:
            raise Malformed("length", f"IPv6 payload length {length}, but only {len(data) - 40} bytes came")
        # 0 and a hop-by-hop header: a jumbogram, as long as it is (ip6_rcv_core)
        whole = len(data) == 40 + length or (length == 0 and self.protonum == 0)
        self.data = data if whole else data[: 40 + length]
        self.l4 = 40
        self.fragment = 0
        self.more = False
        if self.protonum in _EXTENSIONS:
            self._skip_extensions()

    def _skip_extensions(self) -> None:
        """ipv6_skip_exthdr (net/ipv6/exthdrs_core.c): walk to the transport header, noting the fragment's place."""
        data, at, protonum = self.data, 40, self.protonum
        while protonum in _EXTENSIONS and at + 2 <= len(data):
            if protonum == Protocol.FRAGMENT:
                if at + 4 > len(data):
                    break
                word = int.from_bytes(data[at + 2 : at + 4])
                self.fragment, self.more = word & 0xFFF8, bool(word & 1)
                size = 8
            else:
                size = (data[at + 1] + 2) * 4 if protonum == Protocol.AH else (data[at + 1] + 1) * 8
            protonum, at = data[at], at + size
            if self.fragment:
                break
        self.protonum, self.l4 = protonum, at

    def _read_transport(self) -> None:
        data, at, protonum = self.data, self.l4, self.protonum
        self.payload = len(data)
        if self.fragment or len(data) < at + _HEADER_SIZE.get(protonum, 0):
            self.complete = False
            return
        self.complete = True
        if protonum == 6:
            self.sport, self.dport, self.seq, self.ack, offset, self.flags, self.window, _, _ = _TCP.unpack_from(data, at)
            self.payload = at + (offset >> 4) * 4
        elif protonum in _WITH_PORTS:
            self.sport, self.dport = _PORTS.unpack_from(data, at)
            if protonum == 17:
                self.payload = at + 8
        elif protonum == 1 or protonum == 58:
            self.payload = at + 8

    def __repr__(self) -> str:
        return f"<Packet {self.id} {describe(self)}>"


_FLAG_LETTERS = ((2, "S"), (1, "F"), (4, "R"), (8, "P"), (32, "U"), (64, "E"), (128, "W"), (16, "."))


def flag_letters(flags: int) -> str:
    """Flags as tcpdump writes them: "S", "S.", "P.", "none"."""
    return "".join(letter for bit, letter in _FLAG_LETTERS if flags & bit) or "none"


def protocol_name(protonum: int) -> str:
    """The protocol's lower-case name, or its number: "tcp", "icmpv6", "132" is "sctp"."""
    try:
        return Protocol(protonum).name.lower()
    except ValueError:
        return str(protonum)


def describe(packet: Packet) -> str:
    """One line for a person: "TCP 192.168.1.10:51514 > 192.168.1.20:22 S."."""
    src, dst = show_address(packet.src), show_address(packet.dst)
    name = protocol_name(packet.protonum).upper()
    if packet.protonum == 6 and packet.complete:
        return f"{name} {src}:{packet.sport} > {dst}:{packet.dport} {flag_letters(packet.flags)}"
    if packet.sport or packet.dport:
        return f"{name} {src}:{packet.sport} > {dst}:{packet.dport}"
    return f"{name} {src} > {dst}"
