"""Reads a lesson.md: its front matter, its scenario, and with blocks.py its steps. Mistakes are located ScenarioErrors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from lessons.blocks import Reader
from lessons.model import Lesson
from sim.document import Document, Strict, contents, load, read
from sim.errors import ScenarioError, Span, did_you_mean
from sim.scenario import Scenario
from sim.trial import file_problems


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
    return read_lesson(contents(file), file)


def read_lesson(text: str, file: Path) -> Lesson:
    """A lesson from its text; scenarios are looked for beside it and in ../scenarios. Raises ScenarioError."""
    front, body, first_line = _front_matter(text, str(file))
    scenario = Scenario.from_file(scenario_file(front, file))
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
    lines = text.split("\n")
    if not lines or lines[0].strip() != "---" or "---" not in (line.strip() for line in lines[1:]):
        source = lines[0] if lines else ""
        raise ScenarioError(
            "a lesson begins with front matter between two lines of ---", Span(file, 1, 1, max(1, len(source))), source
        )
    end = next(index for index, line in enumerate(lines[1:], 1) if line.strip() == "---")
    document = read("\n".join(lines[1:end]), file, 2)
    load(FrontMatter, document)
    return document, "\n".join(lines[end + 1 :]), end + 2


def problems(path: Path) -> list[ScenarioError]:
    """All that is wrong with a lesson and its scenario as they are written; what they do is rehearse.py's."""
    file = path / "lesson.md" if path.is_dir() else path
    try:
        text = contents(file)
        front, body, first_line = _front_matter(text, str(file))
        place = scenario_file(front, file)
    except ScenarioError as error:
        return [error]
    if found := file_problems(place):
        return found
    reader = Reader(str(file), text, Scenario.from_file(place), found)
    try:
        if not reader.steps(body, first_line) and not found:
            found.append(reader.mistake("this lesson has no step: write a heading, # The first step", first_line))
    except ScenarioError as error:
        found.append(error)
    return found


def scenario_file(front: Document, file: Path) -> Path:
    """Where the scenario lies that the front matter names. Raises ScenarioError."""
    name = front.data["scenario"]
    if not re.fullmatch(r"[A-Za-z0-9_-]+", str(name)):
        raise front.mistake("scenario is the name of a file in scenarios/, without .yaml", ("scenario",))
    places = [file.parent / f"{name}.yaml", file.parent.parent / "scenarios" / f"{name}.yaml"]
    for place in places:
        if place.is_file():
            return place
    known = [p.stem for folder in {p.parent for p in places} if folder.is_dir() for p in folder.glob("*.yaml")]
    raise front.mistake(f"there is no scenario '{name}'", ("scenario",), did_you_mean(str(name), known))


def sources(path: Path) -> dict[str, Path]:
    """The files of the lesson in the folder `path`, by the names that they have below a folder of lessons. Raises ScenarioError."""
    front, _, _ = _front_matter(contents(path / "lesson.md"), str(path / "lesson.md"))
    place = scenario_file(front, path / "lesson.md")
    found = {f"{path.name}/lesson.md": path / "lesson.md", f"{place.parent.name}/{place.name}": place}
    schema = path.parent / "scenario.schema.json"
    return found | ({schema.name: schema} if schema.is_file() else {})


def find(folder: Path) -> list[Path]:
    """The lesson folders in `folder`, in their order (the number before the name)."""
    return sorted(path.parent for path in folder.glob("*/lesson.md"))
