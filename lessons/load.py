"""Reads a lesson.md: front matter, prose, and the fenced blocks that run. Mistakes are located ScenarioErrors.

Blocks are fences whose first word says what they are: run, solution, predict, hint, goal, expect, output. Any other fence is
code to look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from markdown_it.token import Token
from pydantic import Field

from lessons import render
from lessons.expect import read_checks
from lessons.model import Block, Expect, Goal, Hint, Lesson, Listing, Option, Predict, Prose, Run, Step
from sim.document import Document, Strict, load, read
from sim.errors import ScenarioError, Span, UsageError, did_you_mean
from sim.scenario import Scenario
from sim.units import parse_time

LANGUAGES = ("iptables", "nft")
_OPTION = re.compile(r"- \[( |x)\] (.+)")


class FrontMatter(Strict):
    """What stands between the two `---` lines at the top."""

    title: str
    summary: str
    part: str
    minutes: Annotated[int, Field(ge=1, le=60)] = 8
    scenario: str


class _Fence(NamedTuple):
    words: list[str]
    settings: dict[str, str]
    body: str
    line: int
    length: int
    source: str


class _Reader:
    """One lesson being read."""

    def __init__(self, file: str, text: str, scenario: Scenario) -> None:
        self.file = file
        self.lines = text.splitlines()
        self.scenario = scenario
        self.ids: set[str] = set()

    def mistake(self, message: str, line: int, hint: str = "") -> ScenarioError:
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        indent = len(source) - len(source.lstrip())
        return ScenarioError(message, Span(self.file, line, indent + 1, max(1, len(source.strip()))), source, hint)

    def steps(self, body: str, first_line: int) -> tuple[Step, ...]:
        """Cut the body at its `# ` headings: each opens a step."""
        steps: list[Step] = []
        title, blocks, prose_from = "", list[Block](), 0
        lines = body.splitlines()
        tokens = [token for token in render.PARSER.parse(body) if token.level == 0 and token.map]

        def prose(until: int) -> None:
            text = "\n".join(lines[prose_from:until]).strip()
            if text and not title:
                raise self.mistake("a lesson's text begins with a heading: # The first step", first_line + prose_from)
            if text:
                blocks.append(Prose(render.html(text)))

        for token in tokens:
            start, end = token.map or [0, 0]
            if token.type == "heading_open" and token.tag == "h1":
                prose(start)
                if title:
                    steps.append(Step(title, tuple(blocks)))
                title, blocks, prose_from = lines[start].lstrip("# ").strip(), [], end
            elif token.type == "fence" and (block := self._fence(token, first_line)):
                prose(start)
                blocks.append(block)
                prose_from = end
        prose(len(lines))
        return (*steps, Step(title, tuple(blocks))) if title else tuple(steps)

    def _fence(self, token: Token, first_line: int) -> Block | None:
        words = token.info.split()
        reader = _FENCES.get(words[0]) if words else None
        if reader is None:
            self._almost(words, first_line + (token.map or [0])[0])
            return None
        settings = dict(word.split("=", 1) for word in words[1:] if "=" in word)
        line = first_line + (token.map or [0])[0]
        fence = _Fence(
            [w for w in words[1:] if "=" not in w], settings, token.content, line, len(token.info) + 3, token.info
        )
        self._check_settings(fence, words[0])
        return reader(self, fence)

    def _almost(self, words: list[str], line: int) -> None:
        """`prdict` would pass as code in a language of that name, and be lost: say so."""
        hint = did_you_mean(words[0], _FENCES) if words else ""
        if hint and len(words) > 1:
            raise self.mistake(f"unknown block '{words[0]}'", line, hint)

    def _check_settings(self, fence: _Fence, name: str) -> None:
        for key in fence.settings:
            if key not in ("lang", "wait"):
                raise self.mistake(f"{name} has no setting '{key}'", fence.line, did_you_mean(key, ("lang", "wait")))
        language = fence.settings.get("lang")
        if language is not None and language not in LANGUAGES:
            raise self.mistake(
                f"lang is iptables or nft, not '{language}'", fence.line, did_you_mean(language, LANGUAGES)
            )

    def _terminal(self, fence: _Fence) -> str:
        known = [terminal.id for terminal in self.scenario.terminals]
        if len(fence.words) != 1:
            raise self.mistake(f"say at which terminal: one of {', '.join(known)}", fence.line)
        if fence.words[0] not in known:
            hint = did_you_mean(fence.words[0], known) or f"it has {', '.join(known)}"
            raise self.mistake(f"the scenario has no terminal '{fence.words[0]}'", fence.line, hint)
        return fence.words[0]

    def _id(self, fence: _Fence, what: str) -> str:
        if len(fence.words) != 1 or not re.fullmatch(r"[a-z0-9-]{1,40}", fence.words[0]):
            raise self.mistake(
                f"a {what} needs an id of small letters, digits and dashes: {what} first-syn", fence.line
            )
        if fence.words[0] in self.ids:
            raise self.mistake(f"the id '{fence.words[0]}' stands here twice", fence.line)
        self.ids.add(fence.words[0])
        return fence.words[0]

    def run(self, fence: _Fence, solution: bool = False) -> Run:
        wait = fence.settings.get("wait")
        try:
            pause = parse_time(wait) if wait else None
        except UsageError as error:
            raise self.mistake(str(error), fence.line) from error
        lines = tuple(line for line in fence.body.splitlines() if line.strip())
        if not lines:
            raise self.mistake("there is nothing to type in this block", fence.line)
        return Run(self._terminal(fence), lines, self._span(fence), fence.settings.get("lang"), solution, pause)

    def solution(self, fence: _Fence) -> Run:
        return self.run(fence, solution=True)

    def output(self, fence: _Fence) -> Listing:
        return Listing(self._terminal(fence), fence.body.rstrip("\n"), self._span(fence), fence.settings.get("lang"))

    def hint(self, fence: _Fence) -> Hint:
        return Hint(render.html(fence.body))

    def predict(self, fence: _Fence) -> Predict:
        ident = self._id(fence, "predict")
        question, options = self._options(fence)
        if len(options) < 2 or sum(option.right for option in options) != 1:
            raise self.mistake(
                "a prediction has two options or more: `- [ ] wrong` and exactly one `- [x] right`", fence.line
            )
        for option in options:
            if not option.why:
                raise self.mistake("each option says why, in the lines indented under it", fence.line)
        return Predict(ident, render.inline(question), options)

    def _options(self, fence: _Fence) -> tuple[str, tuple[Option, ...]]:
        question: list[str] = []
        options: list[tuple[str, bool, list[str]]] = []
        for line in fence.body.splitlines():
            if match := _OPTION.match(line):
                options.append((match[2], match[1] == "x", []))
            elif options:
                options[-1][2].append(line.strip())
            else:
                question.append(line.strip())
        made = (
            Option(render.inline(text), right, render.inline(" ".join(why).strip())) for text, right, why in options
        )
        return " ".join(question).strip(), tuple(made)

    def goal(self, fence: _Fence) -> Goal:
        ident = self._id(fence, "goal")
        document = self._yaml(fence)
        data = document.data
        if not isinstance(data, dict) or set(data) != {"text", "checks"} or not isinstance(data["text"], str):
            raise self.mistake("a goal has `text:` and `checks:`", fence.line)
        return Goal(
            ident, render.inline(data["text"]), read_checks(data["checks"], document, ("checks",)), self._span(fence)
        )

    def expect(self, fence: _Fence) -> Expect:
        document = self._yaml(fence)
        return Expect(read_checks(document.data, document), self._span(fence), fence.settings.get("lang"))

    def _yaml(self, fence: _Fence) -> Document:
        return read(fence.body, self.file, fence.line + 1)

    def _span(self, fence: _Fence) -> Span:
        return Span(self.file, fence.line, 1, fence.length)


_FENCES: dict[str, Callable[[_Reader, _Fence], Block]] = {
    "run": _Reader.run, "solution": _Reader.solution, "predict": _Reader.predict, "hint": _Reader.hint, "goal": _Reader.goal,
    "expect": _Reader.expect, "output": _Reader.output,
}  # fmt: skip


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
    reader = _Reader(str(file), text, scenario)
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


def as_message(lesson: Lesson) -> dict[str, Any]:
    """The lesson as the page gets it (web/README.md, `Lesson`)."""
    return {
        "id": lesson.id, "title": lesson.title, "part": lesson.part, "minutes": lesson.minutes, "languages": list(lesson.languages),
        "steps": [{"title": step.title, "blocks": _message_blocks(step)} for step in lesson.steps],
    }  # fmt: skip


def _message_blocks(step: Step) -> list[dict[str, Any]]:
    shown = [message for block in step.blocks if (message := _message(block))]
    return shown


def _message(block: Block) -> dict[str, Any] | None:
    if isinstance(block, Prose):
        return {"type": "html", "html": block.html}
    if isinstance(block, Run):
        kind = "solution" if block.solution else "run"
        return {"type": kind, "terminal": block.terminal, "lines": list(block.lines), "language": block.language}
    if isinstance(block, Predict):
        options = [{"html": option.html, "right": option.right, "why": option.why} for option in block.options]
        return {"type": "predict", "id": block.id, "question": block.question, "options": options}
    if isinstance(block, Hint):
        return {"type": "hint", "html": block.html}
    if isinstance(block, Goal):
        return {"type": "goal", "id": block.id, "text": block.text}
    if isinstance(block, Listing):
        return {"type": "output", "terminal": block.terminal, "text": block.text, "language": block.language}
    return None
