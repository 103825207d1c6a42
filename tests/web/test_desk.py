"""What an instructor who tries things meets: names, places, kinds of files, and what learners draw."""

from __future__ import annotations

import shutil
import socket
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lessons.course import HERE
from lessons.judge import judge
from lessons.load import load_lesson
from lessons.new import slug, write_lesson
from lessons.rehearse import rehearse_ways
from lessons.shelf import Shelf
from sim.errors import ScenarioError, UsageError
from web.app import create_app
from web.commands.lesson import lesson
from web.export import ALONE
from web.serving import _free_port, serve
from web.store import Store


def run(*words: str) -> Result:
    return CliRunner().invoke(lesson, words)


def built() -> None:
    if not ALONE.is_dir():
        pytest.skip("the page has not been built: npm run build in web/ui")


def challenge(folder: Path, old: str = "", new: str = "") -> Path:
    """A copy of a challenge with one thing changed."""
    place = folder / "challenges" / "1-who-may-come"
    shutil.copytree(HERE / "challenges" / "1-who-may-come", place)
    text = (place / "lesson.md").read_text("utf-8")
    assert old in text
    (place / "lesson.md").write_text(text.replace(old, new, 1), "utf-8")
    return place


def test_a_lesson_is_called_by_its_folder_s_name_from_inside_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lesson(tmp_path / "mine", "Four words")
    monkeypatch.chdir(tmp_path / "mine" / "01-four-words")
    for here in (".", "lesson.md"):
        assert run("export", here, "-o", "../../out.zip").exit_code == 0
        assert "01-four-words/lesson.md" in zipfile.ZipFile("../../out.zip").namelist()
        assert run("check", "--lessons", "../../out.zip").output == "1 lesson read, 0 with mistakes\n"
    assert run("test", ".").output.startswith("four-words (iptables) ")


def test_what_ends_before_it_begins_is_a_mistake_at_its_end(tmp_path: Path) -> None:
    told = run("check", str(challenge(tmp_path, "end: 20s", "end: 1s")))
    assert told.exit_code == 1
    assert "lesson.md:9:6: it ends before the learner comes in" in told.output


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("net: {number: [1, 200]}", "net: {number: [1, 600]}", "(where net is 600: a learner may draw that)"),
     ("web: {pick: [80, 8080,", "web: {pick: [80, 80800,", "(where web is 80800: a learner may draw that)"),
     ("host: {number: [10, 250]}", "host: {number: [10, 300]}", "(where host is 300: a learner may draw that)")],
)  # fmt: skip
def test_what_only_some_learners_draw_is_checked_too(old: str, new: str, words: str, tmp_path: Path) -> None:
    place = challenge(tmp_path, old, new)
    for command in ("check", "test"):
        told = run(command, str(place))
        assert told.exit_code == 1 and words in told.output


def test_a_learner_whose_draw_makes_no_lesson_hears_a_sentence_and_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = challenge(tmp_path / "mine", "net: {number: [1, 200]}", "net: {number: [1, 600]}")
    monkeypatch.setattr("web.sessions.secrets.randbelow", lambda _: next(seed for seed in range(99) if not readable(place, seed + 1)))
    with Shelf([tmp_path / "mine"], own=None) as shelf:
        assert [one.id for one in shelf.course().challenges] == ["who-may-come"]
        store = Store(tmp_path / "s.sqlite")
        app, _ = create_app(store, shelf=shelf)
        answer = app.test_client().post("/api/sessions", json={"lesson": "who-may-come"})
        store.close()
    assert answer.status_code == 404 and "there is a mistake in its text" in answer.get_json()["error"]
    assert str(tmp_path) not in answer.get_json()["error"] and "server.yaml:" in capsys.readouterr().err


def readable(place: Path, seed: int) -> bool:
    try:
        return bool(load_lesson(place, seed))
    except ScenarioError:
        return False


def test_a_drill_is_no_file_that_plays_by_itself(tmp_path: Path) -> None:
    for folder in ("drills/1-shut-the-door", "challenges/1-who-may-come"):
        refused = run("export", str(HERE / folder), "-o", str(tmp_path / "x.html"))
        assert isinstance(refused.exception, UsageError) and "the lab itself judges it" in str(refused.exception)
    assert not (tmp_path / "x.html").exists()


def test_a_file_of_another_kind_is_refused_and_htm_is_html(tmp_path: Path) -> None:
    refused = run("export", "four-labels", "-o", str(tmp_path / "x.tar.gz"))
    assert "lessons go into NAME.zip" in str(refused.exception) and not (tmp_path / "x.tar.gz").exists()
    built()
    run("export", "four-labels", "-o", str(tmp_path / "x.HTM"))
    assert (tmp_path / "x.HTM").read_text("utf-8").startswith("<!doctype html>")


