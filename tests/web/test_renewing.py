"""A lesson that is saved while a page shows it: the page gets it, or is told what is wrong with it and where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lessons.new import write_lesson
from lessons.shelf import Shelf
from tests.web.test_lab import Learner
from web.app import create_app
from web.store import Store


class Desk:
    """An instructor's lab with one lesson of their own."""

    def __init__(self, folder: Path) -> None:
        self.file = write_lesson(folder / "lessons", "Mine")
        self.shelf = Shelf([folder / "lessons"], own=None)
        self.store = Store(folder / "sessions.sqlite")
        self.app, self.socket = create_app(self.store, shelf=self.shelf, preview="mine")

    def save(self, old: str, new: str, file: Path | None = None) -> None:
        """Change a file, as an editor saves it."""
        file = file or self.file
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))
        self.shelf._looked = float("-inf")
        self.app.extensions["renewal"].renew(self.shelf.course())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


def heard(learner: Learner) -> dict[str, Any]:
    return {message["name"]: message["args"][0] for message in learner.socket.get_received()}


def test_a_saved_lesson_comes_to_the_page_that_shows_it_and_what_was_done_stays(desk: Desk) -> None:
    learner = Learner(desk.app, desk.socket, lesson="mine")
    learner.type(1_000_000, "laptop", "ping -c 1 192.168.1.20")
    done = list(learner.records)
    desk.save("# What comes first", "# What comes before all")
    said = heard(learner)
    assert said["hello"]["lesson"]["steps"][0]["title"] == "What comes before all"
    assert said["trace"]["from"] == 0 and said["trace"]["records"] == done


def test_a_saved_scenario_is_run_anew_with_what_was_done(desk: Desk) -> None:
    learner = Learner(desk.app, desk.socket, lesson="mine")
    learner.type(1_000_000, "laptop", "ping -c 1 192.168.1.20")
    desk.save("delay: 5ms", "delay: 50ms", desk.file.parent / "mine.yaml")
    records = heard(learner)["trace"]["records"]
    assert "time=100 ms" in "".join(record["text"] for record in records if record["kind"] == "output")


def test_what_is_done_in_a_scenario_that_no_longer_has_the_place_is_dropped(desk: Desk) -> None:
    learner = Learner(desk.app, desk.socket, lesson="mine")
    learner.type(1_000_000, "server", "hostname")
    scenario = desk.file.parent / "mine.yaml"
    desk.save("  - {id: server, machine: server}", "", scenario)
    assert "no terminal 'server'" in heard(learner)["mistake"]["text"]  # the lesson still types there
    text = desk.file.read_text().replace("solution server", "solution laptop")
    desk.save(desk.file.read_text(), text)
    assert not any(record["kind"] == "input" for record in heard(learner)["trace"]["records"])


def test_a_mistake_is_told_at_its_line_and_taken_back_when_it_is_mended(desk: Desk) -> None:
    learner = Learner(desk.app, desk.socket, lesson="mine")
    desk.save("```run laptop", "```run lptop")
    said = heard(learner)
    assert set(said) == {"mistake"}
    assert said["mistake"]["text"].startswith("01-mine/lesson.md:22:1: the scenario has no terminal 'lptop'")
    assert "```run lptop" in said["mistake"]["text"] and "did you mean 'laptop'?" in said["mistake"]["text"]
    desk.save("```run lptop", "```run laptop")
    assert heard(learner)["mistake"] == {"text": ""}


def test_the_preview_waits_while_the_lesson_cannot_be_read_and_then_begins_it(desk: Desk) -> None:
    page = desk.app.test_client()
    assert page.get("/preview").headers["Location"].startswith("/s/")
    desk.save("# What comes first", "<script>alert(1)</script>\n# What comes first")
    waiting = page.get("/preview").get_data(as_text=True)
    assert 'http-equiv="refresh"' in waiting and "01-mine/lesson.md:8:1:" in waiting
    assert "<script>" not in waiting and "&lt;script&gt;" in waiting


def test_a_learner_s_own_variant_stays_theirs_when_files_change(tmp_path: Path) -> None:
    store, shelf = Store(tmp_path / "s.sqlite"), Shelf()
    app, socket = create_app(store, shelf=shelf)
    learner = Learner(app, socket, lesson=shelf.course().challenges[0].id)
    learner.socket.get_received()
    app.extensions["renewal"].renew(shelf.course())
    assert heard(learner) == {}
    store.close()


def test_without_preview_there_is_no_such_address(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    assert create_app(store)[0].test_client().get("/preview").status_code == 404
    store.close()
