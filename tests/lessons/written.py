"""A lesson that is written in a test: the front matter that all such have, and the file in which it would lie."""

from __future__ import annotations

from pathlib import Path

from lessons.course import HERE
from lessons.load import read_lesson
from lessons.model import Lesson

FILE = HERE / "00-example" / "lesson.md"
HEAD = """\
---
title: An example
part: Examples
summary: One line.
minutes: 5
scenario: laptop-and-server
---
# First

"""


def lesson(body: str, file: Path = FILE) -> Lesson:
    """The lesson with these blocks in its first step. Raises ScenarioError."""
    return read_lesson(HEAD + body, file)
