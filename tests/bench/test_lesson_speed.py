"""Seconds of processor time to run each lesson headless. The aim: a lesson computes in under 100 ms."""

from __future__ import annotations

import pytest

from lessons.course import read_course
from lessons.rehearse import rehearse
from sim.ruleset.collecting import collect_seldom

pytestmark = pytest.mark.bench


def test_seconds_to_run_each_lesson_headless() -> None:
    print()
    lessons = read_course().lessons
    collect_seldom()  # as the lab and `ctlab lesson test` do
    for lesson in lessons:
        runs = [rehearse(lesson) for _ in range(3)]
        for number, rehearsal in enumerate(runs[0]):
            seconds = min(run[number].seconds for run in runs)
            name = f"{lesson.id} {rehearsal.language or ''}".strip()
            print(f"{name:46} {seconds * 1000:8.1f} ms for {len(rehearsal.records)} records")
            assert rehearsal.mistakes == ()
