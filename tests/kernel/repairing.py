"""Makes the checksums of captured packets right: IPv4's header, TCP, UDP, UDP-Lite, ICMP, ICMPv6, SCTP, and lengths that snapping cut.

They run to the end of the IP packet, as conntrack reads them, whatever length UDP tells.

A capture taken on the sender has checksums that its network card was to fill in, and one with a snap length has packets cut
short; conntrack then says INVALID of most. Not in here: judging (sim/conntrack/checksums.py).
"""

from __future__ import annotations

from sim import wire
from sim.conntrack.checksums import crc32c
from sim.errors import Malformed
from sim.packet import Packet

_AT = {1: 2, 6: 16, 17: 6, 58: 2, 136: 6}
"""Where a protocol's checksum stands in its header."""


def repaired(data: bytes) -> bytes:
    """The packet as its sender meant it; as it is where it is no IP packet, or a fragment, whose checksum covers what is not here."""
    data = _with_right_length(data)
    try:
        packet = Packet(data)
    except Malformed:
        return data
    if packet.fragment or packet.more or not packet.complete:
        return packet.data
    body = _repaired_body(packet, packet.data[packet.l4 :])
    return packet.data[: packet.l4] + body


def _with_right_length(data: bytes) -> bytes:
    """The IP header with the length of what is there, where it says more, and IPv4's checksum."""
    if len(data) >= 40 and data[0] >> 4 == 6:
        there = len(data) - 40
        return data[:4] + there.to_bytes(2) + data[6:] if int.from_bytes(data[4:6]) > there else data
    size = (data[0] & 15) * 4 if data else 0
    if not data or data[0] >> 4 != 4 or not 20 <= size <= len(data):
        return data
    length = min(int.from_bytes(data[2:4]) or len(data), len(data))
    head = data[:2] + length.to_bytes(2) + data[4:10] + b"\0\0" + data[12:size]
    return head[:10] + wire.checksum(head).to_bytes(2) + head[12:] + data[size:]


def _repaired_body(packet: Packet, body: bytes) -> bytes:
    number = packet.protonum
    if number == 132:
        return body[:8] + crc32c(body[:8] + bytes(4) + body[12:]).to_bytes(4, "little") + body[12:]
    if number not in _AT or (number == 17 and body[6:8] == b"\0\0" and packet.version == 4):
        return body
    if number == 17 and int.from_bytes(body[4:6]) > len(body):
        body = body[:4] + len(body).to_bytes(2) + body[6:]
    covered = body[: int.from_bytes(body[4:6]) or None] if number == 136 else body
    at = _AT[number]
    head = b"" if number == 1 else wire.pseudo_header(packet.src, packet.dst, number, len(body))
    total = wire.checksum(head + covered[:at] + b"\0\0" + covered[at + 2 :])
    return body[:at] + (total or (0 if number in (1, 6, 58) else 0xFFFF)).to_bytes(2) + body[at + 2 :]
