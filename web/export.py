"""Single-file export: one HTML file with the page's script, its styles and a trace in it, which plays with no server behind it.

    html = lesson_page(lesson)                     # the lesson as its best pupil does it, told stretch by stretch
    html = scenario_page(scenario, inputs)         # a scenario, and what was done in it
    html = page_of(Recording(…))                   # any moment of any trace

In the file everything that the server would compute stands ready: the records, the insides of the packets, when each goal is
met. It takes nothing from anywhere: its policy allows its own script (by hash) and no request. Not in here: the page (ui/src/alone.ts).
"""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lessons.expect import Seen
from lessons.model import Goal, Lesson
from lessons.rehearse import rehearse
from lessons.waiting import waiting
from sim.edges.dissect import as_json
from sim.errors import UsageError
from sim.inputs import Input, to_json
from sim.scenario import Scenario
from sim.trace import InputGiven, PacketSent, Record
from web import facts, messages
from web.futures import Future, computed

ALONE = Path(__file__).parent / "static" / "dist" / "alone"
MOST_RECORDS = 50_000
PARTS = 50  # of a stretch between two inputs: so finely a goal's moment is told
MOST_INSIDES = 1_000  # packets with bytes of their own whose layers go into the file; scapy reads one in 0.3 ms or so
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; \
img-src data: blob:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="ctlab">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript: it plays a recording of a firewall.</noscript>
<script type="application/octet-stream" id="recording">{recording}</script>
<script>{script}</script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Recording:
    """What one file shows: a trace, the `lesson` it belongs to (or None), and the moment (µs, step) at which it opens.

    `stepwise`: the trace is told from input to input, each stretch when the reader comes to it; else all of it stands there.
    `answers`: predictions that were answered already. `title`: the scenario's or lesson's own where it is "". `futures`: other courses of
    things, of what-ifs and kept ones. `marks`: moments to come back to. `told`: how
    many records have been told at that moment, where it is one of several of an instant.
    """

    scenario: Scenario
    records: Sequence[Record]
    lesson: Lesson | None = None
    time: int = 0
    step: int = 0
    stepwise: bool = False
    language: str | None = None
    title: str = ""
    answers: Mapping[str, int] = field(default_factory=dict)
    futures: Sequence[Future] = ()
    marks: Sequence[Mapping[str, int]] = ()
    told: int | None = None


def lesson_page(lesson: Lesson, language: str | None = None) -> str:
    """The lesson as HTML: every command in it was typed, and its button plays what came of it.

    `language`: iptables or nft where the lesson offers both; the first that it offers when None. Raises UsageError.
    """
    if lesson.kind != "lesson":
        refused = f"'{lesson.id}' is a {lesson.kind}: the lab itself judges it, so it is no file that plays by itself."
        raise UsageError(f"{refused} Hand on its sources: ctlab lesson export {lesson.id} -o {lesson.id}.zip")
    if language is not None and language not in lesson.languages:
        offered = ", ".join(lesson.languages) or "no choice"
        raise UsageError(f"the lesson '{lesson.id}' is not offered in {language}: it offers {offered}")
    chosen = language or next(iter(lesson.languages), None)
    done = next(one for one in rehearse(lesson) if one.language == chosen)
    futures = [Future(at, change.say(), records, change) for at, change, records in done.futures]
    return page_of(Recording(lesson.scenario, done.records, lesson, stepwise=True, language=chosen, futures=futures))


def scenario_page(scenario: Scenario, inputs: Sequence[tuple[int, Input]] = ()) -> str:
    """The scenario as HTML, with what was done in it (times in µs), and what came of it. Raises UsageError."""
    with waiting():
        records = computed(scenario, inputs)
    return page_of(Recording(scenario, records))


