"""Runs a lesson headless, as its best pupil would: types what it says, checks every expectation, listing and goal.

A lesson is right when its commands do what it claims, its goals are not met at the start, and are met at the end.
Lessons with both languages are rehearsed once for each.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lessons.expect import Seen
from lessons.judge import Judgement, judge
from lessons.model import Block, Expect, Goal, Lesson, Listing, Predict, Run, Way
from lessons.score import lost_words
from lessons.telling import happened, not_printed, unmet
from lessons.waiting import waiting
from sim.errors import BudgetExceeded, LocatedError, ScenarioError, Span, UsageError
from sim.inputs import Input, Line, from_json
from sim.ruleset.nft import tables
from sim.simulation import QUIET, Simulation
from sim.trace import InputGiven, Output, Record

_COMPLAINT = re.compile(
    r"command not found|No such file or directory|^Error: |Could not |Bad argument|Try `\S+ -h'|^\S+ v[\d.]+( \(legacy\))?: "
)
"""What a terminal prints when a command was no command. A lesson may want just that: it is told only where something else is wrong."""
_NO_COMMAND = ": command not found"
WAY_WAIT = 2_000_000  # µs after each line of a way that says no other: where clients never rest, nothing is ever quiet


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of it: `mistakes` (located), the inputs typed, the trace, the seconds of processor time it took to compute.

    `futures` is where each what-if led: when (µs) the change was made, the change, the trace; `others` their inputs, by the what-if's id.
    `way`: the one that was gone through a drill or a challenge.
    """

    language: str | None
    mistakes: tuple[LocatedError, ...]
    inputs: tuple[tuple[int, Input], ...]
    records: Sequence[Record]
    seconds: float
    futures: tuple[tuple[int, Input, Sequence[Record]], ...] = ()
    others: Mapping[str, Sequence[tuple[int, Input]]] = field(default_factory=dict)
    way: str = ""


def rehearse(lesson: Lesson) -> list[Rehearsal]:
    """Rehearse in each language the lesson offers (once where it offers none).

    The tables of nft's grammar, which may take a third of a second once a process, are made before the clock starts.
    """
    tables.table()
    if lesson.ways():
        return rehearse_ways(lesson, lesson.ways())
    return [_in_time(_Rehearser(lesson, language)) for language in lesson.languages or (None,)]


def rehearse_ways(lesson: Lesson, ways: Sequence[Way]) -> list[Rehearsal]:
    """Go these ways through a drill or a challenge, each in every language in which it can be gone."""
    gone = [(language, way) for language in lesson.languages or (None,) for way in _offered(lesson, language) if way in ways]
    return [_in_time(_WayRehearser(lesson, language, way)) for language, way in gone]


def _in_time(rehearser: _Rehearser) -> Rehearsal:
    """Its rehearsal. Raises ScenarioError where not even building it comes to an end."""
    with waiting():
        try:
            return rehearser.run()
        except BudgetExceeded as error:
            raise ScenarioError(f"{rehearser.lesson.file}: {error}") from error


