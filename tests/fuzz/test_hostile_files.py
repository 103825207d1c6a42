"""Files from a stranger: refused with a sentence, or run within limits of events, memory and time. Never a traceback, never a script.

CTLAB_FILES says how many mutated files (100,000 takes two processors half an hour or so; one is a lesson to nineteen scenarios);
without it, as many as a run of the tests has time for. CTLAB_SEED chooses the first.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from types import FrameType

import pytest

from lessons import render
from lessons.check import problems, problems_of
from lessons.course import HERE
from lessons.load import read_lesson, sources
from lessons.page import as_message
from lessons.rehearse import rehearse, rehearse_ways
from lessons.shelf import Shelf
from sim.errors import CtlabError, ScenarioError
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.trial import problems as trial
from tests.fuzz.hostile import WORDS, mutated, packed, seeds
from web.futures import AHEAD_RECORDS, AHEAD_TIME

MANY = int(os.environ.get("CTLAB_FILES", "800"))
SEED = int(os.environ.get("CTLAB_SEED", "1"))
SECONDS = 30
"""Of processor time that one file may take."""


class TooLong(BaseException):
    """No error of ours: nothing catches it."""


@contextmanager
def limited() -> Iterator[None]:
    """Ends with TooLong after SECONDS (of processor time: what waits for a pipe is not ended, but hangs)."""

    def ring(_: int, __: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def tried(read: Callable[[], None], text: str) -> bool:
    """True when it ran, False when it was refused with a sentence; anything else fails with the file."""
    try:
        with limited():
            read()
        return True
    except CtlabError as error:
        assert str(error).strip() and "Traceback" not in str(error), text
        return False
    except BaseException as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{text}") from error


def test_no_mutated_scenario_breaks_the_lab() -> None:
    assert in_parts(scenarios_tried, MANY * 19 // 20) > MANY // 30


def scenarios_tried(seed: int, many: int) -> int:
    texts = islice(mutated(seeds().scenarios, Random(seed)), many)
    return all_tried((lambda text=text: run(Scenario.from_text(text)), text) for _, text in texts)  # type: ignore[misc]


def all_tried(files: Iterable[tuple[Callable[[], None], str]]) -> int:
    """How many ran. Fails at the end, with what each file that broke something said, and the first whole."""
    ran, broken = 0, []
    for read, text in files:
        try:
            ran += tried(read, text)
        except AssertionError as error:
            broken.append(str(error))
    assert not broken, "\n".join([*(one.partition("\n")[0] for one in broken), broken[0]])
    return ran


def in_parts(part: Callable[[int, int], int], many: int) -> int:
    """What `part` counts of so many files: by all processors where they are thousands, each with a seed of its own."""
    if many < 500:
        return part(SEED, many)
    jobs = os.cpu_count() or 1
    with get_context("fork").Pool(jobs) as pool:
        return sum(pool.starmap(part, [(SEED * 1000 + job, many // jobs) for job in range(jobs)]))


def run(scenario: Scenario) -> None:
    """As far as the page computes ahead."""
    simulation = Simulation(scenario)
    simulation.run(AHEAD_TIME, records=AHEAD_RECORDS)
    assert len(simulation.records) <= min(scenario.budget.records, AHEAD_RECORDS) + 1000


def test_no_mutated_lesson_breaks_the_lab() -> None:
    assert in_parts(lessons_tried, MANY // 20 if "CTLAB_FILES" in os.environ else 25) > 2


def lessons_tried(seed: int, many: int) -> int:
    lessons = seeds().lessons
    files = islice(mutated([text for _, text in lessons], Random(seed)), many)
    return all_tried((lambda which=which, text=text: rehearsed(lessons[which][0], text), text) for which, text in files)  # type: ignore[misc]


def rehearsed(file: Path, text: str) -> None:
    """Checked, put on a page, and gone through in one of its languages, by one of its ways; a variant of what varies."""
    random = Random(text)
    told = problems_of(text, file)
    assert all(str(mistake).strip() for mistake in told)
    lesson = read_lesson(text, file, random.choice((0, 1, 10**6)))
    for step in as_message(lesson)["steps"]:
        for block in step["blocks"]:
            safe("".join(str(value) for key, value in block.items() if key in ("html", "question", "text") and block["type"] != "output"))
    one = replace(lesson, languages=tuple(random.sample(lesson.languages, min(1, len(lesson.languages)))))
    if lesson.ways():
        rehearse_ways(one, [random.choice(lesson.ways())])
    else:
        rehearse(one)


def test_no_mutated_zip_of_lessons_breaks_the_lab(tmp_path: Path) -> None:
    random, read = Random(SEED), 0
    files = {name: path.read_bytes() for name, path in sources(HERE / "01-four-labels").items()}
    for number in range(max(60, MANY // 50)):
        place = tmp_path / f"{number}.zip"
        place.write_bytes(packed(files, random))
        read += tried(lambda place=place: opened(place), repr(place))  # type: ignore[misc]
        place.unlink(missing_ok=True)
        assert [path.name for path in tmp_path.iterdir()] == [], "something was written beside the zip"
    assert read > 5


def opened(place: Path) -> None:
    with Shelf([place], own=None) as shelf:
        root = shelf.folders[0]
        assert all(path.resolve().is_relative_to(root.resolve()) and not path.is_symlink() for path in root.rglob("*"))
        shelf.course()


# ---- what a malicious author writes ----------------------------------------------------------------------------------

GOOD = """\
title: Two machines
firewall: b
machines:
  a: {interfaces: {eth0: 10.0.0.1/24}}
  b: {interfaces: {eth0: 10.0.0.2/24}, services: [http]}
