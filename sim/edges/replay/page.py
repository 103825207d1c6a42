"""Page: where the lines of a replay are written, as bytes, until somebody takes many at once. Numbers, times and hexadecimal, fast.

Compiled, what is written goes into one buffer of librt's, that is used again and again; interpreted, into a bytearray. Not in here: what
the lines say (lane.py, text.py).
"""

from __future__ import annotations

from binascii import hexlify
from typing import TYPE_CHECKING, Final

from mypy_extensions import i64, u8

from sim.edges.replay import buffer
from sim.packet import COMPILED
from sim.units import SECOND

if TYPE_CHECKING:
    from librt.strings import BytesWriter, read_i32_be, write_i64_be
if not COMPILED:
    globals()["BytesWriter"] = buffer.BytesWriter

_FLOAT_FROM: Final = 1_000_000_000
"""From this many seconds on a float does not hold every microsecond."""


class Page:
    """Text that is waiting. `lines` counts what `end` has ended since the last `take`."""

    lines: i64
    _second: i64

    def __init__(self) -> None:
        self._text = BytesWriter()
        self.lines = 0
        self._second = -1
        self._second_text = b""

    def write(self, text: bytes) -> None:
        """As it is."""
        self._text.write(text)

    def end(self, text: bytes) -> None:
        """The last of a line."""
        self._text.write(text)
        self.lines += 1

    def line(self, text: str) -> None:
        """A whole line, without its end."""
        self._text.write(text.encode("utf-8", "surrogateescape"))
        self.end(b"\n")

    def take(self) -> bytes:
        """All that is waiting, in UTF-8; then there is nothing."""
        found = self._text.getvalue()
        self._text.truncate(0)
        self.lines = 0
        return found

    def number(self, number: i64) -> None:
        """In decimal; from 0 up."""
        if COMPILED:
            _digits(self._text, number)
        else:
            self._text.write(b"%d" % number)

    def seconds(self, now: i64) -> None:
        """µs as json.dumps writes them in seconds."""
        whole = now // SECOND
        if whole == 0 or whole >= _FLOAT_FROM:
            self._text.write(repr(now / SECOND).encode())
            return
        if whole != self._second:
            self._second, self._second_text = whole, b"%d." % whole
        self._text.write(self._second_text)
        part = now - whole * SECOND
        if not COMPILED:
            self._text.write((b"%06d" % part).rstrip(b"0") or b"0")
            return
        width: i64 = 6
        while width > 1 and part % 10 == 0:
            part //= 10
            width -= 1
        _decimal(self._text, part, width)

    def hex(self, data: bytes, start: i64, end: i64) -> None:
        """Bytes from `start` to `end` in hexadecimal."""
        if not COMPILED:
            self._text.write(hexlify(data[start:end]))
            return
        text = self._text
        while start + 4 <= end:
            four = i64(read_i32_be(data, start))
            # eight_digits, written out: a call would cost as much as it does
            spread = four & 0xFFFFFFFF
            spread = (spread | spread << 16) & 0x0000FFFF0000FFFF
            spread = (spread | spread << 8) & 0x00FF00FF00FF00FF
            spread = (spread | spread << 4) & 0x0F0F0F0F0F0F0F0F
            letters = (spread + 0x0606060606060606) >> 4 & 0x0101010101010101
            write_i64_be(text, spread + 0x3030303030303030 + letters * 39)
            start += 4
        while start < end:
            one: i64 = data[start]
            high, low = one >> 4 & 15, one & 15
            text.append(u8(high + (48 if high < 10 else 87)))
            text.append(u8(low + (48 if low < 10 else 87)))
            start += 1

    def word(self, four: i64) -> None:
        """32 bits in hexadecimal."""
        if COMPILED:
            write_i64_be(self._text, eight_digits(four))
        else:
            self._text.write(b"%08x" % four)


def eight_digits(four: i64) -> i64:
    """The ASCII codes of the hexadecimal digits of 32 bits, all at once: a nibble a byte, then 48 on each, and 39 more from ten on."""
    spread = four & 0xFFFFFFFF
    spread = (spread | spread << 16) & 0x0000FFFF0000FFFF
    spread = (spread | spread << 8) & 0x00FF00FF00FF00FF
    spread = (spread | spread << 4) & 0x0F0F0F0F0F0F0F0F
    letters = (spread + 0x0606060606060606) >> 4 & 0x0101010101010101
    return spread + 0x3030303030303030 + letters * 39


def _digits(text: BytesWriter, number: i64) -> None:
    if number >= 100_000_000:
        _digits(text, number // 100_000_000)
        _decimal(text, number % 100_000_000, 8)
        return
    width: i64 = 0
    rest = number
    while rest or not width:
        rest //= 10
        width += 1
    _decimal(text, number, width)


def _decimal(text: BytesWriter, number: i64, width: i64) -> None:
    """So many digits, eight at most: gathered from the last on, written from the first on."""
    gathered: i64 = 0
    left = width
    while left:
        gathered = gathered << 8 | (48 + number % 10)
        number //= 10
        left -= 1
    while width:
        text.append(u8(gathered & 255))
        gathered >>= 8
        width -= 1
