"""Experiment: a session as it is shared: scenario or lesson, inputs, moment, marks. As a file (JSON) or a link (deflated, base64).

It comes from anybody, so nothing in it is believed: form and sizes are checked here, names and packets by the simulator before it
runs. A scenario or lesson that both labs have is named; a scenario of the learner's own travels whole. Not in here: files of the page.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from sim.errors import UsageError
from sim.inputs import from_json
from web.messages import Incoming, Mark, Position, check
from web.session import MAX_INPUTS, Session

VERSION = 1
MARK = "x="
MOST_TEXT = 600_000  # characters of JSON
MOST_MARKS = 200  # as many as a page lets a person set
MOST_LINK = 200_000  # characters of a link
NO_FILE = "This is no experiment of ctlab"
CAPTURE_TOO_LONG = (
    "This capture is too long to travel like this. Share it as the page that plays by itself, which is a file, "
    "or cut out of it what matters."
)
NO_LINK = "This link carries no experiment of ctlab, or not all of it: was it cut off where it was copied?"
Name = Annotated[str, Field(min_length=1, max_length=80)]


class Experiment(Incoming):
    """`ctlab` is the version of this form, `seed` the variant of a lesson that varies.

    One of `lesson`, `scenario`, `own` (a scenario as YAML text), `of` (the machines of a lesson without it) and `capture` (walk.py) is
    given.
    """

    ctlab: Literal[1]
    title: Annotated[str, Field(max_length=200)] = ""
    lesson: Name | None = None
    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    of: Name | None = None
    scenario: Name | None = None
    own: Annotated[str, Field(max_length=200_000)] | None = None
    capture: dict[str, Any] | None = None
    inputs: Annotated[list[Annotated[list[Any], Field(min_length=2, max_length=2)]], Field(max_length=MAX_INPUTS)] = []
    position: Position = Position(t=0, step=0)
    marks: Annotated[list[Mark], Field(max_length=MOST_MARKS)] = []

    def data(self) -> dict[str, Any]:
        """What a Session is made of."""
        return {
            "lesson": self.lesson, "seed": self.seed, "of": self.of, "scenario": self.scenario, "own": self.own, "inputs": self.inputs,
            "capture": self.capture, "position": self.position.data(),
            "marks": [mark.model_dump() for mark in self.marks],
        }  # fmt: skip


def of_session(session: Session, moment: Position, marks: Sequence[dict[str, int]] = ()) -> dict[str, Any]:
    """The experiment as it stands, opening at `moment`; as JSON has it. Inputs after that moment are in it."""
    data = session.data()
    variant = {"seed": data["seed"]} if data.get("seed") else {}
    name = next(name for name in ("capture", "lesson", "own", "of", "scenario") if data.get(name))
    source = {name: data[name]} | (variant if name in ("lesson", "of") else {})
    title = session.lesson.title if session.lesson else session.scenario.title
    kept = {"marks": list(marks)} if marks else {}
    return {"ctlab": VERSION, "title": title[:200]} | source | {"inputs": data.get("inputs", []), "position": moment.data()} | kept


def read(data: Any) -> Experiment:
    """Check what a file said. Raises UsageError with a sentence."""
    if not isinstance(data, dict) or "ctlab" not in data:
        raise UsageError(f"{NO_FILE}: a file of an experiment is JSON and begins with its version, 'ctlab'.")
    if data["ctlab"] != VERSION:
        version = str(data["ctlab"])[:20]
        raise UsageError(f"This experiment is of version {version!r}, and this lab reads version {VERSION}. Is there a newer ctlab?")
    try:
        experiment: Experiment = check(Experiment, data)
    except UsageError as error:
        raise UsageError(f"{NO_FILE}: {str(error).partition(': ')[2]}") from error
    kinds = (experiment.lesson, experiment.scenario, experiment.own, experiment.of, experiment.capture)
    if sum(one is not None for one in kinds) != 1:
        raise UsageError(f"{NO_FILE}: it is of a lesson, of a scenario, of a scenario of its own or of a capture, and of one of them only.")
    if experiment.capture is not None and experiment.inputs:
        raise UsageError(f"{NO_FILE}: nothing can be done in a capture, and here something was.")
    _check_inputs(experiment)
    return experiment


def _check_inputs(experiment: Experiment) -> None:
    before = 0
    for number, (at, value) in enumerate(experiment.inputs, 1):
        if type(at) is not int or not before <= at <= 1 << 53 or not isinstance(value, dict):
            raise UsageError(f"{NO_FILE}: input {number} is not at a moment (µs) after the one before it, or is none.")
        try:
            from_json(value)
        except UsageError as error:
            raise UsageError(f"{NO_FILE}: input {number}: {error}") from error
        before = at


def parse(text: str) -> Experiment:
    """The same from the file's text. Raises UsageError."""
    if len(text) > MOST_TEXT:
        raise UsageError(f"{NO_FILE}: it has {len(text)} characters, and {MOST_TEXT} are the most.")
    try:
        return read(json.loads(text))
    except (ValueError, RecursionError) as error:
        where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"{NO_FILE}: it is not JSON{where}.") from error


def to_link(experiment: dict[str, Any]) -> str:
    """The fragment of a link, without #: "x=…". Raises UsageError for one that no browser would carry."""
    packed = zlib.compress(json.dumps(experiment, separators=(",", ":")).encode(), 9)
    link = MARK + base64.urlsafe_b64encode(packed).decode().rstrip("=")
    if len(link) > MOST_LINK:
        raise UsageError(CAPTURE_TOO_LONG if experiment.get("capture") else "This experiment is too long for a link. Share it as a file.")
    return link


def from_link(text: str) -> Experiment:
    """What a link (its fragment, or all of it) carries. Never unpacks more than a file may hold. Raises UsageError."""
    packed = text.strip().rpartition(MARK)[2]
    if len(text) > MOST_LINK + 500 or MARK not in text:
        raise UsageError(NO_LINK)
    try:
        deflated = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        reader = zlib.decompressobj()
        data = reader.decompress(deflated, MOST_TEXT + 1)
        whole = data.decode() if reader.eof else ""
    except (binascii.Error, zlib.error, ValueError) as error:
        raise UsageError(NO_LINK) from error
    if len(data) > MOST_TEXT or not whole:
        raise UsageError(NO_LINK)
    return parse(whole)
