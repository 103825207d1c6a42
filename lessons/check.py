"""All that is wrong with a lesson and its scenario as they are written, and what an instructor may have forgotten. `ctlab lesson check`.

Reading goes on behind each mistake, as far as sense can be made of the rest. Not in here: what a lesson does (rehearse.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_interface
from pathlib import Path

from lessons.blocks import SETTINGS, Reader
from lessons.forgotten import forgotten
from lessons.load import (
    NAME,
    FrontMatter,
    assembled,
    disagreements,
    find,
    ident,
    load_lesson,
    read_scenario,
    scenario_file,
    split,
)
from lessons.model import Expect, Goal, Hint, Lesson, Listing, Predict, Run, Step
from lessons.variants import corners, draw, fill, unknown
from lessons.waiting import waiting
from sim.document import Document, contents, load
from sim.document import problems as misfits
from sim.errors import ScenarioError, Span
from sim.scenario import Scenario
from sim.trial import problems as text_problems
from sim.units import parse_interface

OWN = Path(__file__).parent


def problems(path: Path) -> list[ScenarioError]:
    """Every mistake in the lesson in `path` (a lesson.md, or its folder) and in its scenario."""
    file = path / "lesson.md" if path.is_dir() else path
    try:
        return problems_of(contents(file), file)
    except ScenarioError as error:
        return [error]


def problems_of(written: str, file: Path) -> list[ScenarioError]:
    """The same of a lesson's text, which is or will be in `file`."""
    try:
        front, body, first_line = split(written, str(file))
    except ScenarioError as error:
        return [error]
    found = misfits(FrontMatter, front)
    if found and "vary" in (front.data if isinstance(front.data, dict) else ()):
        return found  # without what is drawn the rest makes no sense
    values = {} if found else draw(load(FrontMatter, front).vary, file.parent.name, 0)
    if missing := unknown(written, values, str(file)):
        return [*found, *missing]
    scenario, wrong = _scenario(front, file, values)
    reader = Reader(str(file), fill(written, values, str(file)), scenario, blocks := list[ScenarioError]())
    if not reader.steps(fill(body, values, str(file)), first_line) and not blocks:
        blocks.append(reader.mistake("this lesson has no step: write a heading, # The first step", first_line))
    found += [*wrong, *blocks]
    return found or _together(written, file) or misdrawn(written, file)


def _together(written: str, file: Path) -> list[ScenarioError]:
    try:
        return disagreements(*assembled(written, file))
    except ScenarioError as error:
        return [error]


def misdrawn(written: str, file: Path) -> list[ScenarioError]:
    """The first draw at the edges of what varies that makes no lesson, of a text whose variant 0 is one."""
    vary = load(FrontMatter, split(written, str(file))[0]).vary
    for words, values in corners(vary, file.parent.name):
        try:
            found = disagreements(*assembled(written, file, values=values))
        except ScenarioError as error:
            found = [error]
        if found:
            return [_where(found[0], words)]
    return []


def _where(error: ScenarioError, drawn: str) -> ScenarioError:
    return ScenarioError(f"{error.message} (where {drawn}: a learner may draw that)", error.span, error.source, error.hint)


def _scenario(front: Document, file: Path, values: Mapping[str, str]) -> tuple[Scenario | None, list[ScenarioError]]:
    """The scenario, None where it cannot be read, and its mistakes."""
    if not isinstance(front.data, dict) or "scenario" not in front.data:
        return None, []
    wrong: list[ScenarioError] = []
    try:
        place = scenario_file(front, file)
        text = contents(place)
        if missing := unknown(text, values, str(place)):
            return None, missing
        with waiting():
            wrong = text_problems(fill(text, values, str(place)), str(place))
        return read_scenario(place, values), wrong
    except ScenarioError as error:
        return None, wrong or [error]


# ---- what may be missing ---------------------------------------------------------------------------------------------


def advice(path: Path) -> list[ScenarioError]:
    """What a lesson that can be read may lack, each at its place: nothing of it is a mistake. Raises ScenarioError."""
    lesson = load_lesson(path)
    both = [*_of_its_name(path, lesson), *_of_links(lesson), *_of_fences(lesson), *forgotten(lesson)]
    if lesson.kind != "lesson":
        return [*both, *_of_ways(lesson)]
    return [*both, *_of_lesson(lesson), *_of_steps(lesson)]


