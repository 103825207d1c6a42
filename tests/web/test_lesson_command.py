"""`ctlab lesson …` as an instructor meets it: new, check, test, export, schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from web.commands.lesson import COMMANDS, lesson


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(lesson, words, input=typed, catch_exceptions=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert run("new", "--title", "Mine", "--dir", str(tmp_path / "l")).exit_code == 0
    return tmp_path / "l"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_row_is_a_command_with_help(name: str) -> None:
    assert run(name, "--help").output.startswith(f"Usage: lesson {name} ")


@pytest.mark.parametrize("kind", ["host", "router"])
def test_a_new_lesson_passes_check_and_test_at_once(kind: str, tmp_path: Path) -> None:
    made = run("new", "--title", "What: \"is\" #1 – a SYN?", "--kind", kind, "--dir", str(tmp_path))
    assert made.exit_code == 0 and (tmp_path / "01-what-is-1-a-syn" / "lesson.md").is_file()
    assert run("check", "--lessons", str(tmp_path)).output == "1 lesson read, 0 with mistakes\n"
    tested = run("test", "--lessons", str(tmp_path))
    assert tested.exit_code == 0 and "2 passed, 0 failed" in tested.output


def test_a_folder_of_lessons_means_all_of_them(folder: Path) -> None:
    assert run("new", "--title", "Another", "--dir", str(folder)).exit_code == 0
    assert run("check", str(folder)).output == "2 lessons read, 0 with mistakes\n"


def test_new_asks_for_what_is_not_said(tmp_path: Path) -> None:
    made = run("new", "--dir", str(tmp_path), typed="My lesson\nBasics\n\nrouter\n\n")
    assert made.exit_code == 0
    text = (tmp_path / "01-my-lesson" / "lesson.md").read_text()
    assert 'title: "My lesson"\npart: "Basics"\nsummary: "My lesson."' in text and "Through the router" in text


def test_a_name_that_is_taken_or_none_is_refused_and_nothing_is_written(folder: Path) -> None:
    for words in (("--title", "Mine"), ("--title", "???"), ("--title", "x", "--name", "../x")):
        refused = run("new", *words, "--dir", str(folder))
        assert refused.exit_code == 1 and refused.exception is not None
    assert len(list(folder.glob("*/"))) == 1


def test_check_points_into_lesson_scenario_and_rules_alike(folder: Path) -> None:
    file, scenario = folder / "01-mine" / "lesson.md", folder / "01-mine" / "mine.yaml"
    good = file.read_text(), scenario.read_text()
    file.write_text(good[0].replace("- label: {machine", "- labl: {machine").replace("```run laptop", "```run lap"))
    told = run("check", str(folder / "01-mine"))
    assert told.exit_code == 1 and "1 with mistakes" in told.output
    assert "lesson.md:22:1: the scenario has no terminal 'lap'" in told.output
    assert "lesson.md:27:3: no record is of kind 'labl'" in told.output
    rules = "rules:\n      nft: |\n        table ip f { chain c { ct stat new drop; } }\n    #"
    scenario.write_text(good[1].replace("conntrack: always ", rules))
    assert "mine.yaml:17:35: nft:" in run("check", str(file)).output


def test_a_lesson_whose_goal_is_met_before_its_solution_fails(folder: Path) -> None:
    file = folder / "01-mine" / "lesson.md"
    file.write_text(file.read_text().replace("# Your turn", "```run laptop\ncurl -I http://192.168.1.20/\n```\n\n# Your turn").replace(
        "  - dropped: {machine: server, where: INPUT, packet: {protocol: icmp}}\n", ""))  # fmt: skip
    told = run("test", str(folder / "01-mine"))
    assert told.exit_code == 1 and "the goal 'only-web' is met before its solution" in told.output


def test_lessons_are_exported_to_folder_zip_and_html(folder: Path, tmp_path: Path) -> None:
    for target in (tmp_path / "copy", tmp_path / "copy.zip"):
        assert run("export", "--lessons", str(folder), "-o", str(target)).exit_code == 0
        assert "2 passed" in run("test", "--lessons", str(target)).output
    refused = run("export", "--lessons", str(folder), "-o", str(tmp_path / "copy"))
    assert refused.exit_code == 1 and "something already" in str(refused.exception)
    first = (tmp_path / "copy.zip").read_bytes()
    run("export", "--lessons", str(folder), "-o", str(tmp_path / "copy.zip"))
    assert (tmp_path / "copy.zip").read_bytes() == first


def test_a_lesson_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    assert "did you mean 'four-labels'?" in str(run("check", "four-label").exception)


def test_the_schemas_are_json() -> None:
    for what in ("scenario", "front-matter", "checks"):
        assert json.loads(run("schema", what).output)["$schema"].startswith("https://json-schema.org/")
