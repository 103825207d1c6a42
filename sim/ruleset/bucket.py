"""Token buckets behind limits, with the kernel's arithmetic: xt_limit counts credits per jiffy, nft_limit nanoseconds.

Sources: net/netfilter/xt_limit.c, net/netfilter/nft_limit.c, Linux 6.18, HZ=250.
"""

from __future__ import annotations

from typing import Protocol

from sim.ruleset.model import Limit

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_HZ = 250
_JIFFY = 1_000_000 // _HZ
_CREDITS_PER_JIFFY = 128  # the power of two below 0xFFFFFFFF / (HZ * 60 * 60 * 24)
XT_SCALE = 10_000
XT_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class Bucket(Protocol):
    """`take` answers whether the limit's part matches a packet of `size` bytes at `now` (µs)."""

    def take(self, now: int, size: int) -> bool: ...


def bucket(limit: Limit) -> Bucket:
    """A full bucket for this limit."""
    return _XtLimit(limit) if limit.iptables else _NftLimit(limit)


class _XtLimit:
    """limit_mt: credit grows with the jiffies and a packet costs so much of it."""

    def __init__(self, limit: Limit) -> None:
        average = XT_SCALE * UNITS[limit.unit] // limit.rate
        self._cost = _credits(average)
        self._cap = self._credit = _credits(average * limit.burst)
        self._last = 0

    def take(self, now: int, size: int) -> bool:
        jiffies = now // _JIFFY
        self._credit = min(self._cap, self._credit + (jiffies - self._last) * _CREDITS_PER_JIFFY)
        self._last = jiffies
        if self._credit < self._cost:
            return False
        self._credit -= self._cost
        return True


def _credits(user: int) -> int:
    """user2credits: the order of multiplying and dividing depends on what would overflow 32 bits."""
    user &= 0xFFFFFFFF
    if user > 0xFFFFFFFF // (_HZ * _CREDITS_PER_JIFFY):
        return (user // XT_SCALE) * _HZ * _CREDITS_PER_JIFFY & 0xFFFFFFFF
    return user * _HZ * _CREDITS_PER_JIFFY // XT_SCALE


def xt_limit_overflows(limit: Limit) -> bool:
    """Whether the kernel refuses the limit because its burst does not fit in 32 bits (limit_mt_check: ERANGE)."""
    average = XT_SCALE * UNITS[limit.unit] // limit.rate
    return limit.burst == 0 or _credits(average * limit.burst) < _credits(average)


class _NftLimit:
    """nft_limit_eval: tokens are nanoseconds; the bucket of bytes is larger by one unit than its burst."""

    def __init__(self, limit: Limit) -> None:
        self._nsecs = UNITS[limit.unit] * 1_000_000_000
        self._rate, self._over, self._bytes = limit.rate, limit.over, limit.per == "bytes"
        if self._bytes:
            self._max = self._nsecs * (limit.rate + limit.burst) // limit.rate
        else:
            self._max = self._nsecs // limit.rate * (limit.burst or 5)
        self._tokens, self._last = self._max, 0

    def take(self, now: int, size: int) -> bool:
        tokens = min(self._max, self._tokens + (now - self._last) * 1000)
        self._last = now
        cost = self._nsecs * size // self._rate if self._bytes else self._nsecs // self._rate
        enough = tokens >= cost
        self._tokens = tokens - cost if enough else tokens
        return enough != self._over
