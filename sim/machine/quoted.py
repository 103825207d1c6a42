"""The packet that an ICMP error quotes: as much of it as came along."""

from __future__ import annotations

from typing import NamedTuple

from sim.packet import Packet
from sim.units import Address


class Quoted(NamedTuple):
    """What a socket is found by. `seq` is TCP's number, or an echo's sequence; `sport` an echo's id."""

    version: int
    src: Address
    dst: Address
    protonum: int
    sport: int
    dport: int
    seq: int


def quoted(packet: Packet) -> Quoted | None:
    """The packet inside an ICMP or ICMPv6 error; None when less than its ports came along."""
    data = packet.data[packet.l4 + 8 :]
    if len(data) < 20:
        return None
    if data[0] >> 4 == 4 == packet.version:
        size = (data[0] & 15) * 4
        if int.from_bytes(data[6:8]) & 0x1FFF or size < 20:
            return None
        src, dst, protonum = data[12:16], data[16:20], data[9]
    elif data[0] >> 4 == 6 == packet.version and len(data) >= 40:
        size, src, dst, protonum = 40, data[8:24], data[24:40], data[6]
    else:
        return None
    head = data[size : size + 8]
    if len(head) < 8:
        return None
    if protonum in (1, 58):
        return Quoted(packet.version, src, dst, protonum, int.from_bytes(head[4:6]), 0, int.from_bytes(head[6:8]))
    ports = int.from_bytes(head[:2]), int.from_bytes(head[2:4])
    return Quoted(packet.version, src, dst, protonum, *ports, int.from_bytes(head[4:8]))