def _of_its_name(path: Path, lesson: Lesson) -> Iterator[ScenarioError]:
    """What the folder is called becomes the lesson's id."""
    top = Span(lesson.file, 1, 1)
    if not re.fullmatch(NAME, lesson.id):
        yield ScenarioError(f"the folder's name makes the id '{lesson.id}': small letters a to z, digits and dashes are wanted", top)
    if not path.resolve().is_relative_to(OWN) and lesson.id in map(ident, find(OWN)):
        said = f"ctlab has a lesson '{lesson.id}' of its own, and beside it (ctlab --lessons) this one is left out: rename its folder"
        yield ScenarioError(said, top)


def _of_links(lesson: Lesson) -> Iterator[ScenarioError]:
    """Two interfaces on one cable that share no network: nothing between them finds its way."""
    scenario = lesson.scenario
    for link in scenario.links:
        nets = []
        for end in link.between:
            machine, _, dev = end.partition(".")
            several = map(parse_interface, scenario.machines[machine].interfaces[dev])
            nets.append({ip_interface((address, length)).network for address, length in several})
        if all(nets) and not any(one.overlaps(other) for one in nets[0] for other in nets[1] if one.version == other.version):
            has = " and ".join(f"{end} ({', '.join(sorted(map(str, net)))})" for end, net in zip(link.between, nets, strict=True))
            yield ScenarioError(f"{has} are linked, and share no network", Span(lesson.file, 1, 1))


def _of_fences(lesson: Lesson) -> Iterator[ScenarioError]:
    """A block that is indented by four columns is code to look at: it does nothing."""
    for number, text in enumerate(contents(Path(lesson.file)).split("\n"), 1):
        word = (text.strip().lstrip("`").split() or [""])[0]
        if text.startswith((" " * 4, "\t")) and text.strip().startswith("```") and word in SETTINGS:
            said = f"this {word} block is indented, so it is shown as code and does nothing"
            yield ScenarioError(said, Span(lesson.file, number, 1), text)


def _of_lesson(lesson: Lesson) -> Iterator[ScenarioError]:
    kinds = {type(block) for block in lesson.blocks()}
    top = Span(lesson.file, 1, 1)
    if Predict not in kinds:
        yield ScenarioError("nothing is asked before a packet moves: write a `predict` block ahead of the `run` that answers it", top)
    if Goal not in kinds:
        yield ScenarioError("there is nothing to reach: write a `goal` block, and a `solution` that reaches it", top)
    elif Hint not in kinds:
        yield ScenarioError("there is a goal and no help on the way: write a `hint` block or two", top)


def _of_steps(lesson: Lesson) -> Iterator[ScenarioError]:
    """Each step that tells what nothing in it shows, and each act of which nothing is asked."""
    for step in lesson.steps:
        if not any(isinstance(block, _SHOWING) for block in step.blocks):
            said = f"the step '{step.title}' shows nothing: what it says stands beside no command and no packet"
            yield ScenarioError(said, _at(step, lesson))
            continue
        acts = [block for block in step.blocks if isinstance(block, Run) and not block.solution]
        if acts and not any(isinstance(block, Expect | Listing | Goal) for block in step.blocks):
            said = f"what is done in the step '{step.title}' is not checked: say in an `expect` or `output` block what it must show"
            yield ScenarioError(said, acts[-1].span)


_SHOWING = (Run, Predict, Goal, Expect, Listing)


def _at(step: Step, lesson: Lesson) -> Span:
    """The line of a step's heading."""
    lines = contents(Path(lesson.file)).split("\n")
    line = next((number for number, text in enumerate(lines, 1) if text.startswith("#") and text.lstrip("# ").strip() == step.title), 1)
    return Span(lesson.file, line, 1, len(lines[line - 1]))


def _of_ways(lesson: Lesson) -> Iterator[ScenarioError]:
    """A drill's or a challenge's ways: without one that reaches the end nobody knows whether it can be reached."""
    gone = {block.way for block in lesson.blocks() if isinstance(block, Run)}
    for way in lesson.ways():
        if way.id not in gone:
            said = f"nothing is done on the way '{way.id}', so it is not tested: write `solution TERMINAL way={way.id}`"
            yield ScenarioError(said, way.span)
    if not any(way.reached for way in lesson.ways()):
        top = Span(lesson.file, 1, 1)
        yield ScenarioError("no way reaches the end: write one with `reached: true`, so that it is tested", top)
