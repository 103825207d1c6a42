"""A shelf: several folders of lessons as one course, the first of them ctlab's own. What changes on the disk is read again by itself.

A zip is unpacked first (archive.py), into a folder that goes when the shelf is closed. Not in here: reading lessons (course.py).
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lessons.archive import unpack
from lessons.course import HERE, Course, merged, read_course
from lessons.load import find
from sim.errors import UsageError

LOOK_AGAIN = 0.3
"""Seconds in which a folder is not looked at twice."""
Signature = tuple[tuple[str, int, int], ...]


class _Folder:
    """One folder: its course, read anew when a file in it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._signature: Signature | None = None
        self._course = Course((), {}, ())

    def course(self) -> Course:
        signature = _signature(self.path)
        if signature != self._signature:
            self._course, self._signature = read_course(self.path), signature
        return self._course


def _signature(folder: Path) -> Signature:
    """The files that a course is made of, with their sizes and times."""
    found = []
    for pattern in ("*/*.md", "*/*/*.md", "*/*.yaml", "*/*/*.yaml", "*.yaml"):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):  # gone since it was listed
                status = path.stat()
                found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(sorted(found))


def _inside(place: Path, own: Path | None) -> bool:
    """Whether a place is ctlab's own folder or a part of it, whose lessons stand on the shelf already."""
    return own is not None and place.resolve().is_relative_to(own)


class Shelf:
    """`places` are folders of lessons or zips of them. A context manager. Raises UsageError for what is neither."""

    def __init__(self, places: Sequence[Path] = (), own: Path | None = HERE) -> None:
        self._closing = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._course: Course | None = None
        try:
            opened = [(place, self._opened(place)) for place in places if not _inside(place, own)]
        except BaseException:
            self.close()
            raise
        self._places = opened
        paths = [*([own] if own else []), *(folder for _, folder in opened)]
        self._folders = [_Folder(path) for path in dict.fromkeys(path.resolve() for path in paths)]
        self._heard: list[Course] = []

    def _opened(self, place: Path) -> Path:
        if place.is_dir():
            return place
        if not place.is_file():
            raise UsageError(f"{place}: there is no such folder or zip of lessons")
        if place.name == "lesson.md":
            return place.parent.parent
        if place.suffix.lower() != ".zip" and not zipfile.is_zipfile(place):
            raise UsageError(f"{place}: lessons come as a folder or as a zip, and this is neither")
        target = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="ctlab-lessons-"))
        return unpack(place, Path(target))

    @property
    def folders(self) -> list[Path]:
        """Where the lessons lie."""
        return [folder.path for folder in self._folders]

    def lacking(self) -> list[str]:
        """What to say of each place in which there is no lesson."""
        return [_lacks(place, folder) for place, folder in self._places if not find(folder)]

    def course(self) -> Course:
        """All of it, as the files are now (or were LOOK_AGAIN seconds ago)."""
        with self._lock:
            now = time.monotonic()
            if self._course is None or now - self._looked >= LOOK_AGAIN:
                courses = [folder.course() for folder in self._folders]
                if len(courses) != len(self._heard) or any(a is not b for a, b in zip(courses, self._heard, strict=True)):
                    self._course, self._heard = merged(courses), courses
                self._looked = now
            assert self._course is not None
            return self._course

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was unpacked."""
        self._closing.close()


def _lacks(place: Path, folder: Path) -> str:
    """What may have been meant by a place without a lesson."""
    if (folder / "lesson.md").is_file():
        if place.is_dir():
            return f"{place} is the folder of one lesson: the folder that it lies in is meant, {place.resolve().parent}"
        return f"{place}: its lesson.md lies in no folder: wanted is NN-name/lesson.md"
    other = next((file.relative_to(folder) for file in sorted(folder.glob("*/*")) if file.name.lower() == "lesson.md"), None)
    if other is not None:
        return f"{place}: {other} is to be called lesson.md, in small letters"
    return f"no lesson.md found in {place}: wanted is NN-name/lesson.md"


def watch(course: Callable[[], Course], told: Callable[[Course], None], ended: threading.Event, pause: float = LOOK_AGAIN) -> None:
    """Call `told` with each course that is another than before, until `ended`. Runs in a thread of its own."""
    before = course()
    while not ended.wait(pause):
        now = course()
        if now is not before:
            before = now
            told(now)
