"""Which lessons are meant on a command line: by id, folder or file, in ctlab's own folder or in others (`--lessons`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from lessons.course import HERE
from lessons.load import find, ident
from lessons.shelf import Shelf
from sim.errors import UsageError, did_you_mean

FOLDERS = click.option(
    "--lessons", "places", multiple=True, type=click.Path(path_type=Path), metavar="DIR|ZIP",
    help="Folders or zips of lessons instead of ctlab's own. Repeatable.",
)  # fmt: skip


def shelf_of(places: Sequence[Path]) -> Shelf:
    """The lessons that --lessons names, or ctlab's own. Raises UsageError."""
    return Shelf(places, own=None if places else HERE)


def paths_of(names: Sequence[str], shelf: Shelf) -> list[Path]:
    """The folders of the lessons meant (of a folder of lessons all), those of the shelf when none is named. Raises UsageError."""
    folders = [path for folder in shelf.folders for path in find(folder)]
    if not names:
        for lack in shelf.lacking():
            raise UsageError(lack)
        return folders
    return [path for name in names for path in (_within(name) or [_path(name, folders)])]


def _within(name: str) -> list[Path]:
    """Where a folder of lessons is named, all of them."""
    path = Path(name)
    return find(path) if path.is_dir() and not (path / "lesson.md").exists() else []


def _path(name: str, folders: Iterable[Path]) -> Path:
    path = Path(name)
    if path.name == "lesson.md" or (path.is_dir() and ("/" in name or (path / "lesson.md").exists())):
        return _named(path.parent if path.name == "lesson.md" else path)
    found = next((folder for folder in folders if name in (folder.name, ident(folder))), None)
    if found is None:
        known = [ident(folder) for folder in folders]
        where = "say its folder (mine/01-name), or name its folder's folder with --lessons; `ctlab lesson list` has these"
        raise UsageError(f"there is no lesson '{name}' here: {did_you_mean(name, known) or where}")
    return found


def _named(folder: Path) -> Path:
    """`.` and `..` by their names: a lesson's id is its folder's name."""
    return folder if folder.name not in ("", "..") else Path(os.path.abspath(folder))
