"""When the kernel's timer ticks: so that a packet and the look at its entry fall between two ticks, and time-outs read exact.

Conntrack counts time-outs in jiffies and shows them as whole seconds, rounded down: one tick between packet and look, and
30 s reads 29. Ticks come every 1/HZ s at a fixed phase of CLOCK_MONOTONIC (kernel/time/tick-sched.c, 6.18). The moment is
seen in the coarse clock, which goes on with them (its own value lags behind, and it stands still on an idle machine).
"""

from __future__ import annotations

import time
from typing import Final

MONOTONIC_COARSE: Final = 6
"""CLOCK_MONOTONIC_COARSE of linux/time.h, which Python does not name."""
ROOM_NS: Final = 400_000
"""What must be left of a tick for one packet: it takes a tenth of that, and a tick is seen up to 0.1 ms late."""
SETTLE_NS: Final = 50_000
"""How long after its moment a tick may still be at work."""


class Ticks:
    """Knows the length and phase of the kernel's ticks; takes three of them (12 ms at 250 Hz) to find out."""

    def __init__(self) -> None:
        self._length = max(round(time.clock_getres(MONOTONIC_COARSE) * 1e9), 2 * ROOM_NS)
        self._phase = min(self._next() % self._length for _ in range(3))

    def _next(self) -> int:
        before = after = time.clock_gettime_ns(MONOTONIC_COARSE)
        while after == before:
            after = time.clock_gettime_ns(MONOTONIC_COARSE)
        return time.monotonic_ns()

    def began_ns(self, number: int) -> int:
        """When tick `number` began, by CLOCK_MONOTONIC: what the kernel's time is until the next one."""
        return number * self._length + self._phase

    def now(self) -> int:
        """The number of the present tick."""
        return (time.monotonic_ns() - self._phase) // self._length

    def wait_for_room(self) -> int:
        """Wait (at most 0.45 ms) until the present tick has room for a packet; returns its number."""
        while True:
            number, into = divmod(time.monotonic_ns() - self._phase, self._length)
            if SETTLE_NS < into < self._length - ROOM_NS:
                return number
