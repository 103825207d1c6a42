"""What the course says stands beside what shows it: no step tells and shows nothing, nothing is done of which nothing is expected.

Not in here: whether what is expected comes (test_course.py), and whether Linux does the same (tests/kernel).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lessons.check import advice
from lessons.course import read_course
from lessons.model import Block, Expect, Goal, Lesson, Listing, Predict, Run, Step

LESSONS = read_course().lessons
IDS = [lesson.id for lesson in LESSONS]


def blocks(step: Step, language: str | None) -> list[Block]:
    """What a learner of this language has in the step."""
    return [block for block in step.blocks if getattr(block, "language", None) in (None, language)]


def shows(block: Block) -> bool:
    """Whether it holds what happened in the learner's own run against what the lesson says."""
    return isinstance(block, Listing | Goal) or (isinstance(block, Expect) and not block.whatif)


def steps(lesson: Lesson) -> Iterator[tuple[str, list[Block]]]:
    for language in lesson.languages or (None,):
        for step in lesson.steps:
            yield f"{step.title} ({language})", blocks(step, language)


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_every_step_shows_something_and_all_that_is_done_in_it_is_looked_at(lesson: Lesson) -> None:
    assert [str(one) for one in advice(Path(lesson.file))] == []
    for title, found in steps(lesson):
        assert any(map(shows, found)), f"{title}: nothing is held against what it says"
        last = max((at for at, block in enumerate(found) if isinstance(block, Run)), default=0)
        assert any(map(shows, found[last:])), f"{title}: nothing is expected of what is done last"


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_every_lesson_asks_what_if_and_what_the_right_answer_says_is_looked_for_in_that_future(lesson: Lesson) -> None:
    asked = {block.id for block in lesson.blocks() if isinstance(block, Predict) and block.change is not None}
    assert asked and asked == {block.whatif for block in lesson.blocks() if isinstance(block, Expect) and block.whatif}


def test_no_question_is_asked_twice_and_each_reason_is_its_own() -> None:
    asked = [block for lesson in LESSONS for block in lesson.blocks() if isinstance(block, Predict)]
    said = Counter([block.question for block in asked] + [option.why for block in asked for option in block.options])
    assert [text for text, times in said.items() if times > 1] == []
