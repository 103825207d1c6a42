"""What a NAT rule asks for: NatRange (struct nf_nat_range2), and the kernel's jhash that spreads connections over addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.units import Address

_M: Final = 0xFFFFFFFF
_JHASH_INITVAL: Final = 0xDEADBEEF


@dataclass(frozen=True, slots=True)
class NatRange:
    """`low` to `high`: the addresses, None to leave the address alone; `ports`: (lowest, highest), None to keep the port if it is free.

    `base`: with ports, the port that goes to the lowest, the next to the next (NF_NAT_RANGE_PROTO_OFFSET), or None. `random`: choose
    ports at random even where the old one is free (NF_NAT_RANGE_PROTO_RANDOM or _RANDOM_FULLY: the kernel makes no difference since
    5.0); `persistent`: the same client gets the same address whatever it talks to.
    """

    low: Address | None = None
    high: Address | None = None
    ports: tuple[int, int] | None = None
    base: int | None = None
    random: bool = False
    persistent: bool = False


def single(address: Address) -> NatRange:
    """One address, any port: what a connection that no rule matched is bound to (nf_nat_alloc_null_binding)."""
    return NatRange(address, address)


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _M


def jhash2(words: list[int], initval: int) -> int:
    """jhash2 (include/linux/jhash.h) of 32-bit words."""
    a = b = c = (_JHASH_INITVAL + (len(words) << 2) + initval) & _M
    at = 0
    while len(words) - at > 3:
        a, b, c = _mixed((a + words[at]) & _M, (b + words[at + 1]) & _M, (c + words[at + 2]) & _M)
        at += 3
    rest = words[at:]
    if not rest:
        return c
    first, second, third = [*rest, 0, 0][:3]
    return _finished((a + first) & _M, (b + second) & _M, (c + third) & _M)


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    """__jhash_mix."""
    for bits in (4, 6, 8, 16, 19, 4):
        a = ((a - c) & _M) ^ _rotated(c, bits)
        c = (c + b) & _M
        a, b, c = b, c, a
    return a, b, c


def _finished(a: int, b: int, c: int) -> int:
    """__jhash_final."""
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _rotated(b, bits)) & _M
        a, b, c = b, c, a
    return b


def spread(value: int, size: int) -> int:
    """reciprocal_scale: a 32-bit value onto 0 ... size - 1."""
    return value * size >> 32
