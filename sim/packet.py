"""Packet: the real bytes of one IP packet, its header fields read once. Tuple: what names one direction of a connection.

`Packet(data)` does what `ip_rcv` and `ipv6_rcv` do first (net/ipv4/ip_input.c, net/ipv6/ip6_input.c, Linux 6.18): bytes that
these would throw away raise Malformed, padding after the total length is cut. What stands behind the IP header is not
judged here: a truncated TCP header gives `complete = False`, and conntrack says INVALID.

Fields are read byte by byte, which compiled costs next to nothing; interpreted, the most frequent packet has a quicker way by struct.
Not in here: building and patching bytes (wire.py), label and entry (they live on the Skb).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from mypy_extensions import mypyc_attr

from sim.errors import Malformed
from sim.units import Address, show_address

if TYPE_CHECKING:
    from mypy_extensions import i64

COMPILED: Final = not __file__.endswith(".py")
"""Whether this runs as compiled code (build_modules.py): then bytes are best read one by one, else by struct."""


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
    """One direction of a connection (struct nf_conntrack_tuple).

    `sport`, `dport` hold what the protocol keys on: ports; for ICMP the id in `sport` and type << 8 | code in `dport`;
    GRE's keys; 0 for protocols without.
    """

    src: Address
    dst: Address
    sport: int
    dport: int
    protonum: int


_IPV4_TCP: Final = Struct("!BBHHHBBH4s4sHHIIBBH")
_TCP: Final = 6
_UDP: Final = 17
_FRAGMENT: Final = 44
_AH: Final = 51
_WITH_PORTS: Final = frozenset((Protocol.UDPLITE, Protocol.SCTP, Protocol.DCCP))
_HEADER_SIZE: Final[dict[int, int]] = {
    Protocol.TCP: 20, Protocol.UDP: 8, Protocol.UDPLITE: 8, Protocol.SCTP: 12, Protocol.DCCP: 12, Protocol.ICMP: 8,
    Protocol.ICMPV6: 8,
}  # fmt: skip
_EXTENSIONS: Final = frozenset((Protocol.HOPOPT, Protocol.ROUTING, Protocol.FRAGMENT, Protocol.AH, Protocol.DSTOPTS))


@mypyc_attr(acyclic=True)
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
    ack: i64
    complete: bool
    data: bytes
    dport: i64
    dst: Address
    flags: i64
    fragment: i64
    id: int
    l4: i64
    more: bool
    payload: i64
    protonum: i64
    seq: i64
    sport: i64
    src: Address
    tos: i64
    ttl: i64
    version: i64
    window: i64

    def __init__(self, data: bytes, id: int = 0) -> None:
        self.id = id
        if not COMPILED and len(data) >= 40 and data[0] == 0x45 and data[9] == _TCP and self._read_plain_tcp(data):
            return
        self._read(data)

    def rewrite(self, data: bytes) -> None:
        """Become a packet of other bytes under the same id (compiled, `__init__` cannot be called again). Raises Malformed."""
        self._read(data)

    def _read(self, data: bytes) -> None:
        """Any packet."""
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
        self._read_transport(self.data, self.l4)

    def _read_plain_tcp(self, data: bytes) -> bool:
        """Interpreted, a quicker way for the most frequent of packets: IPv4 without options, not a fragment, with a whole TCP header."""
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
        size: i64 = len(data)
        if size < 20:
            raise Malformed("short", f"{size} bytes: too short for an IPv4 header")
        header: i64 = (data[0] & 15) * 4
        if header < 20 or size < header:
            raise Malformed("ihl", f"IPv4 header length {header} is impossible")
        if _header_sum(data, header) % 0xFFFF:
            raise Malformed("checksum", "the IPv4 header's checksum is wrong")
        length = u16(data, 2)
        if size < length or length < header:
            raise Malformed("length", f"IPv4 total length {length}, but {size} bytes came")
        self.data = data if size == length else data[:length]
        offset = u16(data, 6)
        self.l4 = header
        self.tos = data[1]
        self.ttl = data[8]
        self.protonum = data[9]
        self.src = data[12:16]
        self.dst = data[16:20]
        self.fragment = (offset & 0x1FFF) * 8
        self.more = offset & 0x2000 != 0

    def _read_ipv6(self, data: bytes) -> None:
        size: i64 = len(data)
        if size < 40:
            raise Malformed("short", f"{size} bytes: too short for an IPv6 header")
        length = u16(data, 4)
        self.protonum = data[6]
        self.ttl = data[7]
        self.src = data[8:24]
        self.dst = data[24:40]
        self.tos = (data[0] & 15) << 4 | data[1] >> 4
        if size < 40 + length:
            raise Malformed("length", f"IPv6 payload length {length}, but only {size - 40} bytes came")
        # 0 and a hop-by-hop header: a jumbogram, as long as it is (ip6_rcv_core)
        whole = size == 40 + length or (length == 0 and self.protonum == 0)
        self.data = data if whole else data[: 40 + length]
        self.l4 = 40
        self.fragment = 0
        self.more = False
        if self.protonum != _TCP and self.protonum != _UDP and self.protonum in _EXTENSIONS:
            self._skip_extensions()

    def _skip_extensions(self) -> None:
        """ipv6_skip_exthdr (net/ipv6/exthdrs_core.c): walk to the transport header, noting the fragment's place."""
        data, at, protonum = self.data, 40, int(self.protonum)
        while protonum in _EXTENSIONS and at + 2 <= len(data):
            if protonum == _FRAGMENT:
                if at + 4 > len(data):
                    break
                word = u16(data, at + 2)
                self.fragment, self.more = word & 0xFFF8, word & 1 != 0
                size = 8
            else:
                size = (data[at + 1] + 2) * 4 if protonum == _AH else (data[at + 1] + 1) * 8
            protonum, at = data[at], at + size
            if self.fragment:
                break
        self.protonum, self.l4 = protonum, at

    def _read_transport(self, data: bytes, at: i64) -> None:
        protonum, size = self.protonum, len(data)
        self.payload = size
        self.complete = True
        if self.fragment:
            self.complete = False
        elif protonum == _TCP and size >= at + 20:
            self.sport = u16(data, at)
            self.dport = u16(data, at + 2)
            self.seq = u16(data, at + 4) << 16 | u16(data, at + 6)
            self.ack = u16(data, at + 8) << 16 | u16(data, at + 10)
            self.flags = data[at + 13]
            self.window = u16(data, at + 14)
            self.payload = at + (data[at + 12] >> 4) * 4
        elif protonum == _UDP and size >= at + 8:
            self.sport = u16(data, at)
            self.dport = u16(data, at + 2)
            self.payload = at + 8
        elif size < at + _HEADER_SIZE.get(protonum, 0):
            self.complete = False
        elif protonum in _WITH_PORTS:
            self.sport = u16(data, at)
            self.dport = u16(data, at + 2)
        elif protonum == 1 or protonum == 58:
            self.payload = at + 8

    @property
    def th(self) -> int:
        """Where nft takes a transport header to be, in a later fragment too: of IPv6 at the packet's start (ipv6_find_hdr sets nothing)."""
        return 0 if self.fragment and self.version == 6 else self.l4

    def __repr__(self) -> str:
        return f"<Packet {self.id} {describe(self)}>"


