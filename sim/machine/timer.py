"""Timer: one thing that will happen at a time, and can be moved or called off. On SimPy's queue, and really off it when stopped.

A SimPy timeout cannot be withdrawn; left in the queue it would make the simulation go on to a time at which nothing happens.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import simpy


class Timer:
    """Calls `action` at a time. `at` is that time in µs, None while the timer is stopped."""

    __slots__ = ("_action", "_env", "_event", "at")

    def __init__(self, env: simpy.Environment, action: Callable[[], None]) -> None:
        self._env = env
        self._action = action
        self._event: simpy.Event | None = None
        self.at: int | None = None

    def start(self, delay: int) -> None:
        """Call the action `delay` µs from now (and not at another time any more)."""
        self.start_at(int(self._env.now) + delay)

    def start_at(self, at: int) -> None:
        """Call the action at the time `at`; at once (in this instant, after what goes on) when that is past."""
        if at == self.at:
            return
        self.stop()
        event = simpy.Event(self._env)
        event._ok = True
        event._value = None
        assert event.callbacks is not None
        event.callbacks.append(self._fire)
        self._env.schedule(event, delay=max(0, at - int(self._env.now)))
        self._event, self.at = event, at

    def stop(self) -> None:
        """Call it off."""
        if self._event is None:
            return
        queue = self._env._queue
        index = next((i for i, entry in enumerate(queue) if entry[3] is self._event), None)
        if index is not None:
            queue[index] = queue[-1]
            queue.pop()
            heapq.heapify(queue)
        self._event = self.at = None

    def _fire(self, event: simpy.Event) -> None:
        if event is self._event:
            self._event = self.at = None
            self._action()
