"""What of a packet is not compared, because the kernel draws it by chance.

- IPv4's identification (and with it the header's checksum) of an ICMP message: of errors the firewall makes (ip_select_ident)
- IPv6's flow label of an ICMPv6 message: of errors the firewall makes (flow_hash_from_keys with a random key)
- the identification in an IPv6 fragment header: a reassembled packet is cut again with a new one (ipv6_select_ident)
- the moment that a router writes into an IPv4 time stamp option
Nor is a checksum of which the kernel has no more than the pseudo header's part yet: what a helper's NAT wrote into is summed on its way
out of a device (CHECKSUM_PARTIAL), and what is delivered goes without.
"""

from __future__ import annotations

from sim import wire
from sim.errors import Malformed
from sim.netfilter.fragments import fragment_header
from sim.packet import Packet

ICMP, ICMPV6, UDP = 1, 58, 17
TIMESTAMP = 68


def masked(data: bytes) -> bytes:
    """The packet with zeros where chance stood."""
    if not data:
        return data
    if data[0] >> 4 == 4 and len(data) >= 20:
        if data[0] > 0x45 and TIMESTAMP in data[20 : (data[0] & 15) * 4]:
            return data[:10] + b"\0\0" + data[12:20] + data[(data[0] & 15) * 4 :]
        return data[:4] + b"\0\0" + data[6:10] + b"\0\0" + data[12:] if data[9] == ICMP else data
    if data[0] >> 4 == 6 and len(data) >= 40:
        if data[6] == ICMPV6:
            return data[:1] + bytes((data[1] & 0xF0, 0, 0)) + data[4:]
        at = fragment_header(data)
        if at is not None:
            return data[: at + 4] + bytes(4) + data[at + 8 :]
    return data


PLACES = {6: 16, UDP: 6, ICMP: 6, ICMPV6: 6}
"""Protocol -> where its checksum stands in the header; of ICMP, where NAT's part of a UDP helper takes one to stand in an error."""


def half_summed(data: bytes) -> bool:
    """Whether the checksum of a TCP segment or UDP datagram covers its pseudo header alone (UDP's, of an ICMP error)."""
    place = _place(data)
    if place is None:
        return False
    packet = Packet(data)
    protonum = UDP if packet.protonum in (ICMP, ICMPV6) else packet.protonum
    half = ~wire.checksum(wire.pseudo_header(packet.src, packet.dst, protonum, len(packet.data) - packet.l4)) & 0xFFFF
    return int.from_bytes(data[place : place + 2]) == half


def without_sum(data: bytes) -> bytes:
    """The packet with zeros where that checksum stands."""
    place = _place(data)
    return data if place is None else data[:place] + b"\0\0" + data[place + 2 :]


def _place(data: bytes) -> int | None:
    try:
        packet = Packet(data)
    except Malformed:
        return None
    place = PLACES.get(packet.protonum)
    return None if place is None or packet.fragment or len(data) < packet.l4 + place + 2 else packet.l4 + place
