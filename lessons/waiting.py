"""How long ctlab waits for what a stranger's lesson or scenario computes, in seconds of the processor: time in which it has to wait for
others does not count against it. What happens at the end is sim/patience.py's.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

from sim.patience import patience

SECONDS = 20.0
"""For one reading, rehearsal, judgement, or request of a page. The slowest lesson of ctlab's own takes a hundredth of it."""


def waiting() -> AbstractContextManager[None]:
    """Within it, at most SECONDS are computed."""
    return patience(SECONDS, time.thread_time)
