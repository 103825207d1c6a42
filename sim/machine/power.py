"""Power: a machine's events as long as it has current. Taken away, nothing that it waited for comes any more: memory forgets, disks do not.

    env = Powered(simulation's environment);  Machine("server", env, …);  lose(machine)

`lose` tells what goes with the memory: entries, expectations, sockets, rules. Not in here: what comes up at the next boot (assembly.py).
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import simpy

from sim.conntrack.expect import view
from sim.conntrack.show import traced
from sim.trace import Emit, EntryDestroyed, Expectation, Reason, RulesLoaded, SocketChanged

if TYPE_CHECKING:
    from sim.machine.machine import Machine

LOST = Reason("power", "The machine lost its power, and its memory with it: nothing is known any more.")


class Powered(simpy.Environment):
    """The events of one machine, on the queue of the whole simulation and in its order. `on` says whether it has current."""

    def __init__(self, whole: simpy.Environment) -> None:
        # not the parent's: queue, numbers and time are the whole simulation's
        self._whole = whole
        self._queue, self._eid = whole._queue, whole._eid
        self._active_proc = None
        self.on = True

    @property
    def _now(self) -> int:  # type: ignore[override]
        return self._whole._now  # type: ignore[return-value]

    @property
    def now(self) -> int:
        """The simulation's time in µs."""
        return self._whole._now  # type: ignore[return-value]

    def schedule(self, event: simpy.Event, priority: int = 1, delay: float = 0) -> None:
        """As SimPy's; without current nothing is to come."""
        if self.on:
            entry: tuple[float, Any, int, simpy.Event] = (self._whole._now + delay, priority, next(self._eid), event)
            heapq.heappush(self._queue, entry)

    def off(self) -> None:
        """No current: what was to come is off the queue, and nothing comes onto it."""
        self.on = False
        self._queue[:] = [entry for entry in self._queue if entry[3].env is not self]
        heapq.heapify(self._queue)


def lose(machine: Machine) -> None:
    """Take a machine's current away, and tell what is gone with it."""
    if machine.emit is not None:
        _tell(machine, machine.emit)
    if isinstance(machine.env, Powered):
        machine.env.off()
    machine.detach()


def _tell(machine: Machine, emit: Emit) -> None:
    now, tracker = int(machine.env.now), machine.ip.tracker
    for master in tracker.table:
        for expected in tracker.expectations.of(master):
            emit(Expectation("removed", master.id, None, view(expected), LOST))
    for conn in tracker.table:
        emit(EntryDestroyed(conn.id, None, traced(conn, now), LOST))
    for row in machine.sockets():
        emit(SocketChanged(row.id, row.protocol, row.local, row.remote, "CLOSED", row.program))
    if machine.ip.rules.ruleset.tables:
        emit(RulesLoaded((), "power off"))
