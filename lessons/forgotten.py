"""Advice on what is no mistake and yet hardly meant: addresses without a mask, goals that nothing reaches, files that nobody has.

Not in here: mistakes, and the rest of the advice (check.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lessons.load import scenario_file, split
from lessons.model import Goal, Lesson, Run
from sim.document import contents
from sim.errors import ScenarioError, Span, did_you_mean

_FILE = re.compile(r"(?:\s-f\s+|<\s*)(/[\w./-]+)")


def forgotten(lesson: Lesson) -> Iterator[ScenarioError]:
    """All of it for a lesson, a drill or a challenge."""
    yield from _maskless(lesson)
    yield from _goals(lesson)
    yield from _files(lesson)
    yield from _small_headings(lesson)
    if len(lesson.languages) == 1:
        (language,) = lesson.languages
        solutions = [block for block in lesson.blocks() if isinstance(block, Run) and block.solution and block.language]
        if solutions:
            yield ScenarioError(f"there is a solution only in {language}: nobody can choose the other language", solutions[0].span)


def _maskless(lesson: Lesson) -> Iterator[ScenarioError]:
    """An address without its mask is a network of one: nobody on the cable is reached."""
    scenario, told = lesson.scenario, set[str]()
    linked = {end for link in scenario.links for end in link.between}
    for name, machine in scenario.machines.items():
        for dev, addresses in machine.interfaces.items():
            for address in addresses:
                if f"{name}.{dev}" in linked and "/" not in address and address not in told:
                    told.add(address)
                    own, usual = (128, 64) if ":" in address else (32, 24)
                    said = f"{name}.{dev}: `{address}` is a /{own}, a network of one: did you mean {address}/{usual}?"
                    yield ScenarioError(said, _where(lesson, address))


def _where(lesson: Lesson, address: str) -> Span:
    """The line of the scenario's file in which an address first stands without a mask."""
    file = Path(lesson.file)
    place = scenario_file(split(contents(file), str(file))[0], file)
    bare = re.compile(rf"(?<![\w.:]){re.escape(address)}(?![\w./:])")
    for number, text in enumerate(contents(place).split("\n"), 1):
        if match := bare.search(text):
            return Span(str(place), number, match.start() + 1, len(address))
    return Span(str(place), 1, 1)


def _goals(lesson: Lesson) -> Iterator[ScenarioError]:
    """Goals that nothing reaches, or nobody asks for; solutions of nothing."""
    open_ones, seen = list[Goal](), False
    for block in lesson.blocks():
        if isinstance(block, Goal):
            seen = True
            open_ones.append(block)
            if lesson.kind != "lesson":
                yield ScenarioError(f"a {lesson.kind} asks for no goal at its end: ask in its `judge` block", block.span)
        elif isinstance(block, Run):
            open_ones = []
            if block.solution and not seen and lesson.kind == "lesson":
                yield ScenarioError("there is no goal before this solution: nothing says what it is to reach", block.span)
    for goal in open_ones if lesson.kind == "lesson" else ():
        yield ScenarioError(f"the goal '{goal.id}' has no solution: write a `solution` block behind it", goal.span)


def _files(lesson: Lesson) -> Iterator[ScenarioError]:
    """A file that is named where rules are loaded, is nowhere written, and is nearly one that the machine has."""
    scenario, written = lesson.scenario, set[str]()
    machines = {terminal.id: scenario.machines[terminal.machine] for terminal in scenario.terminals}
    for block in lesson.blocks():
        if not isinstance(block, Run) or block.act != "type":
            continue
        for text, span in zip(block.lines, block.spans, strict=True):
            files = list(machines[block.terminal].files)
            for path in _FILE.findall(text):
                if path not in files and path not in written and (hint := did_you_mean(path, files)):
                    yield ScenarioError(f"{block.terminal} has no file {path}", span, text, hint)
            written |= set(re.findall(r"(?:>\s*|\btee\s+|\bcp\s+\S+\s+)(/[\w./-]+)", text))


def _small_headings(lesson: Lesson) -> Iterator[ScenarioError]:
    """`## ` opens no step."""
    fenced = False
    for number, text in enumerate(contents(Path(lesson.file)).split("\n"), 1):
        fenced ^= text.startswith("```")
        if text.startswith("## ") and not fenced:
            said = "`## ` is a heading within a step: a new step begins with `# `"
            yield ScenarioError(said, Span(lesson.file, number, 1, len(text)), text)
