"""A learner's progress: what is done, what was predicted how, what is due to be repeated. A plain dict, changed by pure functions.

Repeating follows Leitner: five boxes, asked again after 1, 2, 4, 8 and 16 days. What was predicted right at first is in no box; what was
wrong goes into the first, and each right repetition moves it one on, until it leaves the last; a wrong one sends it back to the first.
Not in here: where it is kept (store.py), how the page asks (learners.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from sim.errors import UsageError
from web.messages import Incoming, check

VERSION = 1
BOXES = (1, 2, 4, 8, 16)
"""Days until a question in each box is asked again."""

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,80}$")]
Question = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,80}/[a-z0-9-]{1,40}$")]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Answered(Incoming):
    """One prediction: the first answer, whether it was right, its day; `box` from 1 where it is to be repeated, and when it is due."""

    choice: Annotated[int, Field(ge=0, le=100)]
    right: bool
    on: Day
    box: Annotated[int, Field(ge=1, le=len(BOXES))] | None = None
    due: Day | None = None


class Finished(Incoming):
    """A lesson whose goals are reached."""

    on: Day


class Judged(Incoming):
    """The best of a drill or a challenge: `points` of a drill, and how often it was judged until it was passed first."""

    passed: bool
    points: Annotated[int, Field(ge=0, le=100)] = 0
    seconds: Count = 0
    lost: Count = 0
    tries: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    on: Day


class Kept(Incoming):
    """The whole, as it is kept, exported and imported."""

    ctlab_progress: Literal[1] = 1
    answers: Annotated[dict[Question, Answered], Field(max_length=5000)] = {}
    lessons: Annotated[dict[Name, Finished], Field(max_length=1000)] = {}
    judged: Annotated[dict[Name, Judged], Field(max_length=1000)] = {}


def empty() -> dict[str, Any]:
    """Nothing done yet."""
    return Kept().model_dump()


def read(data: Any) -> dict[str, Any]:
    """What somebody brings back. Raises UsageError with a sentence."""
    if not isinstance(data, dict) or data.get("ctlab_progress") != VERSION:
        raise UsageError("This is no progress of ctlab: such a file is JSON and begins with ctlab_progress, its version.")
    try:
        kept: Kept = check(Kept, data)
    except UsageError as error:
        raise UsageError(f"This is no progress of ctlab: {str(error).partition(': ')[2]}") from error
    for answer in kept.answers.values():
        if (answer.box is None) != (answer.due is None):
            raise UsageError("This is no progress of ctlab: what is in a box has a day on which it is due, and nothing else has.")
        _day(answer.due or answer.on)
    found = kept.model_dump()
    for part in ("answers", "lessons", "judged"):
        for one in found[part].values():
            _day(one["on"])
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"This is no progress of ctlab: {text} is no day.") from error


def answered(progress: Mapping[str, Any], question: str, choice: int, right: bool, today: date) -> dict[str, Any]:
    """The first answer to a question counts; what was wrong is due tomorrow."""
    if question in progress["answers"]:
        return dict(progress)
    entry = {"choice": choice, "right": right, "on": today.isoformat(), "box": None, "due": None}
    return _with(progress, "answers", question, entry | ({} if right else _in_box(1, today)))


def repeated(progress: Mapping[str, Any], question: str, right: bool, today: date) -> dict[str, Any]:
    """A question of a box was asked again. Raises UsageError where it is in none, or not due: another tab may have been quicker."""
    entry = progress["answers"].get(question)
    if entry is None or entry["box"] is None:
        raise UsageError("That question is not among those to be repeated.")
    if entry["due"] > today.isoformat():
        raise UsageError(f"That question was repeated already: it is due on {entry['due']}.")
    box = entry["box"] + 1 if right else 1
    out = {"box": None, "due": None}
    return _with(progress, "answers", question, entry | (_in_box(box, today) if box <= len(BOXES) else out))


def _in_box(box: int, today: date) -> dict[str, Any]:
    return {"box": box, "due": (today + timedelta(days=BOXES[box - 1])).isoformat()}


def finished(progress: Mapping[str, Any], lesson: str, today: date) -> dict[str, Any]:
    """A lesson is done; its first day counts."""
    return _with(progress, "lessons", lesson, progress["lessons"].get(lesson) or {"on": today.isoformat()})


def judged(progress: Mapping[str, Any], name: str, passed: bool, score: Mapping[str, Any], today: date) -> dict[str, Any]:
    """A drill or a challenge was judged: the best is kept, and how many tries came until it was passed first."""
    new = {"passed": passed, "points": score["points"], "seconds": score["seconds"], "lost": len(score["lost"])}
    old = progress["judged"].get(name)
    tries = 1 if old is None else old["tries"] + (not old["passed"])
    better = old is None or (passed, new["points"]) > (old["passed"], old["points"])
    return _with(progress, "judged", name, (new | {"on": today.isoformat()} if better else dict(old)) | {"tries": tries})


def merged(mine: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both: of an answer the earlier, of two of one day the one repeated further; of a lesson the earlier day; of a drill the better."""
    answers = {**other["answers"], **mine["answers"]}
    for question in other["answers"].keys() & mine["answers"].keys():
        both = sorted((mine["answers"][question], other["answers"][question]), key=lambda one: str(one["on"]))
        answers[question] = max(both, key=_repeated_so_far) if both[0]["on"] == both[1]["on"] else both[0]
    results = {**other["judged"], **mine["judged"]}
    for name, entry in other["judged"].items():
        results[name] = max(results[name], entry, key=lambda one: (one["passed"], one["points"], -one["tries"]))
    lessons = {**other["lessons"], **mine["lessons"]}
    for name in other["lessons"].keys() & mine["lessons"].keys():
        lessons[name] = min(other["lessons"][name], mine["lessons"][name], key=lambda one: str(one["on"]))
    return {"ctlab_progress": VERSION, "answers": answers, "lessons": lessons, "judged": results}


def _repeated_so_far(entry: Mapping[str, Any]) -> tuple[bool, str]:
    """Each repetition puts the day off; what has left the last box has none."""
    return entry["due"] is None, entry["due"] or ""


def due(progress: Mapping[str, Any], today: date) -> list[str]:
    """The questions that are due, the longest first."""
    waiting = [(entry["due"], question) for question, entry in progress["answers"].items() if entry["due"] is not None]
    return [question for day, question in sorted(waiting) if day <= today.isoformat()]


def _with(progress: Mapping[str, Any], part: str, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**progress, part: {**progress[part], name: dict(entry)}}
