"""Traffic of the rarer protocols, by seed: SCTP, UDP-Lite, GRE, protocols without a tracker, ICMPv6 redirects, IPv6 extension headers."""

from __future__ import annotations

from random import Random

from sim import wire
from sim.conntrack.checksums import crc32c
from sim.units import parse_address

V4 = parse_address("192.168.1.10"), parse_address("203.0.113.9")
V6 = parse_address("fd00:1::10"), parse_address("fd00:2::9")
LINK_LOCAL = parse_address("fe80::9")
CHUNKS = (0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 10, 11, 11, 14)
TAGS = (0, 0, 0x11111111, 0x22222222, 0x33333333)
FOLLOWING = ((0, 0, (1,)), (1, 0x11111111, (2,)), (0, 0x22222222, (10,)), (1, 0x11111111, (11,)), (0, 0x22222222, (0,)))
"""An association as it should begin: way, tag, chunks. INIT announces 0x11111111, INIT ACK 0x22222222."""

GRE_HEADS = (
    b"\0\0\x08\0", b"\x20\0\x08\0\0\0\0\7", b"\x30\1\x88\x0b\0\4\0\7data", b"\x30\1\x08\0\0\4\0\7", b"\x30\1\x88\x0b", b"\0", b"",
)  # fmt: skip
"""Version 0, with a key; PPTP's version 1; version 1 with something else; cut short."""


class Oddities:
    """A stream of packets between two hosts."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.step = 0

    def packet(self) -> tuple[str, bytes]:
        """The next packet and the device it comes in by."""
        choose = self.random
        way = choose.randrange(2)
        ends = V6 if choose.random() < 0.4 else V4
        src, dst = ends[way], ends[1 - way]
        kind = choose.choice((self._sctp, self._sctp, self._sctp, self._udplite, self._gre, self._plain, self._extended, self._redirect))
        if kind == self._sctp and choose.random() < 0.6:
            way, tag, chunks = FOLLOWING[self.step % len(FOLLOWING)]
            self.step += 1
            src, dst = V4[way], V4[1 - way]
            return ("lan", "wan")[way], wire.ip(src, dst, 132, self._association(way, tag, chunks))
        return ("lan", "wan")[way], kind(src, dst, way)

    def _ports(self, way: int) -> tuple[int, int]:
        return (1000, 80) if way == 0 else (80, 1000)

    def _association(self, way: int, tag: int, chunks: tuple[int, ...]) -> bytes:
        choose, (sport, dport) = self.random, self._ports(way)
        body = b""
        for kind in chunks:
            content = bytes(choose.choice((0, 4)))
            if kind in (1, 2):
                announced = choose.choice(TAGS) if choose.random() < 0.1 else (0x11111111, 0x22222222)[kind - 1]
                content = announced.to_bytes(4) + bytes(12 if choose.random() < 0.95 else 3)
            size = 0 if choose.random() < 0.02 else len(content) + 4
            body += bytes((kind, choose.randrange(2))) + size.to_bytes(2) + content + bytes(-len(content) % 4)
        packet = sport.to_bytes(2) + dport.to_bytes(2) + tag.to_bytes(4) + bytes(4) + body
        crc = crc32c(packet) ^ (choose.random() < 0.03)
        packet = packet[:8] + crc.to_bytes(4, "little") + packet[12:]
        return packet[: choose.randrange(len(packet))] if choose.random() < 0.03 else packet

    def _sctp(self, src: bytes, dst: bytes, way: int) -> bytes:
        chunks = tuple(self.random.choice(CHUNKS) for _ in range(self.random.choice((0, 1, 1, 1, 1, 2, 3))))
        return wire.ip(src, dst, 132, self._association(way, self.random.choice(TAGS), chunks))

    def _udplite(self, src: bytes, dst: bytes, way: int) -> bytes:
        choose, (sport, dport) = self.random, self._ports(way)
        payload = bytes(choose.randrange(12))
        coverage = choose.choice((0, 8, 8 + len(payload), 7, 100))
        head = sport.to_bytes(2) + dport.to_bytes(2) + coverage.to_bytes(2) + b"\0\0"
        covered = (head + payload)[: coverage or 8 + len(payload)]
        number = choose.choice((17, 17, 17, 136))
        total = wire.checksum(wire.pseudo_header(src, dst, number, 8 + len(payload)) + covered) or 0xFFFF
        if choose.random() < 0.1:
            total = 0
        datagram = head[:6] + total.to_bytes(2) + payload
        return wire.ip(src, dst, 136, datagram[: choose.randrange(8)] if choose.random() < 0.05 else datagram)

    def _gre(self, src: bytes, dst: bytes, way: int) -> bytes:
        choose = self.random
        return wire.ip(src, dst, 47, choose.choice(GRE_HEADS))

    def _plain(self, src: bytes, dst: bytes, way: int) -> bytes:
        number = self.random.choice((50, 2, 94, 200, 255, 1, 58))
        if number == 58 and len(src) == 16:
            number = 200
        return wire.ip(src, dst, number, b"" if self.random.random() < 0.2 else b"\x08\0\xf7\xff\0\0\0\0")

    def _extended(self, src: bytes, dst: bytes, way: int) -> bytes:
        """IPv6 with headers between; IPv4 with options."""
        choose, (sport, dport) = self.random, self._ports(way)
        if len(src) == 4:
            bare = wire.ipv4(src, dst, 17, b"\1\1\1\0" + wire.udp(src, dst, sport, dport, b"x"))
            head = b"\x46" + bare[1:10] + b"\0\0" + bare[12:24]
            return head[:10] + wire.checksum(head).to_bytes(2) + head[12:] + bare[24:]
        body, number = wire.udp(src, dst, sport, dport, b"x"), 17
        for kind in [choose.choice((60, 60, 51, 59)) for _ in range(choose.randrange(3))]:
            body, number = (bytes((number, 0)) + b"\1\4\0\0\0\0" if kind != 51 else bytes((number, 1)) + bytes(10)) + body, kind
        whole = wire.ipv6(src, dst, number, body)
        if choose.random() < 0.1:
            cut = choose.randrange(40, len(whole))
            return whole[:4] + (cut - 40).to_bytes(2) + whole[6:cut]
        return whole

    def _redirect(self, src: bytes, dst: bytes, way: int) -> bytes:
        """About the UDP conversation of `_extended`, or about nothing."""
        choose, ends = self.random, V6
        src, dst = ends[way], ends[1 - way]
        sport, dport = self._ports(1 - way)
        about = wire.ipv6(dst, src, 17, wire.udp(dst, src, sport, dport, b"x"))
        option = choose.choice((b"\4\1\0\0\0\0\0\0" + about, b"\4\0\0\0", b"\2\1" + bytes(6), b"\4", b""))
        origin = choose.choice((LINK_LOCAL, LINK_LOCAL, src))
        message = wire.icmpv6(origin, dst, 137, choose.choice((0, 0, 0, 1)), 0, bytes(32 if choose.random() < 0.9 else 20) + option)
        return wire.ipv6(origin, dst, 58, message, ttl=choose.choice((255, 255, 64)))
