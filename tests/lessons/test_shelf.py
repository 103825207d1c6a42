"""Lessons from folders and zips beside ctlab's own: read again when they change; a zip that would do harm is refused with a sentence."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from lessons.archive import MOST_FILES, unpack
from lessons.new import write_lesson
from lessons.shelf import Shelf
from sim.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lesson(tmp_path / "mine", "A first one", kind="host")
    return tmp_path / "mine"


def zipped(target: Path, files: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return target


def of_folder(folder: Path) -> dict[str, bytes | str]:
    return {f"course/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_stands_beside_ctlab_s_own_lessons(folder: Path) -> None:
    course = Shelf([folder]).course()
    assert course.lessons[0].id == "why-conversations" and course.lesson("a-first-one").title == "A first one"
    assert course.mistakes == ()


def test_a_zip_is_as_good_as_a_folder_and_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    with Shelf([zipped(tmp_path / "c.zip", of_folder(folder))], own=None) as shelf:
        assert [lesson.id for lesson in shelf.course().lessons] == ["a-first-one"]
        place = shelf.folders[0]
    assert not place.exists()


def test_a_changed_lesson_is_read_again(folder: Path) -> None:
    shelf = Shelf([folder], own=None)
    (file,) = folder.glob("*/lesson.md")
    assert shelf.course() is shelf.course()
    file.write_text(file.read_text().replace("A first one", "Another title"))
    os.utime(file, (1, 1))
    shelf._looked = 0.0
    assert shelf.course().lesson("a-first-one").title == "Another title"
    file.write_text(file.read_text().replace("```run laptop", "```run lptop"))
    shelf._looked = 0.0
    (mistake,) = shelf.course().mistakes
    assert "did you mean 'laptop'?" in str(mistake)


def test_a_name_that_is_taken_is_told(folder: Path, tmp_path: Path) -> None:
    write_lesson(tmp_path / "other", "A first one", kind="router")
    course = Shelf([folder, tmp_path / "other"], own=None).course()
    assert len(course.lessons) == 1 and "is there already" in str(course.mistakes[0])


def test_what_is_neither_folder_nor_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no zip")
    for place, words in ((tmp_path / "none", "no such folder or zip"), (tmp_path / "x.zip", "cannot be read")):
        with pytest.raises(UsageError, match=words):
            Shelf([place])


@pytest.mark.parametrize("name", ["../out.md", "/etc/out.md", "a/../../out.md", "a\\\\..\\\\out.md", "C:/out.md", "x" * 201 + ".md"])
def test_a_zip_with_names_that_lead_out_of_it_is_refused(name: str, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "c.zip", {"01-a/lesson.md": "x", name: "x"})
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match="leads out"):
        unpack(archive, tmp_path / "in")
    assert not list(tmp_path.rglob("out.md"))


def test_a_zip_with_a_link_in_it_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        entry = zipfile.ZipInfo("01-a/lesson.md")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(UsageError, match="is a link or a device"):
        unpack(tmp_path / "c.zip", tmp_path)


def test_a_zip_that_swells_is_refused_whatever_it_says_of_its_size(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "c.zip", {"01-a/lesson.md": b"x" * 5_000_000})
    assert archive.stat().st_size < 10_000
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match="is too large"):
        unpack(archive, tmp_path / "in")
    small = archive.read_bytes().replace((5_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    archive.write_bytes(small)
    with pytest.raises(UsageError):
        unpack(archive, tmp_path / "in")
    assert sum(path.stat().st_size for path in (tmp_path / "in").rglob("*") if path.is_file()) < 5_000_000


def test_a_zip_of_too_many_files_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "c.zip", {f"{number}/lesson.md": "" for number in range(MOST_FILES + 1)})
    with pytest.raises(UsageError, match="2001 files"):
        unpack(archive, tmp_path)


def test_what_is_no_lesson_is_passed_over(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "c.zip", {"01-a/lesson.md": "x", "01-a/run.sh": "rm", ".git/config": "y"})
    (tmp_path / "in").mkdir()
    unpack(archive, tmp_path / "in")
    assert [path.name for path in (tmp_path / "in").rglob("*") if path.is_file()] == ["lesson.md"]
