"""The steps of a capture: its packets, in the devices where they arrive, at their own times or as fast as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sim.edges.frames import Frame
from sim.edges.replay.arrival import OWN, Arrivals, ByAddress, BySides
from sim.edges.verify.plan import Age, Feed, Step

TOLERANCE: Final = 20_000
"""µs that steps may be behind their own time, before time is made to pass."""


def of_capture(frames: Iterable[Frame], addresses: Mapping[str, Sequence[str]], timed: bool = False) -> Iterator[Step]:
    """A Feed for each packet, and with `timed` an Age for the time between.

    `addresses` {}: two devices, and who speaks first stands behind the first, as `ctlab replay` has it.
    """
    arrivals: Arrivals = ByAddress(addresses) if addresses else BySides(("lan", "wan"))
    clock = Clock()
    for frame in frames:
        if not frame.data or frame.outgoing:
            continue
        if timed and frame.time_us:
            yield from clock.to(frame.time_us)
        dev = arrivals.device(frame.interface, frame.data)
        yield Feed(None if dev == OWN else dev, frame.data, frame.number)


class Clock:
    """Says when time must pass: the first moment is the beginning, a moment that is earlier than the one before stands still."""

    def __init__(self) -> None:
        self._at: int | None = None

    def to(self, time_us: int) -> Iterator[Age]:
        """An Age where `time_us` is much later than the last time."""
        if self._at is None:
            self._at = time_us
        elif time_us - self._at > TOLERANCE:
            yield Age(time_us - self._at)
            self._at = time_us