def page_of(recording: Recording) -> str:
    """The HTML file. Raises UsageError: the page is not built, the trace is too long."""
    if len(recording.records) > MOST_RECORDS:
        raise UsageError(f"{len(recording.records)} events are too many for one file: {MOST_RECORDS} are the most")
    script, style = _built("alone.js"), _built("alone.css")
    script = script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    title = recording.title or (recording.lesson or recording.scenario).title
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _PAGE.format(
        digest=digest, title=html.escape(f"{title} · ctlab"), style=style, script=script, recording=_packed(recording)
    )


def _built(name: str) -> str:
    try:
        return (ALONE / name).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError("The page has not been built, so there is nothing to put into a file. Run: python3 dev.py page") from error


def _packed(recording: Recording) -> str:
    """JSON, deflated, in base64: nothing in it can end the element in which it stands."""
    data = json.dumps(_message(recording), separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _message(recording: Recording) -> dict[str, Any]:
    """`Recording` of ui/src/recorded.ts."""
    goals = recording.lesson.goals() if recording.lesson else []
    progress = {"answers": dict(recording.answers), "goals": {goal.id: False for goal in goals}, "step": recording.step}
    others = [record for one in recording.futures for record in one.records]
    position = messages.Position(t=recording.time, step=recording.step, n=recording.told).data()
    hello = {
        "key": "", "scenario": messages.scenario_message(recording.scenario), "lesson": _lesson(recording),
        "position": position, "progress": progress, "marks": list(recording.marks), "fixed": True,
    }  # fmt: skip
    return {
        "version": 1, "hello": hello, "records": [record.to_json() for record in recording.records], "stepwise": recording.stepwise,
        "goals": _met(goals, recording.records), "layers": _insides([*recording.records, *others]),
        "grid": facts.grid(), "futures": [one.message(n, recording.records) for n, one in enumerate(recording.futures, 1)],
    }  # fmt: skip


def _lesson(recording: Recording) -> dict[str, Any] | None:
    """The lesson, in the one language in which it was recorded. What-ifs whose future is not in the file are plain questions."""
    lesson = messages.lesson_message(recording.lesson)
    if lesson is None:
        return None
    there = [to_json(one.change) for one in recording.futures if one.change]
    for block in (block for step in lesson["steps"] for block in step["blocks"]):
        if block["type"] == "predict" and block["change"] not in there:
            block["change"] = None
    if recording.language is None:
        return lesson
    for step in lesson["steps"]:
        mine = [block for block in step["blocks"] if block.get("language") in (None, recording.language)]
        step["blocks"] = [block | {"language": None} if "language" in block else block for block in mine]
    return lesson | {"languages": []}


def _met(goals: Sequence[Goal], records: Sequence[Record]) -> dict[str, int]:
    """When (µs) each goal is met first: the stretch from input to input in which it comes to be met, and the part of that."""
    ends = [record.n for record in records if isinstance(record.event, InputGiven)]
    met: dict[str, int] = {}
    at_end, within = Seen([]), Seen([])
    for start, end in itertools.pairwise([*ends, len(records)]) if goals else ():
        at_end.grow(records[:end])
        for part in range(start, end, max(1, (end - start) // PARTS)) if _newly(goals, at_end, met) else ():
            within.grow(records[: part + 1])
            met |= dict.fromkeys(_newly(goals, within, met), records[part].time)
        met |= dict.fromkeys(_newly(goals, at_end, met), records[end - 1].time)
    return met


def _newly(goals: Sequence[Goal], seen: Seen, met: Mapping[str, int]) -> list[str]:
    """The goals that are met and were not."""
    return [goal.id for goal in goals if goal.id not in met and all(seen.holds(check) for check in goal.checks)]


def _insides(records: Sequence[Record]) -> dict[str, Any]:
    """The layers of each packet that was put on a link, by its bytes in hexadecimal."""
    found = dict.fromkeys(record.event.data for record in records if isinstance(record.event, PacketSent))
    return {data: as_json(bytes.fromhex(data)) for data in list(found)[:MOST_INSIDES]}
