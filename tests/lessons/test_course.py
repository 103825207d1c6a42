"""Every lesson does what it says, in each language it offers; and a lesson that lies is caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons.course import HERE, read_course
from lessons.load import load_lesson, read_lesson
from lessons.model import Lesson
from lessons.rehearse import rehearse
from sim.errors import ScenarioError

LESSONS = read_course().lessons


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.id for lesson in LESSONS])
def test_the_lesson_does_what_it_says(lesson: Lesson) -> None:
    for rehearsal in rehearse(lesson):
        assert [str(mistake) for mistake in rehearsal.mistakes] == []
        assert rehearsal.inputs


LIES = [
    (
        "label: NEW, direction: original, packet: {protocol: tcp, flags: S}, count: 1",
        "label: INVALID, packet: {protocol: tcp, flags: S}",
        "none fits",
    ),
    ("0 flow entries", "7 flow entries", "did not print this line"),
    ("where: FORWARD, by: has policy}\n```\n\n```hint", "where: INPUT}\n```\n\n```hint", "is not met at the end"),
    ("  - dropped: {machine: router, where: FORWARD, by: has policy}\n```\n\n```hint", "```\n\n```hint", ""),
    ("label: NEW, packet: {src: 198.51.100.66}", "label: NEW, count: 0", "is met before"),
]


@pytest.mark.parametrize(("old", "new", "words"), LIES, ids=[lie[1][:30] for lie in LIES])
def test_a_lesson_that_lies_is_caught(old: str, new: str, words: str) -> None:
    file = HERE / "01-four-labels" / "lesson.md"
    text = file.read_text(encoding="utf-8")
    assert old in text
    lied = text.replace(old, new, 1)
    if "count: 0" in new:
        lied = lied.replace(
            "  - dropped: {machine: router, where: FORWARD, by: has policy}\n```\n\n```hint", "```\n\n```hint", 1
        )
    mistakes = [str(m) for rehearsal in rehearse(read_lesson(lied, file)) for m in rehearsal.mistakes]
    assert any(words in mistake for mistake in mistakes) if words else mistakes == []


def test_a_what_if_that_claims_what_does_not_happen_is_caught() -> None:
    file = next(Path(HERE).glob("*-after-the-flush")) / "lesson.md"
    text = file.read_text(encoding="utf-8")
    claims = [
        ("label: {machine: router, label: INVALID, packet: {protocol: tcp, flags: P.}}", "label: {label: RELATED}", "none fits"),
        ("whatif not-loose before=are", "whatif not-loose before=nobody", "nothing was done before with 'nobody' in it"),
    ]
    with pytest.raises(ScenarioError, match="there is no whatif 'other' before this"):
        read_lesson(text.replace("expect whatif=not-loose", "expect whatif=other", 1), file)
    for old, new, words in claims:
        assert old in text
        lied = read_lesson(text.replace(old, new, 1), file)
        mistakes = [str(mistake) for rehearsal in rehearse(lied) for mistake in rehearsal.mistakes]
        assert any(words in mistake for mistake in mistakes)
    with pytest.raises(ScenarioError, match="there is no whatif 'other' before this"):
        read_lesson(text.replace("expect whatif=not-loose", "expect whatif=other", 1), file)


def test_a_prediction_has_reasons_for_every_option() -> None:
    for path in sorted(Path(HERE).glob("*/lesson.md")):
        for step in load_lesson(path).steps:
            assert step.title