class _Rehearser:
    def __init__(self, lesson: Lesson, language: str | None) -> None:
        self.lesson = lesson
        self.language = language
        self.mistakes: list[LocatedError] = []
        self.since = 0
        self.checked = 0.0
        self.unsolved: list[Goal] = []
        self.complaints: list[LocatedError] = []
        self.others: dict[str, Seen] = {}
        self.nowhere = set[str]()
        self.futures: list[tuple[int, Input, Sequence[Record]]] = []
        self.changed: dict[str, Sequence[tuple[int, Input]]] = {}
        self.seen = Seen(())

    def _seen(self, since: int = 0) -> Seen:
        """The trace so far, ready for questions about what came since."""
        self.seen.grow(self.simulation.records, since)
        return self.seen

    def run(self) -> Rehearsal:
        begun = time.thread_time()
        self.simulation = Simulation(self.lesson.scenario)
        self.simulation.run_until_quiet()
        self._goals_must(False)
        for block in self._blocks():
            if isinstance(block, Run):
                self._unsolved(block)
                self._type(block)
            elif isinstance(block, Goal):
                self.unsolved.append(block)
            elif isinstance(block, Predict) and block.change is not None:
                self._what_if(block)
            elif isinstance(block, Expect):
                self._expect(block)
            elif isinstance(block, Listing):
                self._compare(block)
        self._goals_must(True)
        self._traffic_typed_commands()
        seconds = time.thread_time() - begun - self.checked
        if self.mistakes:
            self.mistakes[:0] = self.complaints  # where something went wrong, this may be why
        return Rehearsal(
            self.language, tuple(self.mistakes), tuple(self.simulation.given), self.simulation.records, seconds,
            tuple(self.futures), self.changed,
        )  # fmt: skip

    def _blocks(self) -> Iterator[Block]:
        for block in self.lesson.blocks():
            if getattr(block, "language", None) in (None, self.language):
                yield block

    def _type(self, block: Run) -> None:
        self.since = len(self.simulation.records)
        for value, span in zip(block.inputs, block.spans, strict=True):
            before = len(self.simulation.records)
            try:
                self.simulation.give(self.simulation.now, value)
            except UsageError as error:
                self._mistake(str(error), span)
                return
            if block.wait is None:
                self.simulation.run_until_quiet()
            else:
                self.simulation.run(self.simulation.now + block.wait)
            self._complain(block.terminal, before, span)
        if self.simulation.ended:
            self._mistake(self.simulation.ended, block.span)

    def _complain(self, terminal: str, since: int, span: Span) -> None:
        """Note what a line printed that no command is."""
        for line in "".join(self._printed(terminal, since)).splitlines():
            if _COMPLAINT.search(line):
                self.complaints.append(ScenarioError(f"{terminal} printed: {line}{self._in()}", span))

    def _what_if(self, block: Predict) -> None:
        """The other future, as the page computes it: the change just ahead of an input of the past, all that came later again."""
        assert block.change is not None and block.span is not None
        begun = time.thread_time()
        given = without_traffic(self.lesson, self.simulation.given)
        moments = [at for at, value in given if block.before in value.say()]
        if not moments:
            self._mistake(f"nothing was done before with '{block.before}' in it", block.span)
            self.nowhere.add(block.id)
            return
        at = max(0, moments[-1] - 1)
        inputs = [*(pair for pair in given if pair[0] <= at), (at, block.change), *(pair for pair in given if pair[0] > at)]
        other = Simulation(self.lesson.scenario, inputs=inputs)
        other.run(self.simulation.now + QUIET)
        if other.ended:
            self._mistake(f"in the other future: {other.ended}", block.span)
        since = next((record.n for record in other.records if record.time >= at), len(other.records))
        self.others[block.id] = Seen(other.records, since)
        self.futures.append((at, block.change, other.records))
        self.changed[block.id] = inputs
        self.checked += time.thread_time() - begun

    def _expect(self, block: Expect) -> None:
        begun = time.thread_time()
        if block.whatif in self.nowhere:
            return
        if block.whatif and block.whatif not in self.others:
            self._mistake(f"there is no whatif '{block.whatif}' before this", block.span)
            return
        seen = self.others[block.whatif] if block.whatif else self._seen(self.since)
        for check in block.checks:
            if not seen.holds(check):
                self._mistake(f"expected {check.text}, but {happened(seen, check)}", block.span)
        self.checked += time.thread_time() - begun

    def _compare(self, block: Listing) -> None:
        printed = "".join(self._printed(block.terminal))
        if (missing := not_printed(block.text.splitlines(), printed)) is not None:
            self._mistake(f"{block.terminal} did not print this line: {missing}", block.span)

    def _printed(self, terminal: str, since: int | None = None) -> Iterator[str]:
        """What came at a terminal since something was typed last, or since that record."""
        for record in self.simulation.records[self.since if since is None else since :]:
            if isinstance(record.event, Output) and record.event.terminal == terminal:
                yield record.event.text

    def _goals_must(self, met: bool) -> None:
        problem = "is not met at the end" if met else "is met before the learner has done anything"
        self._check_goals(self.lesson.goals(), met, problem)

    def _unsolved(self, block: Run) -> None:
        """Ahead of a solution the goals that it is for are not met yet, or they ask for nothing."""
        if block.solution and self.unsolved:
            self._check_goals(self.unsolved, False, "is met before its solution")
            self.unsolved = []

    def _check_goals(self, goals: Sequence[Goal], met: bool, problem: str) -> None:
        begun = time.thread_time()
        seen = self._seen()
        for goal in goals:
            if all(map(seen.holds, goal.checks)) != met:
                self._mistake(f"the goal '{goal.id}' {problem}: {unmet(goal, seen)}", goal.span)
        self.checked += time.thread_time() - begun

    def _traffic_typed_commands(self) -> None:
        """What the scenario types by itself is never a word that no machine knows."""
        typed = set(self.lesson.scenario.scheduled())
        latest: dict[str, Line] = {}
        for record in self.simulation.records:
            if isinstance(record.event, InputGiven):
                given = from_json(dict(record.event.input))
                if isinstance(given, Line):
                    latest[given.terminal] = given if (record.time, given) in typed else Line(given.terminal, "")
            elif isinstance(record.event, Output) and _NO_COMMAND in record.event.text:
                line = latest.get(record.event.terminal)
                if line is not None and line.text:
                    said = f"the scenario types `{line.text}` at {line.terminal}, which prints: {record.event.text.strip()}"
                    self._mistake(said, Span(self.lesson.file, 1, 1))

    def _mistake(self, message: str, span: Span) -> None:
        cause = self.complaints[0].span if self.complaints else None
        hint = f"this may come of what was printed in line {cause.line}" if cause else ""
        self.mistakes.append(ScenarioError(message + self._in(), span, hint=hint))

    def _in(self) -> str:
        return f"\n(in {self.language})" if self.language else ""


