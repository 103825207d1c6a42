"""Where rules count in real time (limits, lists with seconds, sets whose elements end), a comparison waits with the kernel: patient().

The kernel's entries can be made older, its limits cannot: they refill by its own clock. Waiting has an end (LONGEST, a run); packets
after it are left out, and that is said. Not in here: comparing (against_kernel.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from sim.edges.verify.plan import Age, Feed, Load, Plan, Step, Wait
from sim.units import SECOND

LONGEST: Final = 45 * SECOND
"""µs that one run really waits."""
_COUNTING = {
    "limit": re.compile(r"-m limit |\blimit rate "),
    "hashlimit": re.compile(r"-m hashlimit "),
    "recent": re.compile(r"-m recent .*--(?:seconds|reap)"),
    "timeout": re.compile(r"^\s*timeout \d|flags [a-z,]*\btimeout\b|\} timeout \d|\btimeout \d+[a-z0-9]* expires", re.M),
}


class Patient(NamedTuple):
    """The steps with real pauses in them, how long those are (µs), and where they must end: `cut` µs after the beginning (None: never),
    with the packets `left` out after that, because of the word `why`.
    """

    steps: tuple[Step, ...]
    waits: int
    cut: int | None = None
    left: int = 0
    why: str = ""


def counting(rules: Load) -> str:
    """The word for what counts in real time among these rules; "" where nothing does."""
    text = "\n".join(rules)
    return next((word for word, pattern in _COUNTING.items() if pattern.search(text)), "")


def patient(plan: Plan, steps: Sequence[Step]) -> Patient:
    """What is waited for is what passes while rules that count in real time are loaded and ahead of a packet."""
    why, waits, at, made = counting(plan.rules), 0, 0, list[Step]()
    last = max((index for index, step in enumerate(steps) if isinstance(step, Feed)), default=-1)
    for index, step in enumerate(steps):
        if isinstance(step, Load):
            why = counting(step)
        if not isinstance(step, Age):
            made.append(step)
            continue
        at += step.us
        if not why or index > last:
            made.append(step)
        elif waits + step.us > LONGEST:
            left = sum(isinstance(other, Feed) for other in steps[index:])
            return Patient(tuple(made), waits, at, left, why)
        else:
            waits += step.us
            made.append(Wait(step.us / SECOND))
    return Patient(tuple(made), waits)
