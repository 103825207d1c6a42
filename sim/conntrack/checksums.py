"""Is the checksum right? As nf_ip_checksum and nf_ip6_checksum ask (net/netfilter/utils.c, Linux 6.18), of whole packets.

The sums run to the end of the IP packet, whatever a length field inside says. CRC32c is SCTP's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim import wire
from sim.packet import COMPILED, Packet, u16

if TYPE_CHECKING:
    from librt.strings import read_i64_be
    from mypy_extensions import i64


def transport_ok(packet: Packet) -> bool:
    """TCP, UDP and ICMPv6: with the pseudo header."""
    return _sums_to_nothing(packet, packet.protonum, len(packet.data))


def udplite_ok(packet: Packet, coverage: i64) -> bool:
    """UDP-Lite over the first `coverage` bytes. The kernel takes UDP's number, 17, for the pseudo header, not 136."""
    return _sums_to_nothing(packet, 17, packet.l4 + coverage)


def icmp_ok(packet: Packet) -> bool:
    """ICMP: no pseudo header. Nothing but zeros passes: Linux 6.18 says so (its sum is 0 or 0xFFFF alike)."""
    return ones_sum(packet.data, packet.l4, len(packet.data)) == 0


def _sums_to_nothing(packet: Packet, protonum: i64, end: i64) -> bool:
    """Whether the one's complement sum of pseudo header and data is 0xFFFF: a multiple of it (never 0: 17 is in it)."""
    data, at = packet.data, packet.l4
    size: i64 = len(data)
    rest = protonum + size - at
    if packet.version == 4:
        if at == 20:
            return (ones_sum(data, 12, end) + rest) % 0xFFFF == 0
        return (ones_sum(data, 12, 20) + ones_sum(data, at, end) + rest) % 0xFFFF == 0
    if at == 40:
        return (ones_sum(data, 8, end) + rest) % 0xFFFF == 0
    return (ones_sum(data, 8, 40) + ones_sum(data, at, end) + rest) % 0xFFFF == 0


def ones_sum(data: bytes, at: i64, end: i64) -> i64:
    """The sum of the 16-bit numbers from `at` to `end` modulo 0xFFFF; an odd last byte is the high half of one."""
    if not COMPILED:
        number = int.from_bytes(data[at:end])
        return (number << 8 if end - at & 1 else number) % 0xFFFF
    total: i64 = 0
    stop = end - 7
    while at < stop:
        eight = read_i64_be(data, at)
        total += (eight & 0xFFFFFFFF) + (eight >> 32 & 0xFFFFFFFF)
        at += 8
    while at + 1 < end:
        total += u16(data, at)
        at += 2
    if at < end:
        last: i64 = data[at]
        total += last << 8
    return total % 0xFFFF


def summed_anew(packet: Packet, protonum: int) -> Packet:
    """The packet, read as TCP or UDP (`protonum`), with its checksum computed from the start, as skb_checksum_help leaves it: never 0.

    A UDP sum of 0, none at all, stays.
    """
    data, at, place = packet.data, packet.l4, packet.l4 + (16 if protonum == 6 else 6)
    if protonum != 6 and data[place : place + 2] == b"\0\0":
        return packet
    bare = data[at:place] + b"\0\0" + data[place + 2 :]
    total = wire.checksum(wire.pseudo_header(packet.src, packet.dst, protonum, len(bare)) + bare) or 0xFFFF
    return Packet(data[:place] + total.to_bytes(2) + data[place + 2 :], packet.id)


def _table() -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


_CRC32C: Final = _table()


def crc32c(data: bytes) -> int:
    """CRC-32C (RFC 9260 appendix A), as a number whose little-endian bytes stand in the SCTP header."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC32C[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def sctp_ok(packet: Packet) -> bool:
    """SCTP's checksum, the field itself taken as zero."""
    data, at = packet.data, packet.l4
    return crc32c(data[at : at + 8] + b"\0\0\0\0" + data[at + 12 :]) == int.from_bytes(data[at + 8 : at + 12], "little")
