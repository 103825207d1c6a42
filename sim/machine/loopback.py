"""lo without a scheduler: each packet comes in when the one before has been dealt with, so that answers do not nest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sim.netfilter.skb import Skb


class LoopQueue:
    """Gives what is `put` to `come_in`, one after the other."""

    def __init__(self, come_in: Callable[[Skb], None]) -> None:
        self._come_in = come_in
        self._waiting: deque[Skb] = deque()
        self._busy = False

    def put(self, skb: Skb) -> None:
        """A packet went out on lo."""
        self._waiting.append(skb)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                self._come_in(self._waiting.popleft())
        finally:
            self._busy = False
