"""The records of a classic pcap file (draft-ietf-opsawg-pcap), read a block of the file at a time. Its header is capture.py's.

The most frequent frames, IPv4 without options on Ethernet or bare, are cut out of the block at once; all others by their link type.
"""

from __future__ import annotations

import mmap
from struct import Struct
from typing import TYPE_CHECKING, Final

from sim.edges.frames import Card, Frames, cut_off, make_frame
from sim.edges.linklayer import ETHERNET, RAW
from sim.packet import COMPILED, u16

if TYPE_CHECKING:
    from mypy_extensions import i64

Bytes = bytes | mmap.mmap
BLOCK: Final = 1 << 16
HEADER: Final = 24
RECORD: Final = 16
_RECORD: Final = {order: Struct(order + "IIII").unpack_from for order in "<>"}


class PcapFrames(Frames):
    """The frames of a pcap file: `big` says its byte order, `divisor` how many of its fractions of a second make a microsecond."""

    _at: i64
    _begin: i64
    _end: i64
    _divisor: i64
    _lead: i64

    def __init__(self, data: Bytes, order: str, divisor: int, card: Card) -> None:
        super().__init__()
        self._file = data
        self._card = card
        self._order = order
        self._big = order == ">"
        self._divisor = divisor
        self._lead = {ETHERNET: 14, RAW: 0}.get(card.link_type, -1)
        self._block = b""
        self._at = 0  # in the block
        self._begin = HEADER  # where in the file the block begins
        self._end = len(data)

    def step(self) -> bool:
        """Go on to the next record."""
        if len(self._block) - self._at < RECORD and not self._load(RECORD):
            return self._last(0, RECORD) if self._left() else False
        if COMPILED:
            block, at, big = self._block, self._at, self._big
            seconds = u32(block, at, big)
            fraction = u32(block, at + 4, big)
            kept = u32(block, at + 8, big)
            whole = u32(block, at + 12, big)
        else:
            seconds, fraction, kept, whole = _RECORD[self._order](self._block, self._at)
        time_us: i64 = seconds * 1_000_000 + fraction // self._divisor
        self._at += RECORD
        if len(self._block) - self._at < kept and not self._load(kept):
            return self._last(time_us, kept)
        self.number += 1
        if kept < whole or not self._cut(kept):
            at = self._at
            self.put(make_frame(self._card, self.number, time_us, self._block[at : at + kept], whole))
        self.time_us = time_us
        self._at += kept
        return True

    def _cut(self, kept: i64) -> bool:
        """The packet out of the present record, if it is one of the most frequent."""
        block, at = self._block, self._at
        if self._lead < 0 or kept < self._lead + 20:
            return False
        if self._lead and (block[at + 12] != 8 or block[at + 13]):
            return False
        start, end = at + self._lead, at + kept
        if block[start] != 0x45:
            return False
        length = u16(block, start + 2)
        if 20 <= length < end - start:
            end = start + length
        self.data = block[start:end]
        self.note = ""
        return True

    def _left(self) -> i64:
        """Bytes of the file that are not read yet."""
        return self._end - self._begin - self._at

    def _load(self, wanted: i64) -> bool:
        """Have at least so many bytes in the block, if the file has them."""
        if self._left() < wanted:
            return False
        self._begin += self._at
        self._at = 0
        self._block = self._file[self._begin : self._begin + max(BLOCK, wanted)]
        return True

    def _last(self, time_us: i64, wanted: i64) -> bool:
        """The file ends within a record."""
        left = self._left()
        self.put(cut_off(self.number + 1, time_us, left, wanted))
        self._begin, self._at, self._block = self._end, 0, b""
        return True


def u32(data: bytes, at: i64, big: bool) -> i64:
    """The 32-bit number at `at`. Raises IndexError behind the end."""
    if big:
        return u16(data, at) << 16 | u16(data, at + 2)
    first: i64 = data[at]
    second: i64 = data[at + 1]
    third: i64 = data[at + 2]
    fourth: i64 = data[at + 3]
    return first | second << 8 | third << 16 | fourth << 24
