"""Nobody waits for ever: whoever runs a stranger's lesson or scenario stops it after some seconds of computing, and is told where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lessons import waiting
from lessons.check import problems
from lessons.judge import judge
from lessons.load import load_lesson
from lessons.rehearse import rehearse
from sim.errors import BudgetExceeded, CtlabError
from sim.inputs import Line
from sim.patience import patience
from sim.scenario import Scenario
from sim.simulation import Simulation
from web.export import scenario_page
from web.session import Session

SPENT = "of computing on this machine"
SCENARIO = """\
title: Two machines
firewall: b
machines:
  a: {interfaces: {eth0: 10.0.0.1/24}, clients: [{does: talk, to: b, port: 7, name: chat, until: 1000d}]}
  b: {interfaces: {eth0: 10.0.0.2/24}, services: [echo], conntrack: always}
links: [{between: [a.eth0, b.eth0]}]
terminals: [{id: a, machine: a, user: root}, {id: b, machine: b, user: root}]
"""
LESSON = """\
---
title: For ever
part: x
summary: x
scenario: slow
{more}---
# One
```{block} wait=30d
ping -i 0.2 b
```
{end}
"""
DRILL = "kind: drill\nend: 900d\n"
JUDGED = "```judge\n- lives: {from: a, name: chat}\n```\n```way w\ntitle: w\nwhy: w\nreached: yes\n```"


def folder(place: Path, more: str = "", end: str = "") -> Path:
    lesson = place / "01-slow"
    lesson.mkdir()
    (lesson / "slow.yaml").write_text(SCENARIO)
    block = "solution a way=w" if end else "run a"
    (lesson / "lesson.md").write_text(LESSON.format(more=more, end=end, block=block))
    return lesson


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SECONDS", 0.05)


def test_a_lesson_that_takes_too_long_is_told_at_its_block(tmp_path: Path) -> None:
    (rehearsal,) = rehearse(load_lesson(folder(tmp_path)))
    mistake = rehearsal.mistakes[0]
    assert SPENT in mistake.message and mistake.span is not None and mistake.span.line == 8


def test_a_way_through_a_drill_that_takes_too_long_is_told_at_its_block(tmp_path: Path) -> None:
    (rehearsal,) = rehearse(load_lesson(folder(tmp_path, DRILL, JUDGED)))
    assert all(SPENT in mistake.message for mistake in rehearsal.mistakes) and rehearsal.mistakes[-1].span is not None


def test_what_did_not_come_to_its_end_is_not_judged(tmp_path: Path) -> None:
    lesson = load_lesson(folder(tmp_path, DRILL, JUDGED))
    with waiting.waiting(), pytest.raises(CtlabError, match="cannot be judged.*" + SPENT):
        judge(lesson, [])


def test_building_ends_as_running_does(tmp_path: Path) -> None:
    with patience(-1, lambda: 0.0), pytest.raises(BudgetExceeded, match=SPENT):
        Simulation(Scenario.from_text(SCENARIO))
    lesson = folder(tmp_path)
    with patience(-1, lambda: 0.0):
        assert SPENT in str(problems(lesson)[0])


def test_within_one_patience_another_does_not_begin_anew() -> None:
    ticks = iter(range(100))
    with patience(3, lambda: next(ticks)), pytest.raises(BudgetExceeded):
        for _ in range(10):
            with patience(3, lambda: next(ticks)):
                Simulation(Scenario.from_text(SCENARIO))


ACTS: dict[str, Callable[[Session], object]] = {
    "take": lambda session: session.take(86_400_000_000, [Line("b", "conntrack -L")]),
    "change": lambda session: session.change(86_400_000_000, Line("b", "conntrack -L")),
}


@pytest.mark.parametrize("act", ("take", "change"))
def test_an_experiment_whose_past_takes_too_long_stays_as_it_was(act: str) -> None:
    session = Session("k", Scenario.from_text(SCENARIO), None)
    before = list(session.inputs)
    with waiting.waiting(), pytest.raises(CtlabError, match=SPENT):
        ACTS[act](session)
    assert session.inputs == before and not session.branches


def test_what_is_computed_ahead_of_the_page_ends_with_a_record_that_says_so() -> None:
    with waiting.waiting():
        session = Session("k", Scenario.from_text(SCENARIO), None)
        for _ in range(100):
            session.more()
    assert SPENT in session.simulation.ended and not session.pending
    assert SPENT in session.simulation.records[-1].to_json()["text"]


def test_the_page_that_plays_by_itself_has_what_was_computed_by_then() -> None:
    assert "<html" in scenario_page(Scenario.from_text(SCENARIO))
