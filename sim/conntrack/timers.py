"""Timers: what ends when. Exact to the microsecond, and a packet pays nothing for them.

Refreshing an entry only moves its `expires`. Each entry waits in the slot of its second, a plain list; when that second comes, those
whose end has moved go on to a later slot, and the few that do end in it are put into order. So an entry costs one place in a list, and
is looked at once in as long as its time-out was.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from sim.conntrack.conn import UNSCHEDULED, Timed

if TYPE_CHECKING:
    from mypy_extensions import i64

NEVER: Final = 1 << 62
SLOT: Final = 1 << 20
"""How long a slot is, µs."""
FEW: Final = 4096
"""So many void places are never swept."""


class Timers:
    """`due` is a time before which nothing can end."""

    due: i64
    _places: i64

    def __init__(self) -> None:
        self.due = NEVER
        self._slots: dict[int, list[Timed]] = {}
        self._begins: list[int] = []
        self._soon: list[tuple[int, int, int, Timed]] = []
        self._serial = 0
        self._places = 0
        self._waiting = 0

    def set(self, timed: Timed) -> None:
        """`timed.expires` became earlier than `timed.scheduled`, or it has no place yet."""
        if timed.scheduled == UNSCHEDULED:
            self._waiting += 1
        self._put(timed)
        if self._places > 2 * self._waiting + FEW:
            self._sweep()

    def _put(self, timed: Timed) -> None:
        begin = timed.expires & -SLOT
        timed.scheduled = begin
        slot = self._slots.get(begin)
        if slot is None:
            self._slots[begin] = [timed]
            heappush(self._begins, begin)
        else:
            slot.append(timed)
        self._places += 1
        if begin < self.due:
            self.due = begin

    def next(self) -> int | None:
        """The exact time at which something ends next, or None."""
        while True:
            soon = self._soon
            while soon and soon[0][3].scheduled != soon[0][0]:
                heappop(soon)
            if self._begins and (not soon or self._begins[0] <= soon[0][0]):
                self._open(heappop(self._begins))
                continue
            if not soon:
                self.due = NEVER
                return None
            when, _, _, timed = soon[0]
            if timed.expires > when:
                heappop(soon)
                self._put(timed)
                continue
            self.due = when
            return when

    def _open(self, begin: int) -> None:
        """A slot's time has come: put in order what ends in it, move what ends later."""
        slot = self._slots.pop(begin)
        self._places -= len(slot)
        for timed in slot:
            if timed.scheduled != begin:
                continue
            if timed.expires < begin + SLOT:
                timed.scheduled = timed.expires
                self._serial += 1
                heappush(self._soon, (timed.expires, timed.id, self._serial, timed))
            else:
                self._put(timed)

    def pop(self, now: int) -> Timed | None:
        """Take out one thing that has ended by `now`, earliest first, then oldest; or None."""
        when = self.next()
        if when is None or when > now:
            return None
        timed = heappop(self._soon)[3]
        self.cancel(timed)
        return timed

    def cancel(self, timed: Timed) -> None:
        """Forget it; its place is void."""
        if timed.scheduled != UNSCHEDULED:
            timed.scheduled = UNSCHEDULED
            self._waiting -= 1

    def _sweep(self) -> None:
        """Most places are void (connections that ended long before their time-out): let go of what stands in them."""
        waiting = {id(timed): timed for slot in self._slots.values() for timed in slot if timed.scheduled != UNSCHEDULED}
        self._slots.clear()
        self._begins.clear()
        self._places = 0
        for timed in waiting.values():
            self._put(timed)
