"""Build, patch and checksum real bytes, with struct alone. For hosts, REJECT and NAT; judging bytes is packet.py's and conntrack's.

Addresses are bytes (4 or 16 long), checksums are filled in. Sources: RFC 791, 8200, 9293, 768, 792, 4443, 1071.
"""

from __future__ import annotations

from struct import Struct

from sim.units import Address

_IPV4 = Struct("!BBHHHBBH4s4s")
_IPV6 = Struct("!IHBB16s16s")
_TCP = Struct("!HHIIBBHHH")
_UDP = Struct("!HHHH")
_ICMP = Struct("!BBHI")


def ones_sum(data: bytes) -> int:
    """The one's complement sum of 16-bit words (RFC 1071), 0 to 0xFFFF; odd data is padded with a zero byte.

    A number in base 65536 is congruent to the sum of its digits modulo 65535: one division does it all.
    """
    number = int.from_bytes(data) << (8 * (len(data) & 1))
    return number % 0xFFFF or (0xFFFF if number else 0)


def checksum(data: bytes) -> int:
    """The Internet checksum of `data`."""
    return ones_sum(data) ^ 0xFFFF


def pseudo_header(src: Address, dst: Address, protonum: int, length: int) -> bytes:
    """The pseudo header over which TCP, UDP and ICMPv6 are summed (RFC 9293 section 3.1, RFC 8200 section 8.1)."""
    return src + dst + (protonum.to_bytes(2) + length.to_bytes(2) if len(src) == 4 else length.to_bytes(4) + protonum.to_bytes(4))


def transport_checksum_ok(src: Address, dst: Address, protonum: int, segment: bytes) -> bool:
    """Whether the checksum inside a TCP, UDP (not 0) or ICMPv6 `segment` is right."""
    return ones_sum(pseudo_header(src, dst, protonum, len(segment)) + segment) == 0xFFFF


def ipv4(
    src: Address, dst: Address, protonum: int, payload: bytes, *, ttl: int = 64, ident: int = 0, tos: int = 0, dont_fragment: bool = True,
) -> bytes:  # fmt: skip
    """An IPv4 packet of `payload` (a transport header and what follows)."""
    head = _IPV4.pack(0x45, tos, 20 + len(payload), ident, 0x4000 if dont_fragment else 0, ttl, protonum, 0, src, dst)
    return head[:10] + checksum(head).to_bytes(2) + head[12:] + payload


def ipv6(src: Address, dst: Address, protonum: int, payload: bytes, *, ttl: int = 64, tos: int = 0) -> bytes:
    """An IPv6 packet of `payload`; `ttl` is the hop limit, `tos` the traffic class."""
    return _IPV6.pack(6 << 28 | tos << 20, len(payload), protonum, ttl, src, dst) + payload


def ip(src: Address, dst: Address, protonum: int, payload: bytes, *, ttl: int = 64, tos: int = 0, ident: int = 0) -> bytes:
    """An IPv4 or IPv6 packet, by the length of the addresses."""
    if len(src) == 4:
        return ipv4(src, dst, protonum, payload, ttl=ttl, tos=tos, ident=ident)
    return ipv6(src, dst, protonum, payload, ttl=ttl, tos=tos)


def tcp(
    src: Address, dst: Address, sport: int, dport: int, *, seq: int = 0, ack: int = 0, flags: int = 0, window: int = 64240,
    options: bytes = b"", payload: bytes = b"",
) -> bytes:  # fmt: skip
    """A TCP segment. `options` are padded to 4 bytes with end-of-options."""
    options += b"\0" * (-len(options) % 4)
    head = _TCP.pack(sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (20 + len(options)) << 2, flags, window, 0, 0)
    segment = head + options + payload
    total = checksum(pseudo_header(src, dst, 6, len(segment)) + segment)
    return segment[:16] + total.to_bytes(2) + segment[18:]


def udp(src: Address, dst: Address, sport: int, dport: int, payload: bytes = b"") -> bytes:
    """A UDP datagram; a sum of 0 is sent as 0xFFFF (RFC 768)."""
    segment = _UDP.pack(sport, dport, 8 + len(payload), 0) + payload
    total = checksum(pseudo_header(src, dst, 17, len(segment)) + segment) or 0xFFFF
    return segment[:6] + total.to_bytes(2) + payload


def icmp(type: int, code: int, rest: int = 0, payload: bytes = b"") -> bytes:
    """An ICMP message (RFC 792); `rest` is the 32-bit word behind the checksum (id << 16 | sequence, MTU, ...)."""
    message = _ICMP.pack(type, code, 0, rest) + payload
    return message[:2] + checksum(message).to_bytes(2) + message[4:]


def icmpv6(src: Address, dst: Address, type: int, code: int, rest: int = 0, payload: bytes = b"") -> bytes:
    """An ICMPv6 message (RFC 4443), summed with the pseudo header."""
    message = _ICMP.pack(type, code, 0, rest) + payload
    total = checksum(pseudo_header(src, dst, 58, len(message)) + message)
    return message[:2] + total.to_bytes(2) + message[4:]


def with_ttl(data: bytes, ttl: int) -> bytes:
    """The same packet with this TTL (or hop limit), IPv4's checksum mended."""
    if data[0] >> 4 == 6:
        return data[:7] + bytes((ttl,)) + data[8:]
    size = (data[0] & 15) * 4
    head = data[:8] + bytes((ttl,)) + data[9:10] + b"\0\0" + data[12:size]
    return head[:10] + checksum(head).to_bytes(2) + head[12:] + data[size:]


def mended(check: int, old: bytes, new: bytes) -> int:
    """The checksum `check` after `old` bytes under it became `new` (RFC 1624 equation 3), as the kernel's csum_replace4 has it.

    The kernel adds the complement of the sum in 32 bits, so that the total is never 0 and the answer never 0xFFFF.
    """
    size = len(old) * 8
    total = (check ^ 0xFFFF) + (int.from_bytes(old) ^ (1 << size) - 1) + int.from_bytes(new)
    return (total % 0xFFFF or 0xFFFF) ^ 0xFFFF
