"""PPTP as its ends say it: a session, a call, its end; mostly in the right order, with call ids few enough to meet. RFC 2637."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Final

from sim.edges.verify.fuzz.path import View

COOKIE: Final = b"\x1a\x2b\x3c\x4d"
SIZES: Final = (0, 144, 144, 4, 4, 4, 8, 156, 20, 208, 12, 16, 4, 136, 28, 12)
"""Of the body of each control message."""
CALLS: Final = (500, 501, 700, 701)
Saying = tuple[int, int]
"""Who (0 the client), which message."""
START: Final[tuple[Saying, ...]] = ((0, 1), (1, 2))
SCRIPTS: Final[tuple[tuple[Saying, ...], ...]] = (
    (*START, (0, 7), (1, 8)), (*START, (0, 7), (1, 8)), ((0, 7), (1, 8)), ((0, 7), (1, 8), (1, 8)), (*START, (1, 9), (0, 10), (1, 11)),
    ((1, 9), (0, 10), (1, 11)), ((1, 9), (0, 10), (0, 10), (1, 11), (1, 11)), ((0, 12), (1, 13)), ((1, 13),), ((0, 3), (1, 4)), ((1, 4),),
    (*START, (1, 9), (0, 10), (1, 11), (1, 11)), (*START, (0, 7), (1, 8), (1, 8), (0, 12), (1, 13)),
    ((0, 5), (1, 6)), ((0, 15), (1, 15)), ((1, 14),),
)  # fmt: skip
WELL: Final = (1,) * 7 + (2,)
"""Result codes: 1 says yes."""


class Pptp:
    """A control connection's words. `say(way, view)` is the next message; `way` is whose turn it is."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._coming: deque[Saying] = deque(SCRIPTS[0])
        self._ids = [random.choice(CALLS), random.choice(CALLS)]

    def turn(self) -> int:
        """Whose turn it is."""
        if not self._coming:
            self._coming = deque(self._random.choice(SCRIPTS))
            if self._random.random() < 0.2:
                self._ids[self._random.randrange(2)] = self._random.choice(CALLS)
        return self._coming[0][0]

    def say(self, way: int, view: View) -> bytes:
        """The message that comes, or now and then any at all."""
        choose = self._random
        kind = self._coming.popleft()[1] if self._coming else 5
        if choose.random() < 0.06:
            kind = choose.randrange(18)
        body = self._body(way, kind, view)
        size = SIZES[kind] if kind < len(SIZES) else 0
        body = body.ljust(size, b"\0")[: size - (choose.random() < 0.03)]
        cookie = COOKIE if choose.random() < 0.97 else b"\0" * 4
        return (len(body) + 12).to_bytes(2) + choose.choice((b"\0\1",) * 19 + (b"\0\2",)) + cookie + kind.to_bytes(2) + b"\0\0" + body

    def _body(self, way: int, kind: int, view: View) -> bytes:
        choose = self._random
        well = choose.choice(WELL)
        if kind in (1, 2):
            return b"\1\0" + bytes((well, 0))
        if kind in (3, 4):
            return bytes((well, 0))
        mine = self._ids[way] if choose.random() < 0.95 else choose.choice(CALLS)
        client = choose.choice((self._ids[0], view.dport)) if way else self._ids[0]  # as NAT has told the server, perhaps
        if kind == 11:
            return client.to_bytes(2) + b"\0\0" + bytes((well, 0))
        other = client if way else self._ids[1]
        return mine.to_bytes(2) + other.to_bytes(2) + bytes((well, 0))
