"""Slips that were told as something else are told as what they are, once, at their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons.check import problems
from lessons.course import HERE
from lessons.new import write_lesson

END = "\n```predict q\nWhich?\n- [ ] a\n  b\n- [x] c\n  d\n```\n"
TWO_RIGHT = "\n```predict q\nWhich?\n- [x] a {known-is-let-in}\n  b\n- [x] c\n  d\n```\n"
GOAL = "\n```goal g\ntext: x\nchecks:\n  - label: {label: NEW}\n    label: {label: NEW}\n```\n"
SLIPS = {
    "a space in a setting": ("\n```run laptop wait=35 s\nls\n```\n", "a space stands in the setting `wait=35 s`"),
    "a user for a terminal": ("\n```run ann\nls\n```\n", "ann sits at laptop; it has laptop, server"),
    "two right": (TWO_RIGHT, "This one has 2 options, 2 of them right"),
    "no dash ahead of the second": ("\n```expect\n- label: {label: NEW}\ndropped: {count: 0}\n```\n", "each check begins with `- `"),
    "no dash in a goal": (GOAL, "each check begins with `- `"),
    "another fence": ("\n~~~run laptop\nls\n~~~\n", "between lines of ``` and not of ~~~"),
    "an id twice": (END + END, "stands here twice: the first time in line "),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_lesson(tmp_path, "Mine").parent


@pytest.mark.parametrize(("added", "words"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_told_once_as_what_it_is(folder: Path, added: str, words: str) -> None:
    file = folder / "lesson.md"
    file.write_text(file.read_text("utf-8") + added, "utf-8")
    assert [words in str(one) for one in problems(folder)] == [True], problems(folder)


def test_a_missing_dash_is_told_at_its_own_line(folder: Path) -> None:
    file = folder / "lesson.md"
    before = file.read_text("utf-8")
    file.write_text(before + SLIPS["no dash ahead of the second"][0], "utf-8")
    (told,) = problems(folder)
    assert told.span is not None and told.span.line == len(before.split("\n")) + 3


def test_a_lesson_without_its_first_heading_is_told_so_once(folder: Path) -> None:
    file = folder / "lesson.md"
    file.write_text(file.read_text("utf-8").replace("# What comes first", "What comes first"), "utf-8")
    assert ["begins with a heading" in str(one) for one in problems(folder)] == [True]


def test_a_scenario_that_is_not_there_is_told_with_the_places(folder: Path) -> None:
    (folder / "mine.yaml").unlink()
    (told,) = problems(folder)
    assert f"neither {folder / 'mine.yaml'} nor {folder.parent / 'scenarios' / 'mine.yaml'}" in str(told)


def test_a_port_in_a_judges_line_is_answered_with_the_fields(tmp_path: Path) -> None:
    drill = next(path for path in (HERE / "drills").glob("*/lesson.md") if "tcp: 22}" in path.read_text("utf-8"))
    file = tmp_path / "drills" / drill.parent.name / "lesson.md"
    file.parent.mkdir(parents=True)
    (tmp_path / "scenarios").symlink_to(HERE / "scenarios")
    file.write_text(drill.read_text("utf-8").replace("tcp: 22}", "port: 22}", 1), "utf-8")
    assert any("no field 'port'" in str(one) and "it has from, to, tcp, udp, ping" in str(one) for one in problems(file))
