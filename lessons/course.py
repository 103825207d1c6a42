"""The course: the lessons and the scenarios for free experiment in one folder, in their order.

The order is the number before each lesson folder's name; parts follow from the lessons' front matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lessons.check import problems
from lessons.load import find, ident, load_lesson
from lessons.model import Lesson
from sim.errors import ScenarioError, UsageError, did_you_mean
from sim.scenario import Scenario

HERE = Path(__file__).parent
DEFAULT_SCENARIO = "laptop-and-server"


@dataclass(frozen=True, slots=True)
class Course:
    """What one folder offers: `lessons`, `drills` and `challenges` in order, `scenarios` by id, and what could not be read."""

    lessons: tuple[Lesson, ...]
    scenarios: dict[str, Scenario]
    mistakes: tuple[ScenarioError, ...]
    drills: tuple[Lesson, ...] = ()
    challenges: tuple[Lesson, ...] = ()

    def all(self) -> tuple[Lesson, ...]:
        """Lessons, drills and challenges."""
        return (*self.lessons, *self.drills, *self.challenges)

    def lesson(self, ident: str, seed: int = 0) -> Lesson:
        """The lesson, drill or challenge called `ident`; of what varies, variant `seed`. Raises UsageError with the nearest name."""
        for lesson in self.all():
            if lesson.id == ident:
                return load_lesson(Path(lesson.file), seed) if lesson.varies and seed else lesson
        known = [lesson.id for lesson in self.all()]
        raise UsageError(
            f"there is no lesson '{ident}'. {did_you_mean(ident, known) or 'There are: ' + ', '.join(known)}"
        )

    def scenario(self, ident: str) -> Scenario:
        """The scenario called `ident`. Raises UsageError with the nearest name."""
        if ident in self.scenarios:
            return self.scenarios[ident]
        raise UsageError(
            f"there is no scenario '{ident}'. {did_you_mean(ident, self.scenarios) or 'There are: ' + ', '.join(self.scenarios)}"
        )


def read_course(folder: Path = HERE) -> Course:
    """Read all lessons and scenarios in `folder`. What cannot be read is left out and told in `mistakes`."""
    mistakes: list[ScenarioError] = []
    lessons: list[Lesson] = []
    for path in find(folder):
        try:
            lessons.append(load_lesson(path))
        except ScenarioError as error:
            mistakes += problems(path) or [error]
    scenarios: dict[str, Scenario] = {}
    for file in sorted((folder / "scenarios").glob("*.yaml")):
        try:
            scenarios[file.stem] = Scenario.from_file(file)
        except ScenarioError as error:
            mistakes.append(error)
    return _course(lessons, scenarios, mistakes)


def _course(lessons: Sequence[Lesson], scenarios: dict[str, Scenario], mistakes: Sequence[ScenarioError]) -> Course:
    kinds = {kind: tuple(one for one in lessons if one.kind == kind) for kind in ("lesson", "drill", "challenge")}
    return Course(kinds["lesson"], scenarios, tuple(mistakes), kinds["drill"], kinds["challenge"])


def taken(folders: Sequence[Path]) -> dict[Path, ScenarioError]:
    """The folders of lessons whose name another one ahead of them has: only the first of them is in a course."""
    first: dict[str, Path] = {}
    found = {}
    for folder in folders:
        if first.setdefault(ident(folder), folder) != folder:
            found[folder] = _taken(ident(folder), folder / "lesson.md", first[ident(folder)] / "lesson.md")
    return found


def _taken(name: str, file: Path | str, other: Path | str) -> ScenarioError:
    return ScenarioError(f"{file}: the lesson '{name}' is there already, in {other}: rename its folder")


def merged(courses: Sequence[Course]) -> Course:
    """Several folders as one course. A name that is there already is not taken a second time, and told as a mistake."""
    lessons: dict[str, Lesson] = {}
    scenarios: dict[str, Scenario] = {}
    mistakes = [mistake for course in courses for mistake in course.mistakes]
    for lesson in (lesson for course in courses for lesson in course.all()):
        if lessons.setdefault(lesson.id, lesson) is not lesson:
            mistakes.append(_taken(lesson.id, lesson.file, lessons[lesson.id].file))
    for course in courses:
        scenarios |= {name: scenario for name, scenario in course.scenarios.items() if name not in scenarios}
    return _course(tuple(lessons.values()), scenarios, mistakes)
