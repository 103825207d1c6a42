"""Lines: a replay's frames turned into lines of JSON on a page, one after the other. Plain packets take the lane, the rest the whole way.

Not in here: what becomes of a packet (lane.py, wall.py), commands in between (run.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.edges.frames import Frames
from sim.edges.replay.arrival import OWN
from sim.edges.replay.lane import Lane
from sim.edges.replay.outcome import Outcome
from sim.edges.replay.page import Page
from sim.edges.replay.text import Writer

if TYPE_CHECKING:
    from mypy_extensions import i64

    from sim.edges.replay.run import Replay

AT_ONCE: Final = 256
"""How many lines are written at once."""
NEVER: Final = 1 << 62


class Lines:
    """The lines of `replay` on `page`; `trace`: with every rule tried. `next_us`: when the frame comes that still waits, or -1."""

    next_us: i64
    _base: i64

    def __init__(self, replay: Replay, page: Page, trace: bool) -> None:
        self.lane = Lane(replay.wall, replay.arrivals, page)
        self.next_us = -1
        self._replay = replay
        self._page = page
        self._trace = trace
        self._writer = Writer()
        self._base = -1

    def some(self, frames: Frames, until: i64) -> bool:
        """The next lines, of frames ahead of `until` (µs since the first). False: there are no more. Raises what the frames raise."""
        wall, page, waits = self._replay.wall, self._page, self.next_us >= 0
        self.next_us = -1
        while page.lines < AT_ONCE:
            if not waits and not frames.step():
                return False
            waits = False
            time_us = frames.time_us
            if self._base < 0:
                self._base = time_us
            now: i64 = wall.now
            time_us = time_us - self._base if time_us else now
            if time_us >= until:
                self.next_us = time_us
                return True
            if time_us > now:
                wall.now = now = time_us
            data = frames.data
            if not data or frames.outgoing or self._trace or not self.lane.write(frames.number, data, frames.interface, now):
                self._write(frames, data)
        return True

    def _write(self, frames: Frames, data: bytes | None) -> None:
        """The whole way."""
        replay, lane, number = self._replay, self.lane, frames.number
        if not data or frames.outgoing or self._trace:
            self._put(replay.one(frames.frame()))
            return
        dev = replay.arrivals.device(frames.interface, data)
        if dev == OWN:
            self._put(replay.leaving(frames.frame(), data, dev))
            return
        if lane.judged is None:
            outcome = replay.wall.receive(data, dev, number)
        else:
            outcome = replay.wall.go_on(lane.judged, data, dev, lane.ctinfo)
        replay.remember(outcome)
        self._put(outcome)

    def _put(self, outcome: Outcome) -> None:
        wall, writer = self._replay.wall, self._writer
        conn = wall.lookup(outcome.data) if outcome.data and outcome.verdict else None
        self._page.line(writer.traced(outcome, conn, wall.now) if self._trace else writer.line(outcome, conn, wall.now))
