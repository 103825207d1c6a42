"""Reads a lesson.md: its front matter, its scenario, and with blocks.py its steps. Mistakes are located ScenarioErrors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from lessons.blocks import Reader
from lessons.model import Lesson
from sim.document import Document, Strict, load, read
from sim.errors import ScenarioError, Span, did_you_mean
from sim.scenario import Scenario


class FrontMatter(Strict):
    """What stands between the two `---` lines at the top."""

    title: str
    summary: str
    part: str
    minutes: Annotated[int, Field(ge=1, le=60)] = 8
    scenario: str


def load_lesson(path: Path) -> Lesson:
    """The lesson in `path` (a lesson.md, or its folder). Raises ScenarioError."""
    file = path / "lesson.md" if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{file}: cannot read this lesson: {error}") from error
    return read_lesson(text, file)


def read_lesson(text: str, file: Path) -> Lesson:
    """A lesson from its text; scenarios are looked for beside it and in ../scenarios. Raises ScenarioError."""
    front, body, first_line = _front_matter(text, str(file))
    scenario = _scenario(front, file)
    reader = Reader(str(file), text, scenario)
    steps = reader.steps(body, first_line)
    if not steps:
        raise reader.mistake("this lesson has no step: write a heading, # The first step", first_line)
    matter = load(FrontMatter, front)
    ident = re.sub(r"^\d+-", "", file.parent.name)
    languages = {getattr(block, "language", None) for step in steps for block in step.blocks} - {None}
    return Lesson(
        ident,
        matter.title,
        matter.summary,
        matter.part,
        matter.minutes,
        scenario,
        steps,
        str(file),
        tuple(sorted(map(str, languages))),
    )


def _front_matter(text: str, file: str) -> tuple[Document, str, int]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---" or "---" not in (line.strip() for line in lines[1:]):
        source = lines[0] if lines else ""
        raise ScenarioError(
            "a lesson begins with front matter between two lines of ---", Span(file, 1, 1, max(1, len(source))), source
        )
    end = next(index for index, line in enumerate(lines[1:], 1) if line.strip() == "---")
    document = read("\n".join(lines[1:end]), file, 2)
    load(FrontMatter, document)
    return document, "\n".join(lines[end + 1 :]), end + 2


def _scenario(front: Document, file: Path) -> Scenario:
    name = front.data["scenario"]
    if not re.fullmatch(r"[A-Za-z0-9_-]+", str(name)):
        raise front.mistake("scenario is the name of a file in scenarios/, without .yaml", ("scenario",))
    places = [file.parent / f"{name}.yaml", file.parent.parent / "scenarios" / f"{name}.yaml"]
    for place in places:
        if place.is_file():
            return Scenario.from_file(place)
    known = [p.stem for folder in {p.parent for p in places} if folder.is_dir() for p in folder.glob("*.yaml")]
    raise front.mistake(f"there is no scenario '{name}'", ("scenario",), did_you_mean(str(name), known))


def find(folder: Path) -> list[Path]:
    """The lesson folders in `folder`, in their order (the number before the name)."""
    return sorted(path.parent for path in folder.glob("*/lesson.md"))
