"""Is the checksum right? As nf_ip_checksum and nf_ip6_checksum ask (net/netfilter/utils.c, Linux 6.18), of whole packets.

The sums run to the end of the IP packet, whatever a length field inside says. CRC32c is SCTP's.
"""

from __future__ import annotations

from typing import Final

from sim.packet import Packet


def transport_ok(packet: Packet) -> bool:
    """TCP, UDP and ICMPv6: with the pseudo header."""
    return _sums_to_nothing(packet, packet.protonum, len(packet.data))


def udplite_ok(packet: Packet, coverage: int) -> bool:
    """UDP-Lite over the first `coverage` bytes. The kernel takes UDP's number, 17, for the pseudo header, not 136."""
    return _sums_to_nothing(packet, 17, packet.l4 + coverage)


def icmp_ok(packet: Packet) -> bool:
    """ICMP: no pseudo header. Nothing but zeros passes: Linux 6.18 says so (its sum is 0 or 0xFFFF alike)."""
    data: bytes = packet.data[packet.l4 :]
    number: int = int.from_bytes(data) << (8 * (len(data) & 1))
    return number % 0xFFFF == 0


def _sums_to_nothing(packet: Packet, protonum: int, end: int) -> bool:
    """Whether the one's complement sum of pseudo header and data is 0xFFFF: a multiple of it (never 0: 17 is in it)."""
    data, at = packet.data, packet.l4
    if packet.version == 4 and at == 20:
        number = int.from_bytes(data[12:end])
    elif packet.version == 4:
        number = int.from_bytes(data[12:20] + data[at:end])
    else:
        number = int.from_bytes(data[8:40] + data[at:end])
    return ((number << (8 * (end - at & 1))) + protonum + len(data) - at) % 0xFFFF == 0


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
