"""Cuts a lesson's text into steps, and reads its fenced blocks: a row in _FENCES for each kind. Mistakes are located ScenarioErrors.

Not in here: front matter and files (load.py), options (options.py), what blocks are (model.py), running them (rehearse.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated, NamedTuple, TypeVar

from markdown_it.token import Token
from pydantic import Field

from lessons import render
from lessons.asked import read_tests
from lessons.expect import read_checks
from lessons.known import Places
from lessons.model import Block, Expect, Goal, Hint, Judge, Listing, Predict, Prose, Run, Step, Way
from lessons.options import read_options
from lessons.slips import HEADLESS, sits_at, spaced_setting, undashed
from sim.craft import sendable
from sim.document import Document, Strict, load, problems, read
from sim.errors import ScenarioError, Span, UsageError, did_you_mean
from sim.inputs import MAX_TEXT, Crafted, Input, link_change, power, typed
from sim.scenario import Scenario
from sim.scenario.agree import link_id
from sim.scenario.words import LONGEST
from sim.units import parse_time, show_time

_ACTS: dict[str, Callable[[str, str], Input]] = {"type": typed, "link": link_change, "packet": Crafted, "power": power}
LANGUAGES = ("iptables", "nft")
_CODE = ("text", "txt", "sh", "bash", "console", "yaml", "json", "nft", "iptables", "python", "diff")
"""Words behind a fence of code that is only shown."""
_DOING = ("lang", "wait")
SETTINGS: dict[str, tuple[str, ...]] = {
    "run": _DOING, "packet": _DOING, "link": _DOING, "power": _DOING, "solution": (*_DOING, "way"), "output": ("lang",),
    "predict": ("lang",), "whatif": ("lang", "before"), "hint": ("lang",), "expect": ("lang", "whatif"),
}  # fmt: skip
"""What may stand behind a block's word, as key=value."""
T = TypeVar("T")


class WayWords(Strict):
    """What a `way` block says: how it ends, and why."""

    title: Annotated[str, Field(max_length=200)]
    why: Annotated[str, Field(max_length=4000)]
    reached: bool
    points: Annotated[int, Field(ge=0, le=100)] | tuple[int, int] = (0, 100)
    lost: int | None = None
    fails: str = ""


class _Fence(NamedTuple):
    words: list[str]
    settings: dict[str, str]
    body: str
    line: int
    length: int
    source: str


class _Told(Exception):
    """A block is given up: what is wrong with it is among the mistakes already."""