def test_the_command_says_which_language_an_html_file_was_done_in(tmp_path: Path) -> None:
    built()
    write_lesson(tmp_path, "Mine")
    made = run("export", str(tmp_path / "01-mine"), "-o", str(tmp_path / "x.html"))
    assert "It was done in iptables alone. In nft: ctlab lesson export" in made.output


def test_a_port_that_is_taken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("flask_socketio.SocketIO.run", lambda *_, **__: None)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        serve(port=taken, data=tmp_path / "s.sqlite", open_browser=False)
        told = capsys.readouterr()
    assert f"port {taken} is taken; this is on port " in told.err and f":{taken}/" not in told.out
    assert _free_port("127.0.0.1", 0) > 0


@pytest.mark.parametrize("kind", ["drill", "challenge"])
def test_a_new_drill_or_challenge_can_be_done_in_both_languages_and_not_by_doing_nothing(kind: str, tmp_path: Path) -> None:
    assert run("new", "--title", "Mine", "--kind", kind, "--dir", str(tmp_path)).exit_code == 0
    assert run("check", "--lessons", str(tmp_path)).output == "1 lesson read, 0 with mistakes\n"
    assert "4 passed, 0 failed" in run("test", "--lessons", str(tmp_path)).output
    made = load_lesson(tmp_path / "01-mine")
    assert (made.kind, made.languages, made.varies) == (kind, ("iptables", "nft"), kind == "challenge")
    assert not judge(made, ()).reached
    assert {way.reached for way in made.ways()} == {True, False}
    if kind == "challenge":
        good = [way for way in made.ways() if way.reached]
        variants = [load_lesson(tmp_path / "01-mine", seed) for seed in range(1, 5)]
        assert [gone.mistakes for one in variants for gone in rehearse_ways(one, good)] == [()] * 8


@pytest.mark.parametrize(
    ("title", "name"),
    [("Türsteher & Gäste", "tuersteher-gaeste"), ("Straße zum O\u0308l", "strasse-zum-oel"), ("Où est l’été ?", "ou-est-l-ete"),
     ("Łódź", "lodz"), ("防火墙 2", "2")],
)  # fmt: skip
def test_a_title_in_any_latin_script_makes_a_folder_s_name(title: str, name: str) -> None:
    assert slug(title) == name


def test_a_title_of_which_nothing_is_left_wants_a_name(tmp_path: Path) -> None:
    refused = run("new", "--title", "防火墙", "--dir", str(tmp_path))
    assert "say one with --name" in str(refused.exception) and not list(tmp_path.iterdir())
    assert run("new", "--title", "防火墙", "--name", "wall", "--dir", str(tmp_path)).exit_code == 0


def test_two_folders_of_one_name_are_a_mistake_of_the_second(tmp_path: Path) -> None:
    write_lesson(tmp_path, "Mine")
    shutil.copytree(tmp_path / "01-mine", tmp_path / "02-mine")
    told = run("check", "--lessons", str(tmp_path))
    assert told.exit_code == 1 and told.output.endswith("2 lessons read, 1 with mistakes\n")
    assert "02-mine/lesson.md: the lesson 'mine' is there already, in " in told.output


@pytest.mark.parametrize(("folder", "name"), [("01-my lesson", "my lesson"), ("01-tür", "tür"), ("01-four-labels", "four-labels")])
def test_a_folder_s_name_that_new_would_refuse_or_that_ctlab_has_is_advised_against(folder: str, name: str, tmp_path: Path) -> None:
    made = write_lesson(tmp_path, "Mine").parent
    told = run("check", str(made.rename(tmp_path / folder)))
    assert told.exit_code == 0 and f"'{name}'" in told.output and "1 with advice" in told.output


def test_where_there_is_no_lesson_it_is_said_what_is_wanted(tmp_path: Path) -> None:
    mine = write_lesson(tmp_path / "mine", "Mine").parent
    wrong = write_lesson(tmp_path / "wrong", "Mine").parent
    (wrong / "lesson.md").rename(wrong / "Lesson.md")
    (tmp_path / "empty").mkdir()
    for name, files in {"flat": {"lesson.md": "x"}, "other": {"a.md": "x"}}.items():
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for file, text in files.items():
                archive.writestr(file, text)
    (tmp_path / "mine.tar.gz").write_bytes(b"x")
    for place, words in {
        "empty": "no lesson.md found in ", "other.zip": "no lesson.md found in ",
        "flat.zip": "lies in no folder: wanted is NN-name/lesson.md",
        "mine/01-mine": f"the folder that it lies in is meant, {mine.parent}", "wrong": "01-mine/Lesson.md is to be called lesson.md",
        "mine.tar.gz": "lessons come as a folder or as a zip",
    }.items():  # fmt: skip
        for command in ("check", "test", "list"):
            refused = run(command, "--lessons", str(tmp_path / place))
            assert refused.exit_code == 1 and words in str(refused.exception), (command, place)
