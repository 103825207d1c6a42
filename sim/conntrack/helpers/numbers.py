"""Addresses and numbers in text, read exactly as the kernel reads them: in4_pton and in6_pton (net/core/utils.c, Linux 6.18)."""

from __future__ import annotations

from typing import Final

from sim.units import Address

ANY: Final = -1
"""For `delimiter`: whatever is no part of an address ends it."""
_XDIGIT, _DIGIT, _COLON_1, _COLON_2, _COLON_1_2 = 0x10000, 0x20000, 0x100000, 0x200000, 0x400000
_COLON, _DOT, _DELIM, _NULL, _UNKNOWN = 0x700000, 0x800000, 0x10000000, 0x20000000, 0x40000000
_HEX = {ord(digit): value for value, digit in enumerate("0123456789abcdef")} | {ord(d): 10 + n for n, d in enumerate("ABCDEF")}
_AFTER_COLON = {
    _COLON_1 | _COLON_1_2: _XDIGIT | _COLON_2,
    _COLON_1: _XDIGIT,
    _COLON_1_2: _COLON_2,
}


def is_digit(byte: int) -> bool:
    """0 to 9."""
    return 48 <= byte <= 57


def is_alpha(byte: int) -> bool:
    """The kernel's isalpha: letters of Latin-1 (lib/ctype.c)."""
    return 65 <= byte <= 90 or 97 <= byte <= 122 or (byte >= 192 and byte not in (215, 247))


def decimal(data: bytes, at: int) -> tuple[int, int]:
    """(number, offset behind it) as simple_strtoul reads digits; 0 where there are none."""
    end = at
    while end < len(data) and is_digit(data[end]):
        end += 1
    return int(data[at:end] or b"0"), end


def _kind(byte: int, delimiter: int) -> int:
    if byte == delimiter or byte == 0:
        return _DELIM
    if byte == 58:
        return _COLON
    if byte == 46:
        return _DOT
    value = _HEX.get(byte)
    if value is not None:
        return value | _XDIGIT | (_DIGIT if value < 10 else 0)
    return _DELIM if delimiter == ANY else _UNKNOWN


def ipv4(data: bytes, at: int, limit: int, delimiter: int) -> tuple[Address, int] | None:
    """(address, offset behind it) of four numbers and the delimiter, `limit` or a colon; None for anything else."""
    octets: list[int] = []
    number = -1
    while True:
        kind = _kind(data[at] if at < limit else 0, delimiter)
        if kind & (_DOT | _DELIM | _COLON):
            if number < 0:
                return None
            octets.append(number)
            number = -1
            if not kind & _DOT:
                return (bytes(octets), at) if len(octets) == 4 else None
            if len(octets) == 4:
                return None
        elif kind & _DIGIT:
            number = max(number, 0) * 10 + (kind & 15)
            if number > 255:
                return None
        else:
            return None
        at += 1


class _Words:
    """The words of an IPv6 address so far: `state` is what may come next, `gap` where `::` stood."""

    def __init__(self) -> None:
        self.bytes = b""
        self.gap: int | None = None
        self.word = 0
        self.state = _COLON_1_2 | _XDIGIT | _NULL

    def end_word(self) -> None:
        """A colon or the end."""
        if not self.state & _NULL:
            self.bytes += self.word.to_bytes(2)
        self.word = 0

    def colon(self) -> None:
        """What may follow this colon."""
        seen = self.state & _COLON
        if seen == _COLON_2:
            self.gap = len(self.bytes)
            self.state = _XDIGIT | _DELIM | (_NULL if self.gap >= 16 else 0)
        else:
            self.state = _AFTER_COLON.get(seen, 0)

    def digit(self, value: int) -> None:
        """One more digit, and what may follow it."""
        size = len(self.bytes)
        self.word = self.word << 4 | value
        state = _COLON_1 | _DELIM
        if not self.word & 0xF000:
            state |= _XDIGIT
        if self.gap is None and size + 2 < 16:
            state = (state | _COLON_1_2) & ~_DELIM
        if size + 2 >= 16:
            state &= ~(_COLON_1 | _COLON_1_2)
        if (self.gap is not None and size + 4 < 16) or size + 4 == 16:
            state |= _DOT
        if size >= 16:
            state &= ~(_XDIGIT | _COLON)
        self.state = state

    def whole(self) -> Address:
        """The address, with `::` filled up."""
        if self.gap is None:
            return (self.bytes + bytes(16))[:16]
        return self.bytes[: self.gap] + bytes(16 - len(self.bytes)) + self.bytes[self.gap :]


def ipv6(data: bytes, at: int, limit: int, delimiter: int) -> tuple[Address, int] | None:
    """(address, offset behind it); None for anything else."""
    words, start = _Words(), at
    while True:
        kind = _kind(data[at] if at < limit else 0, delimiter)
        if not kind & words.state:
            return None
        if kind & (_DELIM | _COLON):
            words.end_word()
            if kind & _DELIM:
                return words.whole(), at
            words.colon()
            start = at + 1
        elif kind & _DOT:
            tail = ipv4(data, start, limit, delimiter)
            if tail is None:
                return None
            words.bytes += tail[0]
            return words.whole(), tail[1]
        else:
            words.digit(kind & 15)
        at += 1


def address(data: bytes, at: int, limit: int, size: int, delimiter: int = ANY) -> tuple[Address, int] | None:
    """The same for an address of `size` bytes."""
    return (ipv4 if size == 4 else ipv6)(data, at, limit, delimiter)
