"""Which connection do these bytes name? Tuples of packets, of packets quoted inside ICMP errors, and their inversion.

Mirrors nf_ct_get_tuple, get_l4proto and nf_ct_invert_tuple (net/netfilter/nf_conntrack_core.c) with the parts of the
protocols (nf_conntrack_proto_icmp.c, _icmpv6.c, _gre.c), Linux 6.18. Addresses tell IPv4 from IPv6 by their length.

The table's own form of a tuple is packed: source, destination, the two numbers and the protocol in 13 bytes (IPv6: 37), in the order in
which they stand in a packet. Two slices of a packet make one, it is hashed in no time, and an entry keeps it in 48 bytes (80).
"""

from __future__ import annotations

from typing import Final

from sim.packet import Packet, Tuple, u16

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
GRE: Final = 47
ICMPV6: Final = 58
SCTP: Final = 132
UDPLITE: Final = 136
ICMPS: Final = frozenset((ICMP, ICMPV6))
PORTED: Final = frozenset((TCP, UDP, SCTP, UDPLITE))
NO_TRANSPORT: Final = frozenset((0, 43, 44, 51, 59, 60))
"""IPv6 headers that are no transport: a walk over the extension headers that ends in one of them found nothing."""

ICMP_INVERSE: Final = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17}
ICMPV6_INVERSE: Final = {128: 129, 129: 128, 139: 140, 140: 139}

Key = tuple[bytes, bytes, int, int, int]
Packed = bytes
_PPP: Final = 0x880B
_BYTE: Final = tuple(bytes((number,)) for number in range(256))


def packed_of(packet: Packet) -> Packed | None:
    """The packet's tuple as the table has it, or None when it has none."""
    protonum = packet.protonum
    if packet.complete and (protonum in (TCP, UDP) or protonum in PORTED):
        at = packet.l4
        if at == 20:
            return packet.data[12:24] + _BYTE[protonum]
        if at == 40 and packet.version == 6:
            return packet.data[8:44] + _BYTE[protonum]
        return packet.src + packet.dst + packet.data[at : at + 4] + _BYTE[protonum]
    key = key_of(packet)
    return None if key is None else pack(key)


def pack(key: Key) -> Packed:
    """A tuple as the table has it. Raises OverflowError for numbers that fit no packet."""
    src, dst, sport, dport, protonum = key
    return src + dst + (sport << 16 | dport).to_bytes(4) + _BYTE[protonum]


def unpack(packed: Packed) -> Tuple:
    """The other way round."""
    end = len(packed) - 5
    half = end // 2
    return Tuple(packed[:half], packed[half:end], u16(packed, end), u16(packed, end + 2), packed[end + 4])


def packed_inverse(packed: Packed) -> Packed | None:
    """The tuple of the answer, or None for an ICMP type that has no answer (nf_ct_invert_tuple)."""
    end = len(packed) - 5
    half = end // 2
    protonum = packed[end + 4]
    if protonum in (ICMP, ICMPV6):
        inverse = invert(unpack(packed))
        return None if inverse is None else pack(inverse)
    return packed[half:end] + packed[:half] + packed[end + 2 : end + 4] + packed[end : end + 2] + packed[end + 4 :]


def mark_of_second(one: Packed, other: Packed) -> int:
    """Where (<< 8) which byte stands in the other tuple and not in the one. Of equal tuples every packet is the other's."""
    differing = (int.from_bytes(one) ^ int.from_bytes(other)).bit_length()
    at = len(other) - 1 - (max(differing, 1) - 1) // 8
    return at << 8 | other[at]


def key_of(packet: Packet) -> Key | None:
    """The packet's tuple as a plain tuple (equal to a `Tuple` and quicker to make), or None when it has none."""
    if not packet.complete:
        return _key_of_stump(packet)
    protonum = packet.protonum
    if protonum in PORTED:
        return (packet.src, packet.dst, packet.sport, packet.dport, protonum)
    if packet.version == 6 and protonum in NO_TRANSPORT:
        return None
    ports = l4_key(packet.data, packet.l4, protonum)
    return None if ports is None else (packet.src, packet.dst, ports[0], ports[1], protonum)


