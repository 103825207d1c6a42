"""IP fragments: cutting a packet that is larger than the way allows, and putting one together again.

RFC 791, RFC 815, RFC 8200 section 4.5, as ip_fragment, ip_defrag and ipv6_frag_rcv do it: one fragment that overlaps, and all of its packet
is thrown away.
Reassembly waits 30 s (IPv4) or 60 s (IPv6) and then forgets, without the ICMP error "fragment reassembly time exceeded".
"""

from __future__ import annotations

from sim import wire
from sim.packet import Packet
from sim.units import SECOND

_WAIT = {4: 30 * SECOND, 6: 60 * SECOND}
Key = tuple[bytes, bytes, int, int]


def cut(data: bytes, mtu: int) -> list[bytes]:
    """The fragments of an IPv4 packet, each at most `mtu` bytes long."""
    size = (data[0] & 15) * 4
    head, body = data[:size], data[size:]
    offset, last_more = int.from_bytes(data[6:8]) & 0x1FFF, bool(data[6] & 0x20)
    step = (mtu - size) & ~7
    pieces = []
    for at in range(0, len(body), step):
        more = last_more or at + step < len(body)
        word = (offset + at // 8) | (0x2000 if more else 0) | (data[6] & 0x40) << 8
        pieces.append(_with_ipv4_header(head, body[at : at + step], word))
    return pieces


def _with_ipv4_header(head: bytes, body: bytes, word: int) -> bytes:
    """The header for another body and another fragment word."""
    size = len(head) + len(body)
    bare = head[:2] + size.to_bytes(2) + head[4:6] + word.to_bytes(2) + head[8:10] + b"\0\0" + head[12:]
    return bare[:10] + wire.checksum(bare).to_bytes(2) + bare[12:] + body


class _Waiting:
    """The fragments of one packet so far, by offset."""

    __slots__ = ("begun", "first", "largest", "largest_uncut", "parts", "total")

    def __init__(self, begun: int) -> None:
        self.begun = begun
        self.parts: dict[int, bytes] = {}
        self.total: int | None = None
        self.first: Packet | None = None
        self.largest = 0
        self.largest_uncut = 0

    def add(self, packet: Packet, body: bytes) -> bool:
        """Take one fragment. False when it contradicts the others."""
        end = packet.fragment + len(body)
        if self.parts.get(packet.fragment) == body:
            return True
        if any(at < end and packet.fragment < at + len(part) for at, part in self.parts.items()):
            return False
        self.largest = max(self.largest, len(packet.data))
        if packet.version == 4 and packet.data[6] & 0x40:
            self.largest_uncut = max(self.largest_uncut, len(packet.data))
        if not packet.more:
            if self.total is not None and self.total != end:
                return False
            self.total = end
        if packet.fragment == 0:
            self.first = packet
        self.parts[packet.fragment] = body
        return self.total is None or max(at + len(part) for at, part in self.parts.items()) <= self.total

    def whole(self) -> bytes | None:
        """All bytes, once nothing is missing."""
        if self.total is None or sum(map(len, self.parts.values())) != self.total:
            return None
        return b"".join(self.parts[at] for at in sorted(self.parts))


class Reassembly:
    """One machine's fragments that wait for the others. `largest`: the size of the largest fragment of what was last put together."""

    def __init__(self) -> None:
        self.largest = 0
        self._waiting: dict[Key, _Waiting] = {}

    def take(self, packet: Packet, now: int) -> Packet | None:
        """The whole packet, with the first fragment's id, once `packet` completes it; else None."""
        body_at, ident = _body(packet)
        key = (packet.src, packet.dst, packet.protonum if packet.version == 4 else 0, ident)
        waiting = self._waiting.get(key)
        if waiting is None or now - waiting.begun > _WAIT[packet.version]:
            waiting = self._waiting[key] = _Waiting(now)
        body = packet.data[body_at:]
        if (packet.more and len(body) % 8) or packet.fragment + len(body) > 65535 or not waiting.add(packet, body):
            del self._waiting[key]
            return None
        whole = waiting.whole()
        if whole is None or waiting.first is None:
            return None
        del self._waiting[key]
        self.largest = waiting.largest
        return Packet(_joined(waiting.first, whole, waiting.largest_uncut == waiting.largest), packet.id)


def _body(packet: Packet) -> tuple[int, int]:
    """Where a fragment's part of the payload begins, and the identification."""
    if packet.version == 4:
        return (packet.data[0] & 15) * 4, int.from_bytes(packet.data[4:6])
    at = _fragment_header(packet.data)
    return at + 8, int.from_bytes(packet.data[at + 4 : at + 8])


def _fragment_header(data: bytes) -> int:
    """The offset of the IPv6 fragment header."""
    at, kind = 40, data[6]
    while kind != 44:
        kind, at = data[at], at + (data[at + 1] + 1) * 8
    return at


def _joined(first: Packet, body: bytes, uncut: bool) -> bytes:
    """The whole packet; DF stands again where the largest fragment had it (ip_frag_reasm)."""
    data = first.data
    if first.version == 4:
        return _with_ipv4_header(data[: (data[0] & 15) * 4], body, 0x4000 if uncut else 0)
    at = _fragment_header(data)
    head = bytearray(data[:at])
    head[_next_header_at(data, at)] = data[at]
    head[4:6] = (at - 40 + len(body)).to_bytes(2)
    return bytes(head) + body


def _next_header_at(data: bytes, end: int) -> int:
    """The offset of the byte that names the header at `end`."""
    at, byte = 40, 6
    while at < end:
        at, byte = at + (data[at + 1] + 1) * 8, at
    return byte


def cut_ipv6(data: bytes, mtu: int, ident: int) -> list[bytes]:
    """The fragments of an IPv6 packet without extension headers; only its sender may cut one (RFC 8200 section 4.5)."""
    head, body = data[:40], data[40:]
    step = (mtu - 48) & ~7
    pieces = []
    for at in range(0, len(body), step):
        part = body[at : at + step]
        word = at | (at + step < len(body))
        extension = data[6:7] + b"\0" + word.to_bytes(2) + ident.to_bytes(4)
        pieces.append(head[:4] + (8 + len(part)).to_bytes(2) + b"\x2c" + head[7:] + extension + part)
    return pieces


def pieces(packet: Packet, size: int) -> list[bytes]:
    """A packet as it goes where no more than `size` bytes go at once."""
    if len(packet.data) <= size:
        return [packet.data]
    if packet.version == 4:
        return cut(packet.data, size)
    return cut_ipv6(packet.data, max(size, 1280), packet.id & 0xFFFFFFFF)