def u16(data: bytes, at: i64) -> i64:
    """The 16-bit number at `at`, in network order. Raises IndexError behind the end."""
    high: i64 = data[at]
    low: i64 = data[at + 1]
    return high << 8 | low


def _header_sum(data: bytes, size: i64) -> i64:
    """The sum of an IPv4 header's words; a multiple of 0xFFFF when its checksum is right. `size` is a multiple of 4, at most 60."""
    if not COMPILED:
        return int.from_bytes(data[:size])
    total: i64 = 0
    at: i64 = 0
    while at < size:
        total += u16(data, at)
        at += 2
    return total


_FLAG_LETTERS = ((2, "S"), (1, "F"), (4, "R"), (8, "P"), (32, "U"), (64, "E"), (128, "W"), (16, "."))


_LETTERS = ["".join(letter for bit, letter in _FLAG_LETTERS if flags & bit) or "none" for flags in range(256)]


def flag_letters(flags: int) -> str:
    """Flags as tcpdump writes them: "S", "S.", "P.", "none"."""
    return _LETTERS[flags & 255]


_NAMES = {int(protocol): protocol.name.lower() for protocol in Protocol}


def protocol_name(protonum: int) -> str:
    """The protocol's lower-case name, or its number: "tcp", "icmpv6", "132" is "sctp"."""
    return _NAMES.get(protonum) or str(protonum)


def describe(packet: Packet) -> str:
    """One line for a person: "TCP 192.168.1.10:51514 > 192.168.1.20:22 S."."""
    src, dst = show_address(packet.src), show_address(packet.dst)
    name = protocol_name(packet.protonum).upper()
    if packet.protonum == 6 and packet.complete:
        return f"{name} {src}:{packet.sport} > {dst}:{packet.dport} {flag_letters(packet.flags)}"
    if packet.sport or packet.dport:
        return f"{name} {src}:{packet.sport} > {dst}:{packet.dport}"
    return f"{name} {src} > {dst}"
