"""SCTP gone wrong: associations that begin, live and end, with chunks, tags and lengths that may not fit."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Final

from sim.conntrack.checksums import crc32c
from sim.edges.verify.fuzz.path import Path, Said, Spoken, View
from sim.edges.verify.fuzz.shadow import Shadow

DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK = range(9)
ERROR, COOKIE_ECHO, COOKIE_ACK, ECNE, CWR, SHUTDOWN_COMPLETE, FORWARD_TSN = 9, 10, 11, 12, 13, 14, 192
KINDS: Final = (*range(15), 63, 128, FORWARD_TSN)
Saying = tuple[int, tuple[int, ...]]
OPEN: Final[tuple[Saying, ...]] = ((0, (INIT,)), (1, (INIT_ACK,)), (0, (COOKIE_ECHO,)), (1, (COOKIE_ACK,)))
ACTS: Final[tuple[tuple[Saying, ...], ...]] = (
    OPEN, OPEN, (*OPEN[:2], (0, (COOKIE_ECHO, DATA)), (1, (COOKIE_ACK, SACK))), ((0, (DATA,)), (1, (SACK,))),
    ((1, (DATA, DATA)), (0, (SACK,))),
    ((0, (HEARTBEAT,)), (1, (HEARTBEAT_ACK,))), ((1, (HEARTBEAT,)), (0, (HEARTBEAT_ACK,))),
    ((0, (SHUTDOWN,)), (1, (SHUTDOWN_ACK,)), (0, (SHUTDOWN_COMPLETE,))),
    ((1, (SHUTDOWN,)), (0, (SHUTDOWN_ACK,)), (1, (SHUTDOWN_COMPLETE,))),
    ((0, (ABORT,)),), ((1, (ABORT,)),), ((1, (ERROR,)),), ((0, (INIT,)), (1, (INIT,)), (0, (INIT_ACK,)), (1, (INIT_ACK,))),
    ((0, (INIT,)), (0, (INIT,)), (1, (ABORT,))),
)  # fmt: skip

LINGERING: Final[tuple[tuple[Saying, ...], ...]] = (
    ((0, (SHUTDOWN,)),), ((1, (SHUTDOWN,)),), ((0, (SHUTDOWN,)), (1, (SHUTDOWN_ACK,))), ((0, (HEARTBEAT,)),), ((0, (INIT,)),),
    ((0, (INIT,)), (1, (INIT_ACK,))),
)  # fmt: skip
"""After which any chunk may come."""
BEGINNINGS: Final = (
    (OPEN,) * 6 + (((0, (HEARTBEAT,)),),) * 3 + (((0, (SHUTDOWN_ACK,)),), ((0, (DATA,)),), ((0, (INIT,)),))
)


class SctpTalk(Spoken):
    """One association."""

    number = 132

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        super().__init__(random, path, ports, shadow, wrong)
        self._coming: deque[Saying] = deque(random.choice(BEGINNINGS))
        self._tags = [self._tag(), self._tag()]

    def _tag(self) -> int:
        return self._random.choice((1, 0x11111111, 0x22222222, self._random.randrange(2**32)))

    def next(self) -> Said:
        """The next packet."""
        choose = self._random
        if not self._coming or choose.random() < self._wrong / 6:
            self._coming = deque(self._act())
        way, kinds = self._coming.popleft()
        if choose.random() < self._wrong / 3:
            kinds = tuple(choose.choice(KINDS) for _ in range(choose.choice((0, 1, 1, 1, 2, 2, 3, 5))))
        if choose.random() < self._wrong / 3:
            way = 1 - way
        view = self.view(way)
        return Said(way, view, self._packet(way, kinds, view))

    def _act(self) -> tuple[Saying, ...]:
        choose = self._random
        at = choose.random()
        if at < 0.2:
            return choose.choice(LINGERING)
        if at < 0.5:
            return ((choose.randrange(2), (choose.choice(KINDS),)),)
        return choose.choice(ACTS)

    def _packet(self, way: int, kinds: tuple[int, ...], view: View) -> bytes:
        choose = self._random
        if INIT in kinds and choose.random() < 0.3:
            self._tags[1 - way] = self._tag()
        body = b"".join(self._chunk(way, kind) for kind in kinds)
        head = (
            view.sport.to_bytes(2) + view.dport.to_bytes(2) + self._verification(way, kinds, view).to_bytes(4)
        )
        crc = crc32c(head + bytes(4) + body) ^ (choose.random() < self._wrong / 8)
        packet = head + crc.to_bytes(4, "little") + body
        return packet[: choose.randrange(len(packet))] if choose.random() < self._wrong / 16 else packet

    def _verification(self, way: int, kinds: tuple[int, ...], view: View) -> int:
        choose = self._random
        if choose.random() < self._wrong / 2:
            return choose.choice((0, self._tags[0], self._tags[1], self._tag()))
        if INIT in kinds:
            return 0
        known = self._shadow.sctp_tags((view.src, view.dst), (view.sport, view.dport))
        return self._tags[way] if known is None else known[0]

    def _chunk(self, way: int, kind: int) -> bytes:
        choose = self._random
        content = bytes(choose.choice((0, 4, 12)))
        if kind in (INIT, INIT_ACK):
            tag = self._tag() if choose.random() < self._wrong / 2 else self._tags[1 - way]
            content = tag.to_bytes(4) + bytes(12 if choose.random() > self._wrong / 8 else choose.randrange(12))
        size = len(content) + 4
        if choose.random() < self._wrong / 8:
            size = choose.choice((0, 1, 3, 4, size + 1, size + 4, 0xFFFF))
        return bytes((kind, choose.randrange(2))) + size.to_bytes(2) + content + bytes(-len(content) % 4)
