"""What a packet has only perhaps: extension headers of IPv6, options of IPv4 and TCP, chunks of SCTP. Found by their number.

`find(kind, packet, number)` says where it starts and how long it may be; `look` reads bytes of it, `there` whether it is there.
Pure functions of the packet's bytes. Source: net/netfilter/nft_exthdr.c, Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.packet import Packet
from sim.ruleset.headers6 import find_header, headers_whole

Found = tuple[int, int]  # where it starts and where its bytes end
_BARE = 2  # options without a length: end of list, no operation
_IP_HEADER, _TCP_HEADER, _SCTP_HEADER, _CHUNK_HEADER = 20, 20, 12, 4


def _extension(packet: Packet, number: int) -> Found | None:
    """An extension header of IPv6."""
    if packet.version != 6:
        return None
    at = find_header(packet.data, number)
    return None if at is None or at < 0 else (at, len(packet.data))


def _ip_option(packet: Packet, number: int) -> Found | None:
    """An option of IPv4; the kernel copies bytes of the packet from where it starts, as far as they go."""
    if packet.version != 4:
        return None
    data, at, end = packet.data, _IP_HEADER, (packet.data[0] & 15) * 4
    while at < end and data[at]:
        if data[at] == number:
            return at, len(data)
        at += 1 if data[at] < _BARE else max(1, data[at + 1]) if at + 1 < end else 1
    return None


def _tcp_option(packet: Packet, number: int) -> Found | None:
    """The first option of that kind in a TCP header that is whole; None also when it is cut short."""
    data, at, end = packet.data, packet.l4 + _TCP_HEADER, packet.payload
    if packet.protonum != 6 or not packet.complete or end < at or end > len(data):
        return None
    while at < end - 1:
        length = 1 if data[at] < _BARE else max(1, data[at + 1])
        if data[at] == number:
            return (at, at + length) if at + length <= end else None
        at += length
    return None


def _chunk(packet: Packet, number: int) -> Found | None:
    """A chunk of SCTP."""
    data, at = packet.data, packet.l4 + _SCTP_HEADER
    if packet.protonum != 132 or packet.fragment:
        return None
    while at + _CHUNK_HEADER <= len(data):
        size = int.from_bytes(data[at + 2 : at + 4])
        if not size:
            return None
        if data[at] == number:
            return (at, at + size)
        at += size + 3 & ~3
    return None


_FIND: dict[str, Callable[[Packet, int], Found | None]] = {
    "ip6": _extension, "ip option": _ip_option, "tcp option": _tcp_option, "sctp chunk": _chunk,
}  # fmt: skip


def there(kind: str, packet: Packet, number: int) -> int:
    """1 when the packet has it, else 0."""
    return int(_FIND[kind](packet, number) is not None)


def look(kind: str, packet: Packet, number: int, first: int, end: int) -> int | None:
    """Its bytes from `first` to `end` as a number; None when it, or they, are not there: then nft's rule ends."""
    found = _FIND[kind](packet, number)
    if found is None or found[0] + end > found[1] or found[1] > len(packet.data):
        return None
    return int.from_bytes(packet.data[found[0] + first : found[0] + end])


def bits(packet: Packet, base: str, at: int, size: int) -> int | None:
    """`size` bits at bit `at` of the network (nh) or transport (th) header or of what follows (ih); None beyond the end (nft_payload).

    A later fragment has bytes in the transport header's place that are read at once: 1, 2 or 4, at a multiple of that.
    """
    start = {"nh": 0, "th": packet.th, "ih": -1 if packet.fragment else inner(packet)}.get(base, -1)
    first, end = start + at // 8, start + (at + size + 7) // 8
    slow = end - first not in (1, 2, 4) or (first - start) % (end - first)
    if start < 0 or end > len(packet.data) or (base == "th" and packet.fragment and (slow or not headers_whole(packet))):
        return None
    whole = int.from_bytes(packet.data[first:end])
    return whole >> (end - start) * 8 - at - size & (1 << size) - 1


def inner(packet: Packet) -> int:
    """Where the payload of TCP or UDP starts, -1 for any other protocol (nft_payload_inner_offset)."""
    data, at = packet.data, packet.l4
    if packet.protonum == 17 and len(data) >= at + 8:
        return at + 8
    if packet.protonum == 6 and len(data) >= at + _TCP_HEADER:
        return at + (data[at + 12] >> 4) * 4
    return -1
