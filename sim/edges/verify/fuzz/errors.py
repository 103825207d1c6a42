"""ICMP errors about packets that were really sent: as they should be, mangled, cut, about others, to others; and redirects."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from sim import wire
from sim.edges.verify.fuzz.path import Path

KINDS4: Final = ((3, 3), (3, 1), (3, 4), (3, 13), (4, 0), (5, 1), (11, 0), (11, 1), (12, 0))
KINDS6: Final = ((1, 0), (1, 4), (2, 0), (3, 0), (3, 1), (4, 1), (100, 0), (127, 0))
CUTS: Final = (0, 1, 8, 19, 20, 21, 24, 27, 28, 36, 39, 40, 41, 44, 47, 48, 60)
LINK_LOCAL: Final = b"\xfe\x80" + bytes(13) + b"\x09"
Made = tuple[int, bytes]


class Errors:
    """Makes errors. `spoil` damages bytes."""

    def __init__(self, random: Random, wrong: float, spoil: Callable[[bytes], bytes]) -> None:
        self._random, self._wrong, self._spoil = random, wrong, spoil

    def about(self, path: Path, way: int, quoted: bytes) -> tuple[int, bytes]:
        """(way, packet): an error in answer to `quoted`, which went `way` along `path`."""
        choose = self._random
        back = 1 - way
        if choose.random() < 0.1:
            back = way
        inner = self._mangled(quoted)
        source, target = path.ends[back], path.ends[1 - back]
        if choose.random() < 0.3 and path.devs[back] is not None:
            source = _router(path, back)
        if choose.random() < self._wrong / 3:
            target = target[:-1] + b"\x77"
        if path.version == 6 and path.devs[back] is not None and choose.random() < 0.15:
            return back, self._redirect(source, target, inner)
        return back, self._error(path.version, source, target, inner)

    def _error(self, version: int, source: bytes, target: bytes, inner: bytes) -> bytes:
        choose = self._random
        kind, code = choose.choice(KINDS4 if version == 4 else KINDS6)
        rest = choose.choice((0, 0, 1400, 576, 0x01000000))
        if version == 4:
            message = wire.icmp(kind, code, rest, inner[: choose.choice((28, 548))])
        else:
            message = wire.icmpv6(source, target, kind, code, rest, inner[:1232])
        if choose.random() < self._wrong / 8:
            message = self._spoil(message)
        return wire.ip(source, target, 1 if version == 4 else 58, message)

    def _mangled(self, inner: bytes) -> bytes:
        choose = self._random
        at = choose.random()
        if at < self._wrong / 3:
            return self._spoil(inner)
        if at < self._wrong / 2:
            return inner[: choose.choice(CUTS)]
        if at < self._wrong * 0.6 and len(inner) >= 40 and inner[0] >> 4 == 6:
            number, kind = inner[6], choose.choice((60, 51, 44, 59, 0, 43))
            header = bytes((number, 1 if kind == 51 else 0)) + bytes(10 if kind == 51 else 6)
            return inner[:6] + bytes((kind,)) + inner[7:40] + header + inner[40:]
        if at < self._wrong * 0.7:
            return (
                wire.ipv4(bytes(4), bytes(4), 1, wire.icmp(3, 3, 0, inner[:28]))
                if inner[:1] and inner[0] >> 4 == 4
                else inner[:40]
            )
        return inner

    def _redirect(self, source: bytes, target: bytes, inner: bytes) -> bytes:
        choose = self._random
        option = choose.choice(
            (b"\4\1\0\0\0\0\0\0" + inner, b"\4\1\0\0\0\0\0\0" + inner, b"\4\0\0\0", b"\2\1" + bytes(6), b"\4", b"")
        )
        origin = choose.choice((LINK_LOCAL, LINK_LOCAL, LINK_LOCAL, source))
        message = wire.icmpv6(
            origin, target, 137, choose.choice((0, 0, 0, 0, 1)), 0, bytes(32 if choose.random() < 0.9 else 20) + option
        )
        return wire.ipv6(origin, target, 58, message[:1200], ttl=choose.choice((255, 255, 255, 64)))


def _router(path: Path, back: int) -> bytes:
    """Somebody on the way, on the side from which the error comes."""
    near = path.ends[back]
    return near[:-1] + b"\xee"
