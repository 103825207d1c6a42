"""Simulation: a scenario at work. Runs to a time or a condition, takes inputs at a time, forks the past.

A simulation is a function of (scenario, seed, inputs): the same three give the same trace, byte for byte. An input at time t comes after
all that happens at t by itself; what was given later than the present is applied when the run gets there. Forking replays
the inputs up to t in a new simulation; nothing is ever undone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import simpy

from sim.asking import STATES, Asked
from sim.build import World, build
from sim.errors import BudgetExceeded, UsageError, did_you_mean
from sim.inputs import (
    Attempt,
    Command,
    Crafted,
    Input,
    Key,
    Line,
    LinkChange,
    Power,
    RulesChange,
    RulesKept,
    check_input,
    to_json,
    typed,
)
from sim.patience import SMALLER, SPENT, check_patience
from sim.scenario import Scenario
from sim.trace import EVENTS, InputGiven, Noted, Output, Record, Trace
from sim.units import SECOND, show_time

QUIET = 3_000_000  # µs without any event after which a person would say that nothing more happens
INFINITE = 1 << 62
STEPS_PER_RECORD = 20
_RECORD = ("n", "t", "machine", "packet")
"""What every record has, and the packet that it is about."""
STEPS_PER_LOOK = 32  # at the clock of who waits


class Simulation:
    """`scenario` at work from time 0. `seed` overrides the scenario's; `inputs` are (time in µs, input), in order of time.

    `records` is the trace so far, `now` the time in µs, `ended` the budget's message once a limit was met, else "".
    """

    def __init__(self, scenario: Scenario, seed: int | None = None, inputs: Sequence[tuple[int, Input]] = ()) -> None:
        if not isinstance(scenario, Scenario):
            raise UsageError(f"a Scenario is wanted here, not {type(scenario).__name__}: Scenario.of, from_text and from_file make one")
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self.env = simpy.Environment()
        self.trace = Trace(lambda: self.now)
        self.world: World = build(scenario, self.seed, self.env, self.trace)
        self.given: list[tuple[int, Input]] = []
        self.ended = ""
        self._steps = 0
        for at, value in inputs:
            _check_time(at)
            self.check(value)
        scheduled = scenario.scheduled()
        self._waiting = sorted([*scheduled, *inputs], key=lambda pair: pair[0])

    @property
    def now(self) -> int:
        """The time in µs since the scenario's start."""
        return int(self.env.now)

    @property
    def records(self) -> list[Record]:
        """The trace so far."""
        return self.trace.records

    def peek(self) -> int | None:
        """When the next thing happens (µs), or None when nothing ever will."""
        first = min(int(min(self.env.peek(), INFINITE)), self._waiting[0][0] if self._waiting else INFINITE)
        return None if first >= INFINITE else first

    def step(self) -> bool:
        """Let the next thing happen. False when nothing will, or the budget is spent."""
        at = self.peek()
        if at is None or self.ended:
            return False
        try:
            self._check_budget(at)
        except BudgetExceeded as error:
            self.ended = str(error)
            self.trace.add("", Noted("budget", self.ended))
            return False
        if self._waiting and self.env.peek() > self._waiting[0][0]:
            self._apply(*self._waiting.pop(0))
        else:
            self.env.step()
        return True

    def _check_budget(self, at: int) -> None:
        """Raises BudgetExceeded. Steps are counted too: a program that spins says nothing, but takes time."""
        budget, spent = self.scenario.budget, SPENT
        self._steps += 1
        if self._steps % STEPS_PER_LOOK == 1:
            check_patience()
        if len(self.records) >= budget.records or self._steps >= budget.records * STEPS_PER_RECORD:
            raise BudgetExceeded("events", budget.records, f"{spent} {budget.records} events. {SMALLER}")
        if at > budget.time:
            raise BudgetExceeded("time", budget.time, f"{spent} {show_time(budget.time)} of simulated time.")
        if self.trace.size > budget.memory * 1_000_000:
            raise BudgetExceeded("memory", budget.memory, f"{spent} {budget.memory} MB of memory. {SMALLER}")

    def run(self, until: int | Callable[[Record], bool] | None = None, *, records: int | None = None) -> None:
        """Run to a time in µs (all of that instant included), to the first record that `until` accepts, or to the end.

        `records`: stop as well once so many records have come. Budget: see `ended`.
        """
        if not callable(until) and until is not None:
            _check_time(until)
        seen = len(self.records)
        last = seen + records if records is not None else INFINITE
        limit = until if isinstance(until, int) else INFINITE
        while len(self.records) < last:
            at = self.peek()
            if at is None or at > limit or not self.step():
                break
            if callable(until) and any(until(record) for record in self.records[seen:]):
                return
            seen = len(self.records)
        if isinstance(until, int) and not self.ended and len(self.records) < last:
            self._wait_until(until)

    def run_until_quiet(self, pause: int = QUIET, limit: int = INFINITE) -> None:
        """Run until nothing happens for `pause` µs, or to the time `limit`."""
        while (at := self.peek()) is not None and at - self.now <= pause and at <= limit and self.step():
            pass

    def type(self, terminal: str, text: str, wait: int | None = None) -> str:
        """Type a line (or ^C, ^D) now, and let time go on for `wait` µs, or until quiet. Gives what that terminal printed meanwhile.

        Raises UsageError when there is no such terminal.
        """
        self.give(self.now, typed(terminal, text))
        begun = len(self.records)
        if wait is None:
            self.run_until_quiet()
        else:
            self.run(self.now + wait)
        events = (record.event for record in self.records[begun:])
        return "".join(event.text for event in events if isinstance(event, Output) and event.terminal == terminal)

    def ask(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        """The records of this kind whose fields are as wanted, as JSON. asking.py says what can be asked, trace.py what kinds there are.

        Raises UsageError for a kind that is none, or a field that it has not.
        """
        if kind not in EVENTS and kind not in STATES:
            raise UsageError(f"no record is of kind '{kind}'. {did_you_mean(kind, [*EVENTS, *STATES])}".strip())
        known = [*_RECORD, *(field.name for field in fields(EVENTS[kind]))] if kind in EVENTS else list(wanted)
        for name in wanted:
            if name not in known:
                meant = did_you_mean(name, known) or "It has " + ", ".join(known)
                raise UsageError(f"a {kind} record has no field '{name}'. {meant}")
        return Asked(self.records).find(kind, wanted)

    def _wait_until(self, at: int) -> None:
        """Move the clock to `at`, where nothing is left to happen before."""
        if at > self.now:
            self.env.timeout(at - self.now)
            self.env.step()

    def give(self, at: int, value: Input) -> None:
        """Take an input at `at` (µs). Raises UsageError when that is past (fork then), or when it names what is not there."""
        _check_time(at)
        if at < self.now:
            raise UsageError(
                f"{show_time(at)} is past: it is {show_time(self.now)} now. Fork at {show_time(at)} to change it."
            )
        self.check(value)
        index = next((i for i, (time, _) in enumerate(self._waiting) if time > at), len(self._waiting))
        self._waiting.insert(index, (at, value))

    def check(self, value: Input) -> None:
        """Raises UsageError when the input names what is not there, or a packet or rules that are none."""
        check_input(value)
        kind, name, known = self.world.place(value)
        if name not in known:
            raise UsageError(
                f"there is no {kind} '{name}'. {did_you_mean(name, known) or 'There are: ' + ', '.join(known)}".strip()
            )
        if isinstance(value, Crafted):
            self.world.bytes_of(value)
        if isinstance(value, Attempt):
            self.world.target_of(value)
        if isinstance(value, RulesChange):
            self.world.rulings[value.machine].check(value.texts)

    def _apply(self, at: int, value: Input) -> None:
        self._wait_until(at)
        self.given.append((at, value))
        place = value.machine if isinstance(value, Crafted | Attempt | RulesChange | RulesKept | Command | Power) else ""
        self.trace.add(place, InputGiven(value.say(), to_json(value)))
        dark = self.world.dark(value)
        if dark:
            self.trace.add(dark, Noted("power", f"{dark} has no power: nothing comes of it."))
        elif isinstance(value, Line):
            self.world.terminals[value.terminal].line(value.text)
        elif isinstance(value, Key):
            self.world.terminals[value.terminal].key(value.key)
        elif isinstance(value, LinkChange):
            self.world.change_link(value)
        elif isinstance(value, Attempt):
            self.world.attempt(value)
        elif isinstance(value, Power):
            self.world.power(value)
        elif isinstance(value, Command):
            self.world.command(value)
        elif isinstance(value, RulesChange | RulesKept):
            self.world.rule(value)
        else:
            self.world.send(value)

    def fork(self, at: int) -> Simulation:
        """A new simulation that went the same way up to and including `at` (µs); what was given after is left out."""
        _check_time(at)
        mine = [(time, value) for time, value in self.given if time <= at]
        for pair in self.scenario.scheduled():
            if pair in mine:
                mine.remove(pair)
        other = Simulation(self.scenario, self.seed, mine)
        other.run(at)
        return other


def _check_time(at: object) -> None:
    if isinstance(at, bool) or not isinstance(at, int):
        raise UsageError(f"a time in µs is wanted here, a whole number, not {at!r}: SECOND is {SECOND}")