links: [{between: [a.eth0, b.eth0]}]
terminals: [{id: a, machine: a, user: root}]
"""
BOMB = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [*{old}, *{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True))
REFUSED = [
    (BOMB, "anchors and aliases"),
    ("title: " + "[" * 5000 + "]" * 5000, "nested too deep"), ("title: " + "[" * 400_000, "nested too deep"),
    ("{a: " * 5000, "nested too deep"),
    ("- " * 3000 + "x", "nested too deep"),
    ("x: [" + "1," * 200_000 + "]", "too many values"), ("title: x\n" * 2, "stands here twice"),
    (GOOD.replace("title: Two", "title: !!python/object/apply:os.system [id] #"), "tags like"),
    (GOOD.replace("Two machines", "!!binary aGk="), "tags like"),
    (GOOD + "budget: {records: 99999999999}", "at most"),
    (GOOD + "budget: {records: .nan}", "a whole number is wanted"),
    (GOOD + "budget: {time: 1e999}", "is no time"),
    (GOOD + "budget: {time: " + "9" * 400 + "}", "is no time"),
    (GOOD + "seed: -1", "at least"),
    (GOOD.replace("b.eth0]}", "b.eth0], loss: .nan}"), "a number is wanted"),
    (GOOD.replace("b.eth0]}", "b.eth0], loss: 1e400}"), ""),
    (GOOD.replace("b.eth0]}", "b.eth0], delay: 999d}"), "at most"),
    (GOOD + "traffic: [{at: 0, machine: a, packet: 'udp 10.0.0.1:1 > 10.0.0.2:2', every: 0s, times: 999999999}]", "at most"),
    (GOOD + "traffic: [" + "{at: 0, terminal: a, type: x, times: 10000}, " * 3 + "]", "more than 10000 inputs"),
    ("x: " + "y" * 1_100_000, "a file may have"),
    (GOOD.replace("services: [http]", "services: [http: {size: 99999999999}]"), "size"),
    (GOOD.replace("services: [http]", "files: {/etc/passwd/../../x: y, ../y: z}"), ""),
    (GOOD + "traffic: [{at: 0, machine: a, packet: hex 00}]", "can send this nowhere"),
    ("title: \x00", "not YAML"), ("\ufeff\x01", "not YAML"), ("", "mapping"), ("- a", "mapping"), ("42", "mapping"), ("a: \u2028: b", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_meant_to_swell_or_to_deceive_is_refused_at_once_with_a_sentence(text: str, words: str) -> None:
    with limited(), pytest.raises(ScenarioError) as told:
        Scenario.from_text(text)
    assert words in str(told.value) and trial(text)


FLOODS = [
    "traffic: [{at: 0, machine: a, packet: 'udp 10.0.0.1:1 > 10.0.0.2:2', every: 0s, times: 10000}]\nbudget: {records: 2000}\n",
    "traffic: [{at: 0, terminal: a, type: ping -i 0.2 10.0.0.2}]\nbudget: {time: 30s}\n",
    "traffic: [{at: 0, terminal: a, type: ping -i 0.2 -s 1400 10.0.0.2}]\nbudget: {memory: 1}\n",
    "traffic: [{at: 0, terminal: a, type: hping3 -i u100 -S -p 80 10.0.0.2}]\nbudget: {records: 5000}\n",
]


@pytest.mark.parametrize("more", FLOODS, ids=["packets", "time", "memory", "flood"])
def test_what_never_ends_by_itself_ends_at_its_budget_and_says_so(more: str) -> None:
    simulation = Simulation(Scenario.from_text(GOOD + more))
    with limited():
        simulation.run()
    assert "This experiment has used up its" in simulation.ended
    assert len(simulation.records) < 100_000


def test_a_lesson_file_that_is_no_file_or_no_text_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "01-x"
    folder.mkdir()
    os.mkfifo(folder / "lesson.md")
    with limited():
        assert "cannot read this file" in str(problems(folder)[0])
    (folder / "lesson.md").unlink()
    (folder / "lesson.md").write_bytes(b"---\ntitle: \xff\xfe\n")
    assert "no UTF-8 text" in str(problems(folder)[0])
    (folder / "lesson.md").unlink()
    (folder / "lesson.md").symlink_to("/dev/zero")
    with limited():
        assert "cannot read this file" in str(problems(folder)[0])


# ---- Markdown --------------------------------------------------------------------------------------------------------

ALLOWED = {
    "p": (), "h1": (), "h2": (), "h3": (), "h4": (), "h5": (), "h6": (), "strong": (), "em": (), "code": ("class",), "pre": (), "ul": (),
    "ol": ("start",), "li": (), "a": ("href", "title", "rel", "target"), "blockquote": (), "hr": (), "br": (), "table": (), "thead": (),
    "tbody": (), "tr": (), "th": ("style",), "td": ("style",), "span": ("class", "aria-hidden"),
}  # fmt: skip
CROSSED = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "[x](javascript:alert(1))",
    "[x](JAVASCRIPT:alert(1))", "[x](java\tscript:alert(1))", "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)", "[x](vbscript:x)",
    "[x](//evil.test)",
    "<javascript:alert(1)>", "[a]\n\n[a]: javascript:alert(1)",
    "![x](https://evil.test/x.png)", "[x](https://a.test \"onmouseover='x'\")",
    '[x](https://a.test"onclick="alert(1))', "`<b onclick=alert(1)>`", '```"><script>alert(1)</script>\nx\n```',
    "|a|\n|-|\n|<iframe src=x>|",
    "<a href=javascript:alert(1)>x</a>", "<!-- --><style>*{}</style>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "\\<script>", "<x\ny=z>",
    "**<script>**alert(1)", "[<img src=x onerror=alert(1)>](https://a.test)", "# <svg onload=alert(1)>", "> <script>\n> alert(1)",
    "1. <object data=x>", "    <script>code</script>", "[x]: <javascript:alert(1)>\n\n[x]", "`NEW`<script>", "&#60;script&#62;",
]  # fmt: skip


class _Dom(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name not in ALLOWED.get(tag, ()) or (name == "href" and not (value or "").startswith(("http://", "https://"))):
                self.wrong.append(f"{tag} {name}={value}")
            if name == "style" and not (value or "").startswith("text-align:"):
                self.wrong.append(f"{tag} {name}={value}")
        if tag not in ALLOWED:
            self.wrong.append(tag)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(decl)


def safe(html: str) -> None:
    dom = _Dom()
    dom.feed(html)
    dom.close()
    assert dom.wrong == [], html


@pytest.mark.parametrize("markdown", CROSSED)
def test_markdown_comes_out_without_scripts_handlers_foreign_pictures_or_strange_links(markdown: str) -> None:
    safe(render.html(markdown))
    safe(render.inline(markdown))


def test_markdown_in_every_place_of_a_lesson_is_sanitised() -> None:
    file = HERE / "01-four-labels" / "lesson.md"
    text = file.read_text("utf-8")
    for markdown in (*CROSSED, *WORDS):
        if "\n" in markdown or "`" in markdown:
            continue
        evil = text.replace("\n- [ ] ", f"\n- [ ] {markdown} ", 1).replace("\n```predict", f"\n{markdown}\n\n```predict", 1)
        evil = evil.replace("text: ", f"text: {markdown!r} ", 1).replace("title: ", f"title: {markdown!r} #", 1)
        try:
            message = as_message(read_lesson(evil, file))
        except ScenarioError:
            continue
        for block in (block for step in message["steps"] for block in step["blocks"]):
            for key in ("html", "question"):
                safe(str(block.get(key, "")))
            for option in block.get("options", []):
                safe(option["html"] + option["why"])
            if block["type"] == "goal":
                safe(block["text"])
