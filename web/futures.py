"""Futures that go into a file with a trace: those to which a lesson's what-ifs lead, and those that a session has kept.

Each is told from where it parts from the trace in the file. Not in here: the file (export.py), how a session forks (session.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lessons.model import Lesson, Predict
from sim.inputs import Input, to_json
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.trace import Record

MOST_KEPT = 5  # futures of a session that go along
MOST_RECORDS = 10_000
AHEAD_TIME = 15 * 60_000_000  # µs computed beyond an input: a TCP that nobody answers gives up within it
AHEAD_RECORDS = 4_000
Timed = tuple[int, Input]


@dataclass(frozen=True, slots=True)
class Future:
    """Another course of things. `at` (µs) is where it was begun, `change` the what-if that leads to it, or None; `text` says what it is."""

    at: int
    text: str
    records: Sequence[Record]
    change: Input | None = None

    def message(self, number: int, present: Sequence[Record]) -> dict[str, Any]:
        """`Future` of ui/src/recorded.ts, as the one of this number beside that trace."""
        same = enumerate(zip(self.records, present, strict=False))
        start = next((n for n, (one, other) in same if one != other), min(len(self.records), len(present)))
        return {
            "id": number, "at": self.at, "text": self.text, "change": to_json(self.change) if self.change else None, "from": start,
            "records": [record.to_json() for record in self.records[start:MOST_RECORDS]],
        }  # fmt: skip


def what_ifs(lesson: Lesson | None, scenario: Scenario, inputs: Sequence[Timed]) -> Iterator[Future]:
    """Where the lesson's what-ifs lead after these inputs: the change just ahead of the latest that has the words it names."""
    for block in lesson.blocks() if lesson else ():
        if isinstance(block, Predict) and block.change is not None:
            moments = [at for at, value in inputs if block.before in value.say()]
            if moments:
                yield changed(scenario, inputs, max(0, moments[-1] - 1), block.change)


def changed(scenario: Scenario, inputs: Sequence[Timed], at: int, change: Input) -> Future:
    """One thing more is done at `at` (µs), and what was done later is done again."""
    before = [pair for pair in inputs if pair[0] <= at]
    return Future(at, change.say(), computed(scenario, [*before, (at, change), *inputs[len(before) :]]), change)


def computed(scenario: Scenario, inputs: Sequence[Timed]) -> Sequence[Record]:
    """What comes of these inputs, as far ahead as a session computes."""
    simulation = Simulation(scenario, inputs=inputs)
    last = inputs[-1][0] if inputs else 0
    simulation.run(last)
    simulation.run(last + AHEAD_TIME, records=AHEAD_RECORDS)
    return simulation.records
