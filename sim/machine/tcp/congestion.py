"""How much may be on its way: slow start and Reno (RFC 5681, 6582), in segments.

Linux's usual CUBIC grows otherwise after a loss. A person sees no difference in conversations that end in slow start.
"""

from __future__ import annotations

from sim.machine.tcp.sequence import before

_INITIAL = 10  # TCP_INIT_CWND


class Congestion:
    """`window` in segments; `recovering` until what was in flight at the loss (`_until`) has been acknowledged."""

    __slots__ = ("_grown", "_until", "delivered", "duplicates", "recovering", "threshold", "trip", "window")

    def __init__(self) -> None:
        self.window = _INITIAL
        self.threshold = 1 << 30
        self.recovering = False
        self.duplicates = 0
        self.delivered = (-1, 0)  # RACK: of the segment sent last of those that arrived, when it was sent, and its end
        self.trip = 0  # ... and how long it took
        self._until = self._grown = 0

    def acked(self, count: int, una: int) -> None:
        """`count` segments were acknowledged."""
        self.duplicates = 0
        if self.recovering and not before(una, self._until):
            self.recovering = False
        if self.window < self.threshold:
            self.window = min(self.window + count, max(self.threshold, self.window))
            return
        if not self.recovering:
            self._grown += count
            if self._grown >= self.window:
                self._grown -= self.window
                self.window += 1

    def reduce(self, flight: int, nxt: int) -> None:
        """A segment was lost, others arrive: halve."""
        self.threshold = max(2, (flight + 1) // 2)
        self.window = self.threshold
        self.recovering, self._until = True, nxt

    def timed_out(self, flight: int, nxt: int, *, again: bool) -> None:
        """Nothing arrives: back to one segment."""
        if not again:
            self.threshold = max(2, flight // 2)
        self.window = 1
        self.recovering, self._until = True, nxt
