"""Patience: for how long, in reality, somebody waits for what is computed. A simulation in whose midst it ends stops there and says so.

Simulated time, events and memory are limits of a scenario (its budget), the same on every machine. This one is the machine's own: it
holds for a stranger's file that keeps within those and is slow all the same. Nothing here reads a clock: who waits brings one.

    with patience(20, time.thread_time):
        simulation.run()                    # simulation.ended says it, should it take longer
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sim.errors import BudgetExceeded

SPENT = "This experiment has used up its"
SMALLER = "Go back in time and try something smaller."
_deadline: ContextVar[tuple[Callable[[], float], float, float] | None] = ContextVar("deadline", default=None)


@contextmanager
def patience(seconds: float, clock: Callable[[], float]) -> Iterator[None]:
    """All that is computed inside has `seconds` of `clock` together. Inside another patience, the outer one holds."""
    if _deadline.get() is not None:
        yield
        return
    token = _deadline.set((clock, clock() + seconds, seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def check_patience() -> None:
    """Raises BudgetExceeded when the time is over; without anybody who waits, never."""
    waited = _deadline.get()
    if waited is not None and waited[0]() > waited[1]:
        seconds = waited[2]
        raise BudgetExceeded("computing", int(seconds), f"{SPENT} {seconds:g} s of computing on this machine. {SMALLER}")

