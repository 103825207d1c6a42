"""What happens in a scenario by itself at its time: a line typed, a key, a packet, a change of a link; once or again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

from pydantic import Field

from sim.craft import sendable
from sim.document import Strict
from sim.errors import UsageError
from sim.inputs import Crafted, Input, link_change, power, typed
from sim.scenario.words import Line, Time, Word
from sim.units import SECOND

MOST = 10_000
"""Inputs that the traffic of one scenario may come to."""


class TrafficSpec(Strict):
    """At `at` one of: `type` (a line, or ^C or ^D) at `terminal`; `packet` (see craft.py) from `machine`; `change` of `link`
    (down, up, delay 200ms, loss 10%); `power` of `machine` (off, on, reset). `times`: how often in all, one each `every`.
    """

    at: Time
    terminal: Word | None = None
    type: Line | None = None
    machine: Word | None = None
    packet: Line | None = None
    link: Line | None = None
    change: Line | None = None
    power: Line | None = None
    every: Time = SECOND
    times: Annotated[int, Field(ge=1, le=MOST)] = 1

    def input(self) -> Input:
        """What is given to the simulation. Raises UsageError for a packet or change that is none."""
        kind = self.kind()
        if kind is None:
            raise UsageError(WANTED)
        return _INPUTS[kind](self)

    def kind(self) -> str | None:
        """Which of them it is: "type", "packet", "change" or "power"; None when it is none of them, or two."""
        said = {name for name in ("terminal", "type", "machine", "packet", "link", "change", "power") if getattr(self, name) is not None}
        return next((what for where, what in _PAIRS if said == {where, what}), None)

    def times_of(self) -> Iterator[int]:
        """When it happens, in µs."""
        return (self.at + number * self.every for number in range(self.times))


def _crafted(spec: TrafficSpec) -> Input:
    sendable(spec.packet or "")
    return Crafted(str(spec.machine), spec.packet or "")


_PAIRS = (("terminal", "type"), ("machine", "packet"), ("link", "change"), ("machine", "power"))
WANTED = "say one of: `terminal` and `type`, `machine` and `packet`, `link` and `change`, `machine` and `power`"
_INPUTS: dict[str, Callable[[TrafficSpec], Input]] = {
    "type": lambda spec: typed(str(spec.terminal), spec.type or ""),
    "packet": _crafted,
    "change": lambda spec: link_change(str(spec.link), spec.change or ""),
    "power": lambda spec: power(str(spec.machine), spec.power or ""),
}
