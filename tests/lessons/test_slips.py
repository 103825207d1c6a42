"""Slips that were told as something else are told as what they are, once, at their place."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lessons.check import advice, problems
from lessons.course import HERE
from lessons.load import load_lesson, read_lesson
from lessons.new import write_lesson
from lessons.rehearse import rehearse, rehearse_ways
from lessons.score import Score

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


def told(folder: Path, added: str) -> list[str]:
    file = folder / "lesson.md"
    file.write_text(file.read_text("utf-8") + added, "utf-8")
    return [str(one) for one in advice(folder)]


ADVICE = {
    "a small heading": ("\n## Another step\n", "`## ` is a heading within a step"),
    "a goal without a solution": ("\n```goal last\ntext: x\nchecks:\n  - label: {label: NEW}\n```\n", "the goal 'last' has no solution"),
}


@pytest.mark.parametrize(("added", "words"), ADVICE.values(), ids=ADVICE)
def test_what_is_hardly_meant_is_told_as_advice(folder: Path, added: str, words: str) -> None:
    assert [words in one for one in told(folder, added)] == [True]


def test_an_address_without_a_mask_is_told_at_its_line(folder: Path) -> None:
    place = folder / "mine.yaml"
    text = place.read_text("utf-8").replace("192.168.1.10/24", "192.168.1.10", 1)
    place.write_text(text, "utf-8")
    line = next(number for number, one in enumerate(text.split("\n"), 1) if "192.168.1.10" in one)
    assert any(f"mine.yaml:{line}:" in one and "did you mean 192.168.1.10/24?" in one for one in told(folder, ""))


def test_a_file_that_nearly_is_there_is_told_at_the_line_that_names_it(folder: Path) -> None:
    place = folder / "mine.yaml"
    place.write_text(place.read_text("utf-8").replace("user: ann", "user: ann\n    files: {/etc/wall.nft: x}", 1), "utf-8")
    run = "\n```run laptop\nnft -f /etc/wal.nft\n```\n"
    (one,) = told(folder, run)
    assert "laptop has no file /etc/wal.nft" in one and "did you mean '/etc/wall.nft'?" in one


def test_a_goal_in_a_drill_is_told(tmp_path: Path) -> None:
    drill = sorted((HERE / "drills").glob("*/lesson.md"))[0]
    file = tmp_path / "drills" / drill.parent.name / "lesson.md"
    file.parent.mkdir(parents=True)
    (tmp_path / "scenarios").symlink_to(HERE / "scenarios")
    file.write_text(drill.read_text("utf-8") + ADVICE["a goal without a solution"][0], "utf-8")
    assert sum("asks for no goal at its end" in str(one) for one in advice(file)) == 1


def mistakes(folder: Path, added: str) -> list[str]:
    file = folder / "lesson.md"
    file.write_text(file.read_text("utf-8") + added, "utf-8")
    return [str(one) for one in rehearse(load_lesson(folder))[0].mistakes]


def test_a_word_that_is_no_command_is_told_at_its_line_and_what_follows_is_marked(folder: Path) -> None:
    lines = len((folder / "lesson.md").read_text("utf-8").split("\n"))
    first, second = mistakes(folder, "\n```run laptop\nls\npnig server\n```\n\n```expect\n- dropped: {}\n```\n")
    assert f"lesson.md:{lines + 3}:1: laptop printed:" in first
    assert f"this may come of what was printed in line {lines + 3}" in second


def test_a_what_if_that_stands_before_nothing_is_told_alone(folder: Path) -> None:
    whatif = "\n```whatif other before=patient\nWell?\n> laptop: ls\n- [ ] a\n  b\n- [x] c\n  d\n```\n"
    whatif += "\n```expect whatif=other\n- dropped: {}\n```\n"
    assert ["nothing was done before with 'patient' in it" in one for one in mistakes(folder, whatif)] == [True]


def test_a_solution_without_its_twin_in_the_other_language_is_told(folder: Path) -> None:
    file = folder / "lesson.md"
    text = re.sub(r"```[^\n]*lang=nft\n.*?\n```\n", "", file.read_text("utf-8"), flags=re.DOTALL)
    file.write_text(text, "utf-8")
    assert ["there is a solution only in iptables" in one for one in told(folder, "")] == [True]


def test_what_a_score_is_made_of_is_told_in_words() -> None:
    assert Score({"page (ann)": 0}, ()).said() == "no downtime; no lost connection"
    assert Score({"page (ann)": 2_000_000}, ("a (b)", "c (d)")).said() == "downtime: page (ann) 2s; 2 lost connections: a (b), c (d)"


def test_what_a_way_brings_and_fails_by_is_told_in_words_beside_what_was_said() -> None:
    file = HERE / "drills" / "1-shut-the-door" / "lesson.md"
    text = file.read_text("utf-8").replace("points: 100\nlost: 0", "points: [0, 1]\nlost: 7", 1)
    text = text.replace("fails: laptop can", "fails: lives, can")
    lesson = read_lesson(text, file)
    ways = [way for way in lesson.ways() if way.id in ("rules-first", "policy-first")]
    good, bad = rehearse_ways(replace(lesson, languages=("iptables",)), ways)
    assert [one.message.partition("\n")[0] for one in good.mistakes] == [
        "the way 'rules-first' brings 100 points, and 0 to 1 are said (no downtime; no lost connection)",
        "the way 'rules-first' has no lost connection, and `lost: 7` is said",
    ]
    assert "`lives, can reach tcp port 22` does not stand in the words of the test that fails: laptop can" in bad.mistakes[0].message
    assert (good.way, bad.way) == ("rules-first", "policy-first")