def _key_of_stump(packet: Packet) -> Key | None:
    """Of a packet whose transport header is cut short: ports need only four bytes. A later fragment has no tuple."""
    if packet.fragment or (packet.version == 6 and packet.protonum in NO_TRANSPORT):
        return None
    ports = l4_key(packet.data, packet.l4, packet.protonum)
    return None if ports is None else (packet.src, packet.dst, ports[0], ports[1], packet.protonum)


def l4_key(data: bytes, at: int, protonum: int) -> tuple[int, int] | None:
    """The two protocol numbers of a tuple (see `Tuple`) from the transport header at `at`, or None when it is too short."""
    if protonum in PORTED:
        if len(data) < at + 4:
            return None
        return int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : at + 4])
    if protonum in ICMPS:
        if len(data) < at + 8:
            return None
        return int.from_bytes(data[at + 4 : at + 6]), data[at] << 8 | data[at + 1]
    if protonum == GRE:
        return _gre_key(data, at)
    return 0, 0


def _gre_key(data: bytes, at: int) -> tuple[int, int] | None:
    """Only PPTP's version 1 has keys: the call id. The source's is known to the PPTP helper alone (gre_keymap_lookup): 0."""
    if len(data) < at + 4 or data[at + 1] & 7 != 1:
        return 0, 0
    if len(data) < at + 8:
        return 0, 0
    if int.from_bytes(data[at + 2 : at + 4]) != _PPP:
        return None
    return 0, int.from_bytes(data[at + 6 : at + 8])


def invert(key: Key) -> Tuple | None:
    """The tuple of the answer, or None for an ICMP type that has no answer (nf_ct_invert_tuple)."""
    src, dst, sport, dport, protonum = key
    if protonum not in ICMPS:
        return Tuple(dst, src, dport, sport, protonum)
    answer = (ICMP_INVERSE if protonum == ICMP else ICMPV6_INVERSE).get(dport >> 8)
    return None if answer is None else Tuple(dst, src, sport, answer << 8 | dport & 255, protonum)


def tuple_of(packet: Packet) -> Tuple | None:
    """The packet's tuple, or None when conntrack finds none in it."""
    key = key_of(packet)
    return None if key is None else Tuple(*key)


def quoted_key(data: bytes, at: int, version: int) -> Key | None:
    """The tuple of the packet quoted inside an ICMP error from `at` on; the outer `version` decides how it is read."""
    if version == 4:
        return _quoted_ipv4(data, at)
    return _quoted_ipv6(data, at)


def _quoted_ipv4(data: bytes, at: int) -> Key | None:
    if len(data) < at + 20 or int.from_bytes(data[at + 6 : at + 8]) & 0x1FFF:
        return None
    l4 = at + (data[at] & 15) * 4
    if l4 > len(data):
        return None
    ports = l4_key(data, l4, data[at + 9])
    return None if ports is None else (data[at + 12 : at + 16], data[at + 16 : at + 20], ports[0], ports[1], data[at + 9])


def _quoted_ipv6(data: bytes, at: int) -> Key | None:
    if len(data) < at + 40:
        return None
    found = skip_extensions(data, at + 40, data[at + 6])
    if found is None:
        return None
    protonum, l4 = found
    ports = l4_key(data, l4, protonum)
    return None if ports is None else (data[at + 8 : at + 24], data[at + 24 : at + 40], ports[0], ports[1], protonum)


def skip_extensions(data: bytes, at: int, protonum: int) -> tuple[int, int] | None:
    """(protocol, offset) behind IPv6 extension headers; None when they run out or a later fragment's header is among them.

    ipv6_skip_exthdr, net/ipv6/exthdrs_core.c.
    """
    while protonum in NO_TRANSPORT:
        if protonum == 59 or len(data) < at + 2:
            return None
        size = (data[at + 1] + 1) * 8
        if protonum == 51:
            size = (data[at + 1] + 2) * 4
        elif protonum == 44:
            if len(data) < at + 4 or int.from_bytes(data[at + 2 : at + 4]) & 0xFFF8:
                return None
            size = 8
        protonum, at = data[at], at + size
    return protonum, at
