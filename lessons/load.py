"""Reads a lesson.md: its front matter, its scenario, and with blocks.py its steps. Mistakes are located ScenarioErrors.

The first mistake ends it here; all of them are check.py's to find.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from lessons.blocks import Reader
from lessons.model import Expect, Lesson, Predict, Run
from lessons.variants import Draw, draw, fill
from sim.document import Document, Strict, contents, load, read
from sim.errors import ScenarioError, Span, did_you_mean
from sim.scenario import Scenario
from sim.scenario.words import Time, Word

NAME: Final = r"[a-z0-9][a-z0-9-]{0,39}"
"""What an id looks like, so that it can be typed and stands in addresses."""


class FrontMatter(Strict):
    """What stands between the two `---` lines at the top."""

    title: str
    summary: str
    part: str
    minutes: Annotated[int, Field(ge=1, le=60)] = 8
    scenario: str
    kind: Literal["lesson", "drill", "challenge"] = "lesson"
    begin: Time = 0
    end: Time = 0
    vary: Annotated[dict[Word, Draw], Field(max_length=20)] = {}


def load_lesson(path: Path, seed: int = 0) -> Lesson:
    """The lesson in `path` (a lesson.md, or its folder); of what varies, variant `seed`. Raises ScenarioError."""
    file = path / "lesson.md" if path.is_dir() else path
    return read_lesson(contents(file), file, seed)


def read_lesson(text: str, file: Path, seed: int = 0) -> Lesson:
    """A lesson from its text; scenarios are looked for beside it and in ../scenarios. Raises ScenarioError."""
    lesson, front = assembled(text, file, seed)
    for mistake in disagreements(lesson, front):
        raise mistake
    return lesson


def assembled(text: str, file: Path, seed: int = 0, values: Mapping[str, str] | None = None) -> tuple[Lesson, Document]:
    """The lesson and its front matter; whether its blocks fit together is not asked. `values`: what is drawn, else variant `seed`.

    Raises ScenarioError.
    """
    text, values = _drawn(text, file, seed) if values is None else (fill(text, values, str(file)), values)
    front, body, first_line = _front_matter(text, str(file))
    scenario = read_scenario(scenario_file(front, file), values)
    reader = Reader(str(file), text, scenario)
    steps = reader.steps(body, first_line)
    if not steps:
        raise reader.mistake("this lesson has no step: write a heading, # The first step", first_line)
    matter = load(FrontMatter, front)
    languages = {getattr(block, "language", None) for step in steps for block in step.blocks} - {None}
    lesson = Lesson(
        ident(file.parent),
        matter.title,
        matter.summary,
        matter.part,
        matter.minutes,
        scenario,
        steps,
        str(file),
        tuple(sorted(map(str, languages))),
        matter.kind,
        matter.begin,
        matter.end,
        bool(values),
        seed,
    )
    return lesson, front


def disagreements(lesson: Lesson, front: Document) -> list[ScenarioError]:
    """What does not fit together, though each block is right by itself: a drill or a challenge asks something at its end, and what
    blocks name is there.
    """
    found, judged = [], lesson.kind != "lesson"
    if judged != bool(lesson.asked()):
        wanted = f"a {lesson.kind} has a `judge` block: what is asked at its end" if judged else "`judge` is for kind: drill or challenge"
        found.append(front.mistake(wanted, ("kind",)))
    if judged and not lesson.end:
        found.append(front.mistake(f"a {lesson.kind} has an `end:`, the time at which it is judged", ("kind",)))
    if judged and lesson.end and lesson.end <= lesson.begin:
        found.append(front.mistake("it ends before the learner comes in: `end:` comes after `begin:`", ("end",)))
    ways, whatifs = [way.id for way in lesson.ways()], list[str]()
    for block in lesson.blocks():
        if isinstance(block, Run) and block.way and block.way not in ways:
            found.append(ScenarioError(f"there is no way '{block.way}'", block.span, hint=did_you_mean(block.way, ways)))
        if isinstance(block, Predict) and block.change is not None:
            whatifs.append(block.id)
        if isinstance(block, Expect) and block.whatif and block.whatif not in whatifs:
            hint = did_you_mean(block.whatif, whatifs)
            found.append(ScenarioError(f"there is no whatif '{block.whatif}' before this", block.span, hint=hint))
    return found + _without_twin(lesson)


def _without_twin(lesson: Lesson) -> list[ScenarioError]:
    """Solutions in one language in a step that has none in the other: its learners would never reach the goal."""
    found = []
    for step in lesson.steps if len(lesson.languages) > 1 else ():
        solutions = [block for block in step.blocks if isinstance(block, Run) and block.solution and not block.way]
        for language in lesson.languages:
            if solutions and all(block.language not in (None, language) for block in solutions):
                message = f"this solution has no twin for learners of {language}"
                found.append(ScenarioError(message, solutions[0].span, hint=f"write another with lang={language}, or none has a lang"))
    return found


def split(text: str, file: str) -> tuple[Document, str, int]:
    """The front matter as it is written, the body, and the line at which the body begins. Raises ScenarioError."""
    lines = text.split("\n")
    if lines and lines[0].strip() == "---" and "---" not in (line.strip() for line in lines[1:]):
        raise ScenarioError("the front matter is not closed: a second line of --- is missing", Span(file, 1, 1, 3), lines[0])
    if not lines or lines[0].strip() != "---" or "---" not in (line.strip() for line in lines[1:]):
        source = lines[0] if lines else ""
        raise ScenarioError(
            "a lesson begins with front matter between two lines of ---", Span(file, 1, 1, max(1, len(source))), source
        )
    end = next(index for index, line in enumerate(lines[1:], 1) if line.strip() == "---")
    return read("\n".join(lines[1:end]), file, 2), "\n".join(lines[end + 1 :]), end + 2


def _front_matter(text: str, file: str) -> tuple[Document, str, int]:
    found = split(text, file)
    load(FrontMatter, found[0])
    return found


def _drawn(text: str, file: Path, seed: int) -> tuple[str, dict[str, str]]:
    """The text of variant `seed`, and what was drawn for it. Raises ScenarioError."""
    vary = load(FrontMatter, _front_matter(text, str(file))[0]).vary
    values = draw(vary, file.parent.name, seed)
    return fill(text, values, str(file)), values


def read_scenario(place: Path, values: Mapping[str, str]) -> Scenario:
    """The scenario in a file, with what was drawn put in. Raises ScenarioError."""
    if not values:
        return Scenario.from_file(place)
    return Scenario.from_text(fill(contents(place), values, str(place)), str(place))


def scenario_file(front: Document, file: Path) -> Path:
    """Where the scenario lies that the front matter names. Raises ScenarioError."""
    name = front.data.get("scenario") if isinstance(front.data, dict) else None
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", str(name)):
        raise front.mistake("scenario is the name of a file in scenarios/, without .yaml: letters, digits, - and _", ("scenario",))
    above = [folder / "scenarios" / f"{name}.yaml" for folder in file.parents[1:3]]
    places = [file.parent / f"{name}.yaml", *above]
    for place in places:
        if place.is_file():
            return place
    known = [p.stem for folder in {p.parent for p in places} if folder.is_dir() for p in folder.glob("*.yaml")]
    looked = " nor ".join(str(place) for place in places)
    raise front.mistake(f"there is no scenario '{name}': there is neither {looked}", ("scenario",), did_you_mean(str(name), known))


def sources(path: Path) -> dict[str, Path]:
    """The files of the lesson in the folder `path`, by the names that they have below a folder of lessons. Raises ScenarioError."""
    front, _, _ = _front_matter(contents(path / "lesson.md"), str(path / "lesson.md"))
    place = scenario_file(front, path / "lesson.md")
    found = {f"{path.name}/lesson.md": path / "lesson.md", f"{place.parent.name}/{place.name}": place}
    schema = path.parent / "scenario.schema.json"
    return found | ({schema.name: schema} if schema.is_file() else {})


def ident(folder: Path) -> str:
    """A lesson's id: its folder's name without the number."""
    return re.sub(r"^\d+-", "", folder.name)


def find(folder: Path) -> list[Path]:
    """The folders of lessons in `folder`, in their order (the number before the name), then those of drills and of challenges."""
    parts = (folder, folder / "drills", folder / "challenges")
    return [path.parent for part in parts for path in sorted(part.glob("*/lesson.md"), key=_place)]


def _place(lesson: Path) -> tuple[int, str]:
    """By the number, 2 before 10; without one at the end."""
    number = lesson.parent.name.partition("-")[0]
    return int(number) if number.isdecimal() else 1_000_000, lesson.parent.name