class Reader:
    """One lesson being read. `mistakes`: a list that takes all mistakes; without it the first is raised.

    `scenario` None: it cannot be read, and what needs it (machines, terminals, links) is not looked at.
    """

    def __init__(self, file: str, text: str, scenario: Scenario | None, mistakes: list[ScenarioError] | None = None) -> None:
        self.file = file
        self.mistakes = mistakes
        self.lines = text.split("\n")
        self.scenario = scenario
        self.ids: dict[str, int] = {}
        self.headless = False

    def mistake(self, message: str, line: int, hint: str = "") -> ScenarioError:
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        indent = len(source) - len(source.lstrip())
        return ScenarioError(message, Span(self.file, line, indent + 1, max(1, len(source.strip()))), source, hint)

    def steps(self, body: str, first_line: int) -> tuple[Step, ...]:
        """Cut the body at its `# ` headings: each opens a step."""
        steps: list[Step] = []
        title, blocks, prose_from = "", list[Block](), 0
        lines = body.split("\n")
        tokens = [token for token in render.PARSER.parse(body) if token.level == 0 and token.map]

        def prose(until: int) -> None:
            text = "\n".join(lines[prose_from:until]).strip()
            if text and title:
                blocks.append(Prose(render.html(text)))

        for token in tokens:
            start, end = token.map or [0, 0]
            self._headed(token, title, first_line + start)
            if token.type == "heading_open" and token.tag == "h1":
                prose(start)
                if title:
                    steps.append(Step(title, tuple(blocks)))
                title, blocks, prose_from = lines[start].lstrip("# ").strip(), [], end
            elif token.type == "fence" and (block := self._collected(token, first_line)):
                prose(start)
                blocks.append(block)
                prose_from = end
        prose(len(lines))
        return (*steps, Step(title, tuple(blocks))) if title else tuple(steps)

    def _headed(self, token: Token, title: str, line: int) -> None:
        """What stands ahead of the first heading belongs to no step: told once."""
        if not title and not self.headless and (token.type != "heading_open" or token.tag != "h1"):
            self.headless = True
            self._wrong(self.mistake(HEADLESS, line))

    def _collected(self, token: Token, first_line: int) -> Block | None:
        try:
            return self._fence(token, first_line)
        except ScenarioError as error:
            self._wrong(error)
        except _Told:
            pass
        return None

    def _wrong(self, error: ScenarioError) -> None:
        if self.mistakes is None:
            raise error
        self.mistakes.append(error)

    def _each(self, parts: Iterable[Callable[[], T]]) -> list[T]:
        """What all parts give. Where mistakes are collected, each part's is told before the block is given up."""
        made, before = [], len(self.mistakes or ())
        for part in parts:
            try:
                made.append(part())
            except ScenarioError as error:
                self._wrong(error)
        if len(self.mistakes or ()) > before:
            raise _Told
        return made

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
        self._check_marks(token, words, line)
        self._check_settings(fence, words[0])
        self._check_end(token, fence)
        return reader(self, fence)

    def _almost(self, words: list[str], line: int) -> None:
        """`prdict` would pass as code in a language of that name, and be lost: say so."""
        hint = did_you_mean(words[0].lower(), _FENCES) if words and words[0].lower() not in _CODE else ""
        if hint:
            raise self.mistake(f"unknown block '{words[0]}'", line, hint)

    def _check_marks(self, token: Token, words: list[str], line: int) -> None:
        if not token.markup.startswith("`"):
            raise self.mistake(f"a block stands between lines of ``` and not of {token.markup}", line)
        if spaced := spaced_setting(words[1:]):
            raise self.mistake(f"a space stands in the setting `{spaced}`", line, f"write {spaced.replace(' ', '')}")

    def _check_end(self, token: Token, fence: _Fence) -> None:
        """A block that is not closed swallows the next one."""
        for number, text in enumerate(fence.body.split("\n"), fence.line + 1):
            begun = text.startswith("```") and text.strip("`").split()
            if begun and begun[0] in _FENCES:
                raise self.mistake("the block before this is not closed: a line of ``` is missing", number)
        last = fence.line + (token.map or [0, 1])[1] - (token.map or [0, 1])[0] - 1
        if not fence.line < last <= len(self.lines) or not self.lines[last - 1].strip().startswith(token.markup):
            raise self.mistake("this block is not closed: a line of ``` is missing", fence.line)

    def _check_settings(self, fence: _Fence, name: str) -> None:
        known = SETTINGS.get(name, ())
        for key in fence.settings:
            if not key or not fence.settings[key]:
                raise self.mistake("a setting is written without spaces: wait=500ms", fence.line)
            if key not in known:
                raise self.mistake(f"{name} has no setting '{key}'", fence.line, did_you_mean(key, known) or _offer(known))
        language = fence.settings.get("lang")
        if language is not None and language not in LANGUAGES:
            raise self.mistake(
                f"lang is iptables or nft, not '{language}'", fence.line, did_you_mean(language, LANGUAGES)
            )

    def _known(self) -> Places:
        """What a check may name."""
        return dict((self._places("packet"), self._places("type")))

    def _terminal(self, fence: _Fence) -> str:
        return self._place(fence, "type", fence.words)

    def _place(self, fence: _Fence, act: str, words: list[str]) -> str:
        """The terminal, machine or link that a block is for."""
        kind, known = self._places(act)
        if len(words) != 1:
            raise self.mistake(f"say at which {kind}" + (f": one of {', '.join(known)}" if known else ""), fence.line)
        if words[0] not in known and self.scenario is not None:
            sits = sits_at(words[0], self.scenario) if kind == "terminal" else ""
            listed = f"it has {', '.join(known)}"
            hint = f"{sits}; {listed}" if sits else did_you_mean(words[0], known) or listed
            raise self.mistake(f"the scenario has no {kind} '{words[0]}'", fence.line, hint)
        return words[0]

    def _places(self, act: str) -> tuple[str, list[str]]:
        """The kind of place, and those that the scenario has."""
        scenario = self.scenario
        if act in ("packet", "power"):
            return "machine", list(scenario.machines) if scenario else []
        if act == "link":
            return "link", [link_id(link) for link in scenario.links] if scenario else []
        return "terminal", [terminal.id for terminal in scenario.terminals] if scenario else []

    def _id(self, fence: _Fence, what: str) -> str:
        if len(fence.words) != 1 or not re.fullmatch(r"[a-z0-9-]{1,40}", fence.words[0]):
            raise self.mistake(
                f"a {what} needs an id of small letters, digits and dashes: {what} first-syn", fence.line
            )
        if fence.words[0] in self.ids:
            first = self.ids[fence.words[0]]
            raise self.mistake(f"the id '{fence.words[0]}' stands here twice: the first time in line {first}", fence.line)
        self.ids[fence.words[0]] = fence.line
        return fence.words[0]

    def run(self, fence: _Fence) -> Run:
        return self._act(fence, "type", fence.words)

    def packet(self, fence: _Fence) -> Run:
        return self._act(fence, "packet", fence.words)

    def link(self, fence: _Fence) -> Run:
        return self._act(fence, "link", fence.words)

    def power(self, fence: _Fence) -> Run:
        return self._act(fence, "power", fence.words)

    def solution(self, fence: _Fence) -> Run:
        """`solution laptop`, `solution packet laptop`, `solution link laptop.eth0--server.eth0`, `solution power laptop`."""
        act = fence.words[0] if len(fence.words) == 2 and fence.words[0] in ("packet", "link", "power") else "type"
        return self._act(fence, act, fence.words[-1:] if act != "type" else fence.words, solution=True)

    def _act(self, fence: _Fence, act: str, words: list[str], solution: bool = False) -> Run:
        place = self._place(fence, act, words)
        lines = [(number, line) for number, line in enumerate(fence.body.split("\n"), fence.line + 1) if line.strip()]
        if not lines:
            raise self.mistake("there is nothing to type in this block", fence.line)
        inputs = tuple(self._each(partial(self._input, act, place, line, number) for number, line in lines))
        texts = tuple(line for _, line in lines)
        language, way = fence.settings.get("lang"), fence.settings.get("way", "")
        spans = tuple(Span(self.file, number, 1, len(line)) for number, line in lines)
        return Run(place, texts, inputs, self._span(fence), act, language, solution, self._wait(fence), way, spans)

    def _input(self, act: str, place: str, line: str, number: int) -> Input:
        if len(line) > MAX_TEXT:
            raise self.mistake(f"a line has at most {MAX_TEXT} characters", number)
        try:
            if act == "packet":
                sendable(line)
            return _ACTS[act](place, line)
        except UsageError as error:
            raise self.mistake(str(error), number) from error

    def _wait(self, fence: _Fence) -> int | None:
        wait = fence.settings.get("wait")
        try:
            pause = None if wait is None else parse_time(wait)
        except UsageError as error:
            raise self.mistake(str(error), fence.line) from error
        if pause is not None and pause > LONGEST:
            raise self.mistake(f"a wait is {show_time(LONGEST)} at most", fence.line)
        return pause

    def output(self, fence: _Fence) -> Listing:
        return Listing(self._terminal(fence), fence.body.rstrip("\n"), self._span(fence), fence.settings.get("lang"))

    def hint(self, fence: _Fence) -> Hint:
        return Hint(render.html(fence.body), fence.settings.get("lang"))

    def whatif(self, fence: _Fence) -> Predict:
        """A prediction of another future: one line of it says what is different there, `> TERMINAL: line`, or in the same way
        `> link ID: delay 200ms`, `> packet MACHINE: tcp ...`, `> power MACHINE: off`.
        """
        lines = fence.body.splitlines()
        changes = [(number, line) for number, line in enumerate(lines, fence.line + 1) if line.startswith("> ")]
        if len(changes) != 1:
            raise self.mistake("a whatif has one line that says what is different: > server: conntrack -F", fence.line)
        number, line = changes[0]
        where, _, what = line[2:].partition(": ")
        words = where.rstrip(": ").split()
        act = words.pop(0) if len(words) > 1 and words[0] in ("link", "packet", "power") else "type"
        place = self._place(fence._replace(line=number), act, words)
        if not what.strip():
            raise self.mistake("say what is different, behind a colon and a space: > server: conntrack -F", number)
        change = self._input(act, place, what.strip(), number)
        plain = fence._replace(body="\n".join("" if one.startswith("> ") else one for one in lines))
        asked = self.predict(plain, "whatif")
        return replace(asked, change=change, before=fence.settings.get("before", ""), span=self._span(fence))

    def predict(self, fence: _Fence, what: str = "predict") -> Predict:
        ident = self._id(fence, what)
        rows = list(enumerate(fence.body.splitlines(), fence.line + 1))
        question, options = read_options(rows, self.mistake, self._each)
        right = sum(option.right for option in options)
        if len(options) < 2 or right != 1:
            raise self.mistake(
                "a prediction has two options or more: `- [ ] wrong` and exactly one `- [x] right`. "
                f"This one has {len(options)} options, {right} of them right", fence.line,
            )  # fmt: skip
        if not question:
            raise self.mistake("a prediction asks something: write the question ahead of its options", fence.line)
        return Predict(ident, render.inline(question), options, language=fence.settings.get("lang"))

    def goal(self, fence: _Fence) -> Goal:
        ident = self._id(fence, "goal")
        document = self._yaml(fence)
        data = document.data
        for key in data if isinstance(data, dict) else ():
            if key not in ("text", "checks"):
                hint = did_you_mean(str(key), ("text", "checks"))
                raise document.mistake(f"a goal has `text:` and `checks:`, and no '{key}'", (key, "<key>"), hint)
        if not isinstance(data, dict) or len(data) != 2 or not isinstance(data["text"], str):
            raise self.mistake("a goal has `text:` and `checks:`", fence.line)
        checks = read_checks(data["checks"], document, ("checks",), self._each, self._known())
        return Goal(ident, render.inline(data["text"]), checks, self._span(fence))

    def expect(self, fence: _Fence) -> Expect:
        document = self._yaml(fence)
        settings, checks = fence.settings, read_checks(document.data, document, (), self._each, self._known())
        return Expect(checks, self._span(fence), settings.get("lang"), settings.get("whatif", ""))

    def judge(self, fence: _Fence) -> Judge:
        document = self._yaml(fence)
        if self.scenario is None:
            raise _Told
        return Judge(read_tests(document, self.scenario, self._each), self._span(fence))

    def way(self, fence: _Fence) -> Way:
        ident = self._id(fence, "way")
        document = self._yaml(fence)
        if self.mistakes is not None and (found := problems(WayWords, document)):
            self.mistakes += found
            raise _Told
        said = load(WayWords, document)
        low, high = (said.points, said.points) if isinstance(said.points, int) else said.points
        reasons = render.html(said.why)
        return Way(ident, said.title, reasons, said.reached, (low, high), said.lost, said.fails, self._span(fence))

    def _yaml(self, fence: _Fence) -> Document:
        try:
            return read(fence.body, self.file, fence.line + 1)
        except ScenarioError:
            if (line := undashed(fence.body, fence.line + 1)) is None:
                raise
            raise self.mistake("each check begins with `- `: a dash and a space", line) from None

    def _span(self, fence: _Fence) -> Span:
        return Span(self.file, fence.line, 1, fence.length)


def _offer(settings: tuple[str, ...]) -> str:
    return f"it has {', '.join(settings)}" if settings else "it takes none, and holds for learners of both languages"


_FENCES: dict[str, Callable[[Reader, _Fence], Block]] = {
    "run": Reader.run, "packet": Reader.packet, "link": Reader.link, "power": Reader.power, "solution": Reader.solution,
    "predict": Reader.predict, "whatif": Reader.whatif, "hint": Reader.hint, "goal": Reader.goal,
    "expect": Reader.expect, "output": Reader.output, "judge": Reader.judge, "way": Reader.way,
}  # fmt: skip
