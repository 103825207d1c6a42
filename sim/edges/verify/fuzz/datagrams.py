"""What has no states of its own: UDP, UDP-Lite, GRE, ICMP questions and answers, protocols that conntrack does not know."""

from __future__ import annotations

from random import Random
from typing import Final

from sim import wire
from sim.edges.verify.fuzz.path import Path, Said, Spoken, View
from sim.edges.verify.fuzz.shadow import Shadow

GRE_HEADS: Final = (
    b"\0\0\x08\0", b"\0\0\x08\0", b"\x20\0\x08\0\0\0\0\7", b"\x30\1\x88\x0b\0\4\0\7data", b"\x30\1\x88\x0b\0\4\0\x08data",
    b"\x30\1\x08\0\0\4\0\7",
    b"\x30\1\x88\x0b\0\4", b"\x30\1\x88\x0b", b"\x30\1", b"\0", b"", b"\x30\2\x88\x0b\0\4\0\7",
)  # fmt: skip
"""Version 0, with a key; PPTP's version 1; version 1 with something else; cut short; version 2."""
PLAIN: Final = (50, 50, 2, 4, 41, 89, 94, 103, 200, 253, 255, 1, 58, 33, 0, 43, 44, 59, 60, 135, 139)
QUESTIONS4: Final = ((8, 0), (8, 0), (8, 0), (13, 14), (15, 16), (17, 18), (10, 9))
QUESTIONS6: Final = ((128, 129), (128, 129), (128, 129), (139, 140))
ODD4: Final = (1, 2, 6, 7, 9, 10, 18, 19, 30, 40, 41, 255)
ODD6: Final = (
    0,
    5,
    99,
    100,
    127,
    130,
    131,
    132,
    133,
    134,
    135,
    136,
    138,
    139,
    140,
    141,
    142,
    143,
    144,
    148,
    151,
    152,
    153,
    155,
    200,
    255,
)


class UdpTalk(Spoken):
    """Datagrams between two ports."""

    number = 17

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        super().__init__(random, path, ports, shadow, wrong)
        self._said = 0

    def _way(self) -> int:
        self._said += 1
        return 0 if self._said == 1 else self._random.randrange(2)

    def next(self) -> Said:
        """The next datagram."""
        way = self._way()
        view = self.view(way)
        return Said(way, view, self._datagram(view, self._text(way)))

    def _text(self, way: int) -> bytes:
        return bytes(self._random.choice((0, 1, 12, 100, 900)))

    def _datagram(self, view: View, text: bytes) -> bytes:
        choose = self._random
        datagram = wire.udp(*view, text)
        if choose.random() < self._wrong / 4:
            datagram = datagram[:6] + choose.choice((b"\0\0", b"\xff\xff", b"\1\2")) + datagram[8:]
        if choose.random() < self._wrong / 4:
            size = choose.choice((0, 7, 8, len(datagram) - 1, len(datagram) + 1, 0xFFFF)) & 0xFFFF
            datagram = datagram[:4] + size.to_bytes(2) + datagram[6:]
        return datagram


class UdpLiteTalk(UdpTalk):
    """The same, with a checksum over a part."""

    number = 136

    def _datagram(self, view: View, text: bytes) -> bytes:
        choose, src, dst = self._random, view.src, view.dst
        payload = bytes(choose.randrange(20))
        coverage = choose.choice((0, 0, 8, 8, 8 + len(payload), 12))
        if choose.random() < self._wrong / 3:
            coverage = choose.choice((1, 7, 9 + len(payload), 100))
        head = view.sport.to_bytes(2) + view.dport.to_bytes(2) + coverage.to_bytes(2) + b"\0\0"
        # 17: the kernel's sum has UDP's number in the pseudo header, and so does what it takes for right
        number = 136 if choose.random() < self._wrong / 3 else 17
        total = wire.checksum(
            wire.pseudo_header(src, dst, number, 8 + len(payload)) + (head + payload)[: coverage or 8 + len(payload)]
        )
        if choose.random() < self._wrong / 5:
            total = 0
        return head[:6] + (total or 0xFFFF * (choose.random() < 0.8)).to_bytes(2) + payload


class GreTalk(UdpTalk):
    """GRE of every version."""

    number = 47

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        super().__init__(random, path, (0, 0), shadow, wrong)

    def _datagram(self, view: View, text: bytes) -> bytes:
        return self._random.choice(GRE_HEADS)


class PlainTalk(UdpTalk):
    """A protocol without a tracker, or one that has no business here (ICMP over IPv6)."""

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        super().__init__(random, path, (0, 0), shadow, wrong)
        self.number = random.choice(PLAIN)

    def _datagram(self, view: View, text: bytes) -> bytes:
        return self._random.choice(
            (b"", b"\x08\0\xf7\xff\0\0\0\0", b"\x80\0\0\0\0\1\0\1", b"\1\0\0\0" + bytes(20), bytes(8), bytes(3), b"\x3b\0" + bytes(14))
        )


class EchoTalk(UdpTalk):
    """ICMP and ICMPv6: questions, their answers, and types that are neither."""

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        self._kinds = random.choice(QUESTIONS4 if path.version == 4 else QUESTIONS6)
        super().__init__(random, path, (ports[0], self._kinds[0] << 8), shadow, wrong)
        self.number = 1 if path.version == 4 else 58

    def _plainly(self, way: int) -> View:
        return super()._plainly(way)._replace(sport=self._ports[0])

    def next(self) -> Said:
        """The next message."""
        choose, way = self._random, self._way()
        view = self.view(way)
        kind = self._kinds[way]
        if choose.random() < self._wrong / 2:
            kind = choose.choice((*self._kinds, *(ODD4 if self.path.version == 4 else ODD6)))
        code = choose.choice((0, 1, 255)) if choose.random() < self._wrong / 4 else 0
        rest = (view.sport << 16) + (self._said & 0xFFFF)
        if choose.random() < self._wrong / 4:
            rest += 1 << 16
        payload = bytes(choose.choice((0, 8, 8, 56)))
        if self.path.version == 4:
            return Said(way, view, wire.icmp(kind, code, rest & 0xFFFFFFFF, payload))
        return Said(way, view, wire.icmpv6(view.src, view.dst, kind, code, rest & 0xFFFFFFFF, payload))