def _offered(lesson: Lesson, language: str | None) -> list[Way]:
    """The ways that can be gone in this language: what is typed on them is in it, or in none."""
    spoken = {run.way for run in lesson.blocks() if isinstance(run, Run) and run.language in (None, language)}
    return [way for way in lesson.ways() if way.id in spoken]


class _WayRehearser(_Rehearser):
    """Goes one way through a drill or a challenge, has it judged, and holds what its `way` block says against that."""

    def __init__(self, lesson: Lesson, language: str | None, way: Way) -> None:
        super().__init__(lesson, language)
        self.way = way

    def run(self) -> Rehearsal:
        begun = time.thread_time()
        given, end = self._typed()
        records: Sequence[Record] = ()
        try:
            judged = judge(self.lesson, given)
            records = [record for record in judged.records if record.time <= end]
            self._compare_end(judged)
        except (UsageError, BudgetExceeded) as error:
            self._mistake(f"the way '{self.way.id}': {error}", self.way.span)
        return Rehearsal(self.language, tuple(self.mistakes), given, records, time.thread_time() - begun, way=self.way.id)

    def _typed(self) -> tuple[tuple[tuple[int, Input], ...], int]:
        """What is typed on this way, and when it is done (µs)."""
        given, at = list[tuple[int, Input]](), self.lesson.begin
        for block in self._blocks():
            if isinstance(block, Run) and block.way in ("", self.way.id):
                for value in block.inputs:
                    given.append((at, value))
                    at += block.wait or WAY_WAIT
        return tuple(given), at

    def _compare_end(self, judged: Judgement) -> None:
        way, failure = self.way, judged.failure
        failed = f": {failure.text} ({failure.why})\n  " + "\n  ".join(failure.way) if failure else ""
        if judged.reached != way.reached:
            self._mistake(f"the way '{way.id}' {'reaches its end' if judged.reached else 'fails'}{failed}", way.span)
        elif failure and way.fails not in failure.text:
            said = f"`{way.fails}` does not stand in the words of the test that fails"
            self._mistake(f"the way '{way.id}' fails otherwise: {said}{failed}", way.span)
        if not way.points[0] <= judged.points <= way.points[1]:
            low, high = way.points
            wanted = f"{low}" if low == high else f"{low} to {high}"
            brings = f"brings {judged.points} points, and {wanted} are said" + ("" if judged.reached else ": what fails brings none")
            self._mistake(f"the way '{way.id}' {brings} ({judged.score.said()})", way.span)
        if way.lost not in (None, len(judged.score.lost)):
            self._mistake(f"the way '{way.id}' has {lost_words(judged.score.lost)}, and `lost: {way.lost}` is said", way.span)


def without_traffic(lesson: Lesson, given: Sequence[tuple[int, Input]]) -> tuple[tuple[int, Input], ...]:
    """What a person gave: the scenario's own traffic left out."""
    rest = list(lesson.scenario.scheduled())
    found = []
    for pair in given:
        if pair in rest:
            rest.remove(pair)
        else:
            found.append(pair)
    return tuple(found)


def goals_met(goals: Sequence[Goal], records: Sequence[Record]) -> dict[str, bool]:
    """For each goal's id, whether its checks hold on these records."""
    if not goals:
        return {}
    seen = Seen(records)
    return {goal.id: all(seen.holds(check) for check in goal.checks) for goal in goals}
