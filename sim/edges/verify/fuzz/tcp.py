"""TCP gone wrong: a conversation is a row of acts (open, send, close, reset ...), and any segment of them may go astray."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Final, NamedTuple

from sim import wire
from sim.edges.verify.fuzz.path import Path, Said, Spoken, View
from sim.edges.verify.fuzz.shadow import M, Shadow

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
WINDOWS: Final = (0, 1, 2, 100, 500, 1000, 8192, 8192, 64240, 64240, 64240, 65535)
ODD_FLAGS: Final = (
    0,
    SYN | FIN,
    SYN | RST,
    FIN,
    FIN | RST,
    URG,
    SYN | URG,
    URG | ACK,
    FIN | ACK | URG,
    0x3F,
    PSH,
    0xD2,
    0x50,
    0x40,
    0x80,
)
OFFSETS: Final = (
    1,
    -1,
    2,
    100,
    -100,
    1000,
    -1000,
    8192,
    -8192,
    64240,
    65536,
    -65536,
    66000,
    -66000,
    -66001,
    2**30,
    2**31,
    -(2**31),
    2**31 - 1,
)
SYN_OPTIONS: Final = (
    b"", b"", b"\2\4\5\xb4", b"\2\4\5\xb4\1\3\3\7", b"\2\4\5\xb4\4\2\1\3\3\2", b"\4\2\1\1", b"\3\3\x0e\0", b"\3\3\x0f\1", b"\3\2\0\0",
    b"\4\2\0\3\3\5\1\1", b"\1\1\1\3", b"\x08\x0a" + bytes(8) + b"\3\3", b"\3\1\1\1", b"\4\5\1\1", b"\3\3\0\4\2\1\1\1",
)  # fmt: skip
DATA_OPTIONS: Final = (
    b"",
    b"",
    b"",
    b"\1\1\x08\x0a" + bytes(8),
    b"\5\1\0\0",
    b"\5\x09" + bytes(10),
    b"\x08\x0a" + bytes(8) + b"\5",
    b"\1\1\1\5",
    b"\0\5\x0a\0",
)


class Say(NamedTuple):
    """One segment of an act: by whom, its flags, how many bytes; `fresh`: with a new initial number; `exact`: the window, or None.

    `text`: what it says, else nothing but zeros.
    """

    way: int
    flags: int
    size: int = 0
    fresh: bool = False
    window: int | None = None
    rst: bool = False
    text: bytes = b""


Act = tuple[Say, ...]


def _acts(way: int, size: int) -> dict[str, Act]:
    """What an end (`way`) may begin."""
    me, you = way, 1 - way
    opening = (Say(me, SYN, fresh=True), Say(you, SYN | ACK, fresh=True), Say(me, ACK))
    return {
        "open": opening,
        "open with data": (*opening[:2], Say(me, PSH | ACK, size)),
        "fast open": (Say(me, SYN, size, True), *opening[1:]),
        "open both": (Say(me, SYN, fresh=True), Say(you, SYN, fresh=True), Say(me, SYN | ACK), Say(you, SYN | ACK), Say(me, ACK)),
        "open both, answered": (Say(me, SYN, fresh=True), Say(you, SYN, fresh=True), Say(me, SYN | ACK), Say(you, ACK)),
        "refuse": (Say(me, SYN, fresh=True), Say(you, RST | ACK)),
        "ask again": (Say(me, SYN), Say(me, SYN)),
        "challenged": (Say(me, SYN, fresh=True), Say(you, ACK), Say(me, RST, rst=True)),
        "stray answer": (Say(you, SYN | ACK),),
        "answer again": (Say(you, SYN | ACK), Say(you, SYN | ACK)),
        "send": (Say(me, PSH | ACK, size), Say(you, ACK)),
        "send much": (Say(me, ACK, size), Say(me, ACK, size), Say(me, PSH | ACK, size), Say(you, ACK)),
        "unacknowledged": (Say(me, PSH | ACK, size), Say(me, PSH | ACK, size)),
        "repeat": (Say(me, ACK),) * 5,
        "no window": (Say(me, ACK, window=0), Say(you, PSH | ACK, 1), Say(me, ACK, window=0)),
        "narrow": (Say(me, ACK, window=2), Say(you, ACK, 3), Say(you, ACK, size), Say(me, ACK)),
        "close": (Say(me, FIN | ACK), Say(you, ACK), Say(you, FIN | ACK), Say(me, ACK)),
        "close at once": (Say(me, FIN | ACK), Say(you, FIN | ACK), Say(me, ACK)),
        "close both": (Say(me, FIN | ACK), Say(you, FIN | ACK), Say(you, ACK), Say(me, ACK)),
        "half close": (Say(me, FIN | ACK), Say(you, ACK), Say(you, PSH | ACK, size), Say(me, ACK)),
        "close, then a stray opening": (
            Say(you, FIN | ACK), Say(me, ACK), Say(me, FIN | ACK), Say(me, SYN, fresh=True), Say(you, ACK), Say(you, ACK),
        ),
        "reset": (Say(me, RST, rst=True),),
        "reset with ack": (Say(me, RST | ACK, rst=True),),
        "reset, then open": (Say(me, RST | ACK), *opening),
        "open anew": (Say(me, SYN, fresh=True), Say(you, SYN | ACK, fresh=True), Say(me, ACK)),
        "nonsense": (Say(me, -1),),
        "any": (Say(me, -2, size),),
    }  # fmt: skip


FIRST: Final = ("open",) * 8 + (
    "open with data",
    "fast open",
    "open both",
    "open both, answered",
    "refuse",
    "ask again",
    "challenged",
    "send",
    "stray answer",
)
NAMES: Final = tuple(_acts(0, 0))


class TcpTalk(Spoken):
    """One TCP conversation. `wrong`: how often a segment goes astray, 0 to 1."""

    number = 6

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        super().__init__(random, path, ports, shadow, wrong)
        self._next = [self._start(), self._start()]
        self._coming: deque[Say] = deque()
        self._acts = 0

    def _start(self) -> int:
        return self._random.choice(
            (0, 1, 1000, M - 500, M, 2**31 - 100, self._random.randrange(2**32), self._random.randrange(2**32))
        )

    def next(self) -> Said:
        """The next segment."""
        if not self._coming or self._random.random() < self._wrong / 6:
            self._begin()
        say = self._coming.popleft()
        if self._random.random() < self._wrong / 4 and self._coming:
            say = self._coming.popleft()  # one is lost
        if self._random.random() < self._wrong / 4:
            say = say._replace(way=1 - say.way)
        view = self.view(say.way)
        return Said(say.way, view, self._segment(say, view))

    def _begin(self) -> None:
        choose = self._random
        way = 0 if self._acts == 0 and choose.random() < 0.9 else choose.randrange(2)
        acts = _acts(way, choose.choice((1, 10, 100, 500, 1000, 1400)))
        name = choose.choice(FIRST if self._acts == 0 or choose.random() < 0.05 else NAMES)
        self._coming = deque(acts[name])
        self._acts += 1
        if self._acts > 30:
            self._acts = 0

    def _flags(self, say: Say) -> int:
        if say.flags == -1:
            return self._random.choice(ODD_FLAGS)
        if say.flags == -2:
            return self._random.choice((SYN, SYN | ACK, FIN | ACK, ACK, RST, RST | ACK))
        return say.flags | (self._random.random() < 0.02) * URG

    def _segment(self, say: Say, view: View) -> bytes:
        choose, way = self._random, say.way
        flags = self._flags(say)
        if say.fresh:
            self._next[way] = self._start()
        seq, ack = self._numbers(say, flags, view)
        options = self._options(flags, ack)
        segment = wire.tcp(
            *view, seq=seq,
            ack=ack if flags & ACK or choose.random() < 0.1 else 0, flags=flags,
            window=choose.choice(WINDOWS) if say.window is None else say.window, options=options, payload=say.text or bytes(say.size),
        )  # fmt: skip
        if seq == self._next[way] and choose.random() > self._wrong / 3:
            self._next[way] = (seq + say.size + (flags >> 1 & 1) + (flags & 1)) & M
        return segment

    def _numbers(self, say: Say, flags: int, view: View) -> tuple[int, int]:
        choose, way = self._random, say.way
        seq, ack = self._next[way], self._next[1 - way]
        if say.rst and choose.random() < 0.5:
            seq = choose.choice((0, ack, seq))
        at = choose.random()
        if at > self._wrong:
            return seq, ack
        if at < self._wrong * 0.6:
            edges = self._shadow.tcp_edges((view.src, view.dst), (view.sport, view.dport), say.size + (flags & 1), choose)
            if edges is not None:
                return edges
        if at < self._wrong * 0.7:
            return choose.choice(((0, ack), (seq, 0), (0, 0)))
        return (seq + choose.choice((0, *OFFSETS))) & M, (ack + choose.choice((0, *OFFSETS))) & M

    def _options(self, flags: int, ack: int) -> bytes:
        choose = self._random
        if flags & SYN:
            return choose.choice(SYN_OPTIONS)
        if choose.random() < 0.1:
            blocks = b""
            for _ in range(choose.choice((1, 1, 2, 3, 4))):
                edge = (ack + choose.choice((0, 1, 10, 1000, -1000, 70000, -70000))) & M
                blocks += ((edge - 10) & M).to_bytes(4) + edge.to_bytes(4)
            return b"\1\1\5" + bytes((2 + len(blocks) + (choose.random() < 0.05),)) + blocks
        return choose.choice(DATA_OPTIONS)
