"""Traffic gone wrong, by seed: TCP segments near every edge of the window, datagrams, ICMP errors about them, IPv4 and IPv6."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sim import wire
from sim.units import parse_address

CLIENT, SERVER = parse_address("192.168.1.10"), parse_address("203.0.113.9")
CLIENT6, SERVER6 = parse_address("fd00:1::10"), parse_address("fd00:2::9")
Fed = tuple[str, bytes]
M = 0xFFFFFFFF
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
FLAGS = [SYN] * 4 + [SYN | ACK] * 4 + [ACK] * 8 + [PSH | ACK] * 5 + [FIN | ACK] * 4 + [RST] * 2 + [RST | ACK] * 2
ODD_FLAGS = [0, SYN | FIN, SYN | RST, FIN, FIN | RST, URG | ACK, SYN | URG, URG, FIN | ACK | URG, 0x3F, PSH, 0xD2, 0x50]
WINDOWS = [0, 1, 100, 8192, 64240, 65535]
SENSIBLE = ((0, (SYN,)), (1, (SYN | ACK,)), (0, (ACK,)))
"""How a connection begins: who sends what."""
OFFSETS = [0] * 12 + [1, -1, 2, 100, -100, 1000, -1000, 8192, 8193, -8192, -8193, 64240, 65536, -65536]
OFFSETS += [66000, -66000, -66001, -66002, 2**31, -(2**31)]
SYN_OPTIONS = [b"", b"", b"\2\4\5\xb4", b"\2\4\5\xb4\1\3\3\7", b"\2\4\5\xb4\4\2\1\3\3\2", b"\4\2", b"\3\3\x0f", b"\3\2"]
SYN_OPTIONS += [b"\4\2\0\3\3\5", b"\1\1\1\3"]
DATA_OPTIONS = [b"", b"", b"", b"\1\1\x08\x0a" + bytes(8), b"\1\1\5\x0a", b"\1\1\5\x12", b"\5\x0a", b"\5\x09", b"\5\1", b"\5"]


@dataclass
class Talk:
    """One connection as its ends would have it: who they are, the next sequence number of each, and how far it has come."""

    ends: tuple[bytes, bytes]
    ports: tuple[int, int]
    next: list[int]
    stage: int = 0


class Traffic:
    """A stream of packets between two hosts. Seeds differ in how often things go wrong."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.wrong = (0.35, 0.1, 0.03)[seed % 3]
        self.talks = [self._talk(number) for number in range(4)]

    def _talk(self, number: int) -> Talk:
        ends = (CLIENT6, SERVER6) if number == 3 else (CLIENT, SERVER)
        starts = [self.random.choice((0, 1000, M - 500, 2**31 - 100, self.random.randrange(2**32))) for _ in range(2)]
        return Talk(ends, (1000 + number, 80), starts)

    def packet(self) -> Fed:
        """The next packet and the device it comes in by."""
        choose = self.random
        talk = choose.choice(self.talks)
        if choose.random() < self.wrong / 8:
            talk.next, talk.stage = [choose.randrange(2**32), choose.randrange(2**32)], 0
        way = choose.randrange(2)
        kind = choose.random()
        if kind < 0.85 and choose.random() > 2 * self.wrong:
            way, data = self._sensible(talk)
        elif kind < 0.85:
            data = self._segment(talk, way, choose.choice(ODD_FLAGS) if choose.random() < 0.03 else choose.choice(FLAGS))
        elif kind < 0.93:
            data = self._error(talk, way)
        else:
            data = self._datagram(talk, way)
        return ("lan", "wan")[way], data

    def _offset(self) -> int:
        return self.random.choice(OFFSETS) if self.random.random() < self.wrong else 0

    def _sensible(self, talk: Talk) -> tuple[int, bytes]:
        """What an honest end would send next."""
        choose = self.random
        if talk.stage < len(SENSIBLE):
            way, (flags,) = SENSIBLE[talk.stage]
            talk.stage += 1
        else:
            way = choose.randrange(2)
            flags = choose.choice((ACK, PSH | ACK, PSH | ACK, ACK, ACK, FIN | ACK if choose.random() < 0.1 else ACK))
            if choose.random() < 0.02:
                flags, talk.stage = RST | ACK, 0
            elif flags & FIN and choose.random() < 0.3:
                talk.stage = 0
        return way, self._segment(talk, way, flags)

    def _segment(self, talk: Talk, way: int, flags: int) -> bytes:
        choose = self.random
        seq = (talk.next[way] + self._offset()) & M
        ack = (talk.next[1 - way] + self._offset()) & M
        if choose.random() < self.wrong / 8:
            seq, ack = choose.choice(((0, ack), (seq, 0), (0, 0)))
        options = choose.choice(SYN_OPTIONS if flags & SYN else DATA_OPTIONS)
        if options[-2:-1] == b"\5" and options[-1] in (10, 18):
            for _ in range(options[-1] // 8):
                edge = (ack + choose.choice((0, 10, 1000, -1000, 70000))) & M
                options += ((edge - 10) & M).to_bytes(4) + edge.to_bytes(4)
        size = choose.choice((0, 0, 0, 1, 10, 100, 1000)) if not flags & (SYN | RST) or choose.random() < 0.1 else 0
        src, dst = talk.ends[way], talk.ends[1 - way]
        segment = wire.tcp(
            src, dst, talk.ports[way], talk.ports[1 - way], seq=seq, ack=ack if flags & ACK or choose.random() < 0.1 else 0, flags=flags,
            window=choose.choice(WINDOWS), options=options, payload=bytes(size),
        )  # fmt: skip
        if seq == talk.next[way] and choose.random() > self.wrong / 2:
            talk.next[way] = (seq + size + (flags >> 1 & 1) + (flags & 1)) & M
        if choose.random() < self.wrong / 16:
            segment = self._spoil(segment)
        return wire.ip(src, dst, 6, segment)

    def _spoil(self, segment: bytes) -> bytes:
        at = self.random.randrange(len(segment))
        if self.random.random() < 0.3:
            return segment[:at]
        return segment[:at] + bytes((segment[at] ^ 1 << self.random.randrange(8),)) + segment[at + 1 :]

    def _datagram(self, talk: Talk, way: int) -> bytes:
        src, dst = talk.ends[way], talk.ends[1 - way]
        number = 1 if len(src) == 4 else 58
        if self.random.random() < 0.5:
            datagram = wire.udp(src, dst, talk.ports[way], talk.ports[1 - way], bytes(self.random.randrange(20)))
            if self.random.random() < 0.15:
                datagram = self._spoil(datagram)
            return wire.ip(src, dst, 17, datagram)
        ask, answer = (8, 0) if number == 1 else (128, 129)
        kind = self.random.choice((ask, answer, ask, answer, 13, 14, 17, 18, 15, 16, 10, 19, 40, 135, 139, 140, 200))
        rest = self.random.randrange(3) << 16 | 1
        message = wire.icmp(kind, 0, rest) if number == 1 else wire.icmpv6(src, dst, kind, 0, rest)
        if self.random.random() < 0.1:
            message = self._spoil(message)
        return wire.ip(src, dst, number, message)

    def _error(self, talk: Talk, way: int) -> bytes:
        """An ICMP error that comes back `way`, about a packet that went the other way."""
        choose, back = self.random, 1 - way
        src, dst = talk.ends[way], talk.ends[back]
        about = wire.ip(dst, src, 6, wire.tcp(dst, src, talk.ports[back], talk.ports[way], seq=talk.next[back], flags=ACK))
        if choose.random() < 0.2:
            about = self._datagram(talk, back)
        if len(src) == 16 and choose.random() < 0.3:
            number, kind = about[6], choose.choice((60, 51, 44, 59))
            header = bytes((number, 1 if kind == 51 else 0)) + bytes(10 if kind == 51 else 6)
            about = about[:6] + bytes((kind,)) + about[7:40] + header + about[40:]
        if choose.random() < 0.2:
            about = about[: choose.choice((0, 10, 20, 24, 28, 40, 44, 48))]
        if choose.random() < 0.15:
            dst = dst[:-1] + b"\x77"
        if len(src) == 4:
            return wire.ip(src, dst, 1, wire.icmp(choose.choice((3, 3, 4, 5, 11, 12)), choose.randrange(4), 0, about))
        return wire.ip(src, dst, 58, wire.icmpv6(src, dst, choose.choice((1, 1, 2, 3, 4)), 0, 0, about))
