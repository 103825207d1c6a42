"""Some bytes of a payload become others: nf_nat_mangle_tcp_packet and nf_nat_mangle_udp_packet (net/netfilter/nf_nat_helper.c, Linux 6.18).

Lengths in the IP and UDP headers follow; a TCP stream that becomes longer or shorter is remembered (conntrack/seqadj.py). The transport
checksum is made right when the helper is done (Tracker.help).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim import wire
from sim.conntrack.seqadj import shift
from sim.conntrack.tuples import TCP, UDP
from sim.packet import Packet

if TYPE_CHECKING:
    from sim.conntrack.helpers import Help

LARGEST: Final = 65535


def mangle(help: Help, at: int, length: int, new: bytes, adjust: bool = True) -> bool:
    """Put `new` in the place of `length` bytes at `at` of the payload. False where the packet would be too large for IP.

    `adjust`: shift the sequence numbers from here on (SIP does so itself, once for all its changes to a segment).
    """
    packet, protonum = help.packet, help.conn.original.protonum
    more = len(new) - length
    if more > 0 and len(packet.data) + more > LARGEST:
        return False
    start = payload_at(packet, protonum) + at
    old = packet.data[start : start + length]
    help.packet = _with_lengths(packet.data[:start] + new + packet.data[start + length :], packet, protonum)
    help.written.append((old, new))
    if adjust and protonum == TCP:
        shift(help.conn, help.direction, packet.seq, more)
    return True


def payload_at(packet: Packet, protonum: int) -> int:
    """Where the payload begins, read as that of the connection's protocol."""
    return packet.l4 + (packet.data[packet.l4 + 12] >> 4) * 4 if protonum == TCP else packet.l4 + 8


def _with_lengths(data: bytes, old: Packet, protonum: int) -> Packet:
    out = bytearray(data)
    if old.version == 4:
        out[2:4] = len(out).to_bytes(2)
        out[10:12] = bytes(2)
        out[10:12] = wire.checksum(bytes(out[: (out[0] & 15) * 4])).to_bytes(2)
    else:
        out[4:6] = (len(out) - 40).to_bytes(2)
    if protonum == UDP:
        out[old.l4 + 4 : old.l4 + 6] = int(len(out) - old.l4).to_bytes(2)
    return Packet(bytes(out), old.id)

