"""Session: one learner's experiment. (scenario, seed, inputs) and a position, saved; the simulation is computed from them, ahead.

What a learner does at t cuts off the future after t: the simulation is forked there, the input applied, and the new future
computed. Futures that had inputs of their own are kept as branches and can be restored.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from lessons.judge import Judgement, judge
from lessons.model import Lesson, Predict
from lessons.rehearse import goals_met
from sim.errors import CtlabError, UsageError
from sim.inputs import Input, from_json, to_json
from sim.machine.ruling import Ruling
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.trace import Record
from web.futures import AHEAD_RECORDS, AHEAD_TIME, Future, computed
from web.messages import Position
from web.whatif import Survival, survival

MAX_INPUTS = 2_000
MAX_BRANCHES = 20
Timed = tuple[int, Input]


class Session:
    """One experiment. All methods are called under `lock`."""

    fixed = False  # whether nothing can be done in it

    def __init__(self, key: str, scenario: Scenario, lesson: Lesson | None, data: dict[str, Any] | None = None) -> None:
        data = data or {}
        self.key = key
        self.own: str | None = data.get("own")
        self.scenario = scenario
        self.lesson = lesson
        self.lock = threading.Lock()
        self.inputs: list[Timed] = read_inputs(data.get("inputs", []))
        self.branches: list[dict[str, Any]] = data.get("branches", [])
        self.learner: str | None = data.get("learner")
        self.seed: int = data.get("seed") or 0
        self.of: str | None = data.get("of")
        self.position: dict[str, int] = data.get("position") or self._beginning()
        self.marks: list[dict[str, int]] = data.get("marks", [])  # those it came with; what a learner marks the browser keeps
        self.answers: dict[str, int] = data.get("answers", {})
        self.reached: set[str] = set(data.get("reached", []))
        self.simulation = self._simulated()
        self._ahead(self.inputs[-1][0] if self.inputs else 0)

    def _simulated(self) -> Simulation:
        return Simulation(self.scenario, inputs=self.inputs)

    def data(self) -> dict[str, Any]:
        """What is saved."""
        return {
            "lesson": self.lesson.id if self.lesson else None, "scenario": self.scenario.id, "own": self.own, "seed": self.seed,
            "learner": self.learner, "of": self.of,
            "inputs": write_inputs(self.inputs),
            "branches": self.branches, "position": self.position, "answers": self.answers, "reached": sorted(self.reached),
            "marks": self.marks,
        }  # fmt: skip

    def _beginning(self) -> dict[str, int]:
        """Where a learner comes in."""
        return {"t": self.lesson.begin if self.lesson else 0, "step": 0}

    def _ahead(self, at: int) -> None:
        self.simulation.run(at)
        self.simulation.run(at + AHEAD_TIME, records=AHEAD_RECORDS)

    def renew(self, scenario: Scenario, lesson: Lesson | None) -> bool:
        """Go on in a lesson or scenario that was changed on the disk. What was done in it is done anew, or dropped where it no longer fits.

        True when anything is other than before.
        """
        if scenario == self.scenario and lesson == self.lesson:
            return False
        before, self.lesson = self.scenario, lesson
        if scenario != before:
            self.scenario = scenario
            try:
                self._replay(self.inputs)
            except CtlabError:
                self.branches = []
                self._replay([])
        return True

    def more(self) -> int:
        """Compute the next stretch. Gives the number of its first record."""
        start = len(self.simulation.records)
        at = self.simulation.peek()
        if at is not None:
            self._ahead(at)
        return start

    @property
    def pending(self) -> bool:
        """Whether time goes on beyond what was computed."""
        return self.simulation.peek() is not None and not self.simulation.ended

    def take(self, at: int, values: Sequence[Input], wait: int | None = None) -> int:
        """Apply inputs at `at` (µs), the second when the first has come to rest, or `wait` µs after it; what came after `at` is cut off.

        Gives the number of the first record that is new. Raises UsageError, and then nothing has changed.
        """
        for value in values:
            self.simulation.check(value)
        kept = [pair for pair in self.inputs if pair[0] <= at]
        if len(kept) + len(values) > MAX_INPUTS:
            raise UsageError(
                f"This experiment has {MAX_INPUTS} inputs, which is the most there can be. Start again, or go back in time."
            )
        fork = Simulation(self.scenario, inputs=kept)
        fork.run(at)
        if fork.ended:
            raise UsageError(fork.ended)
        start = min(len(fork.records), len(self.simulation.records))  # what was not computed yet is new to the page as well
        given = list(kept)
        for index, value in enumerate(values):
            if index and wait is None:
                fork.run_until_quiet(limit=at + AHEAD_TIME)
            elif index:
                fork.run(fork.now + min(wait or 0, AHEAD_TIME))
            given.append((fork.now, value))
            fork.give(fork.now, value)
        self._keep_branch(len(kept))
        self.inputs, self.simulation = given, fork
        self._ahead(given[-1][0])
        return start

    def ruling(self, machine: str, at: int | None = None) -> Ruling:
        """The rules of a machine, as they are at the end of what is computed, or at `at` (µs). Raises UsageError."""
        simulation = self.simulation
        if machine not in simulation.world.rulings:
            raise UsageError(f"there is no machine '{machine}'")
        if at is not None:
            simulation = Simulation(self.scenario, inputs=[pair for pair in self.inputs if pair[0] <= at])
            simulation.run(at)
        return simulation.world.rulings[machine]

    def change(self, at: int, value: Input) -> int:
        """One thing more is done at `at` (µs), and all that was done later is done again: what if? The present becomes a branch.

        Gives the number of the first record that is new. Raises UsageError, and then nothing has changed.
        """
        inputs = self._with(at, value)
        other = Simulation(self.scenario, inputs=inputs)
        other.run(at)
        if other.ended:
            raise UsageError(other.ended)
        same = enumerate(zip(other.records, self.simulation.records, strict=False))
        start = next((n for n, (one, another) in same if one != another), len(self.simulation.records))
        self._keep_branch(0, instead=(at, value))
        self.inputs, self.simulation = inputs, other
        self._ahead(max(inputs[-1][0], at))
        return start

    def aside(self, at: int, value: Input) -> None:
        """The same, but the present stays, and the other future is a branch, the last of them: a lesson's what-if. Raises UsageError."""
        inputs = self._with(at, value)
        records = computed(self.scenario, inputs)
        self._add_branch(at, value.say(), inputs, len(records))

    def _with(self, at: int, value: Input) -> list[Timed]:
        """The inputs and one more among them."""
        self.simulation.check(value)
        if len(self.inputs) >= MAX_INPUTS:
            raise UsageError(f"This experiment has {MAX_INPUTS} inputs, which is the most there can be. Start again.")
        kept = [pair for pair in self.inputs if pair[0] <= at]
        return [*kept, (at, value), *self.inputs[len(kept) :]]

    def survival(self, machine: str, conn: int) -> Survival:
        """See whatif.py. Raises UsageError."""
        return survival(self.scenario, self.inputs, self.simulation.records, machine, conn)

    def _keep_branch(self, kept: int, instead: Timed | None = None) -> None:
        """The present future is kept, if anything was done in it after its first `kept` inputs, or where another was put `instead`."""
        lost = self.inputs[kept:]
        if instead is not None:
            at, text = instead[0], f"without {instead[1].say()}"
        elif lost:
            at, text = lost[0][0], lost[0][1].say()
        else:
            return
        self._add_branch(at, text, self.inputs, len(self.simulation.records))

    def _add_branch(self, at: int, text: str, inputs: Sequence[Timed], records: int) -> None:
        """A future that is kept; one with the same inputs is kept once, and comes to the end."""
        written = write_inputs(inputs)
        ident = 1 + max((b["id"] for b in self.branches), default=0)
        branch = {"id": ident, "at": at, "text": text, "records": records, "inputs": written}
        self.branches = [*(b for b in self.branches if b["inputs"] != written), branch][-MAX_BRANCHES:]

    def restore(self, ident: int) -> int:
        """Bring a cut-off future back; the present one becomes a branch. Gives the number of the first record that differs."""
        inputs = self._branch_inputs(ident)
        common = next(
            (i for i, (a, b) in enumerate(zip(inputs, self.inputs, strict=False)) if a != b),
            min(len(inputs), len(self.inputs)),
        )
        self._keep_branch(common)
        self.branches = [b for b in self.branches if b["id"] != ident]
        return self._replay(inputs)

    def _branch_inputs(self, ident: int) -> list[Timed]:
        branch = next((b for b in self.branches if b["id"] == ident), None)
        if branch is None:
            raise UsageError("that future is no longer kept")
        return read_inputs(branch["inputs"])

    def future(self, ident: int) -> Sequence[Record]:
        """The records of a future that was cut off, computed anew; the present one stays. Raises UsageError."""
        return computed(self.scenario, self._branch_inputs(ident))

    def kept(self, most: int) -> list[Future]:
        """The last `most` futures that were cut off, computed anew."""
        return [Future(one["at"], one["text"], self.future(one["id"])) for one in self.branches[-most:]]

    def restart(self) -> int:
        """Back to the scenario's start; the present future becomes a branch."""
        self._keep_branch(0)
        self.position = self._beginning()
        return self._replay([])

    def _replay(self, inputs: list[Timed]) -> int:
        self.inputs = inputs
        self.simulation = Simulation(self.scenario, inputs=inputs)
        self._ahead(inputs[-1][0] if inputs else 0)
        return 0

    def public_branches(self) -> list[dict[str, Any]]:
        """`Branch` of README.md."""
        return [{name: branch[name] for name in ("id", "at", "text", "records")} for branch in self.branches]

    def answer(self, prediction: str, choice: int) -> None:
        """Keep an answer; the first one counts. Raises UsageError for a question that is not there."""
        blocks = self.lesson.blocks() if self.lesson else []
        asked = next((b for b in blocks if isinstance(b, Predict) and b.id == prediction), None)
        if asked is None or choice >= len(asked.options):
            raise UsageError(f"there is no such answer: {prediction} {choice}")
        self.answers.setdefault(prediction, choice)

    def judge(self) -> tuple[Judgement, int | None]:
        """Judge what was done, all of it; the future in which the packet of a failure is seen becomes a branch. Gives its id, or None.

        Raises UsageError in what has nothing to be judged.
        """
        if self.lesson is None:
            raise UsageError("A free lab has nothing to be judged.")
        judged = judge(self.lesson, self.inputs)
        if judged.failure is None or judged.failure.packet is None:
            return judged, None
        ident = 1 + max((int(b["id"]) for b in self.branches), default=0)
        inputs = write_inputs(list(judged.failure.inputs))
        branch = {"id": ident, "at": judged.at, "text": judged.failure.text, "records": 0, "inputs": inputs}
        self.branches = [*self.branches, branch][-MAX_BRANCHES:]
        return judged, ident

    def copy(self, at: int) -> dict[str, Any]:
        """Of what a free lab is made that begins as this one stands at `at` (µs): its machines and inputs, without its lesson."""
        of = self.of or (self.lesson.id if self.lesson else None)
        inputs = write_inputs([pair for pair in self.inputs if pair[0] <= at])
        position = {"t": at, "step": 0}
        return {"of": of, "seed": self.seed, "scenario": self.scenario.id, "own": self.own, "inputs": inputs, "position": position}

    def done(self) -> bool:
        """Whether a lesson is done: its goals are reached, or where it has none its last step is."""
        if self.lesson is None or self.lesson.kind != "lesson":
            return False
        goals = {goal.id for goal in self.lesson.goals()}
        return goals <= self.reached and (bool(goals) or self.position["step"] == len(self.lesson.steps) - 1)

    def move(self, to: Position) -> bool:
        """Remember where the learner is. True when a goal was newly reached by then."""
        self.position = to.data()
        goals = [goal for goal in self.lesson.goals() if goal.id not in self.reached] if self.lesson else []
        if not goals:
            return False
        past = [record for record in self.simulation.records if record.time <= to.t]
        met = {ident for ident, holds in goals_met(goals, past).items() if holds}
        self.reached |= met
        return bool(met)

    def progress(self) -> dict[str, Any]:
        """`Progress` of README.md."""
        goals = self.lesson.goals() if self.lesson else []
        return {
            "answers": self.answers,
            "goals": {goal.id: goal.id in self.reached for goal in goals},
            "step": self.position["step"],
        }


def read_inputs(data: list[Any]) -> list[Timed]:
    """Inputs as they were saved. Raises UsageError."""
    return [(int(at), from_json(value)) for at, value in data]


def write_inputs(inputs: Sequence[Timed]) -> list[Any]:
    """Inputs as they are saved."""
    return [[at, to_json(value)] for at, value in inputs]
