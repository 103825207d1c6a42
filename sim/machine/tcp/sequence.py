"""Sequence numbers: 32 bits that wrap (RFC 9293 section 3.4)."""

from __future__ import annotations

_MASK = 0xFFFFFFFF
_HALF = 0x80000000


def plus(seq: int, count: int) -> int:
    """`seq` + `count`, wrapped."""
    return (seq + count) & _MASK


def distance(first: int, last: int) -> int:
    """How far `last` lies behind `first`; negative when it lies ahead of it."""
    return ((last - first + _HALF) & _MASK) - _HALF


def before(one: int, other: int) -> bool:
    """Whether `one` comes earlier."""
    return distance(one, other) > 0


def after(one: int, other: int) -> bool:
    """Whether `one` comes later."""
    return distance(other, one) > 0
