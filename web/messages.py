"""Every message between page and server, both ways, in one place.

README.md has the table in words; the page's side is ui/src/channel.ts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lessons.judge import Judgement
from lessons.model import Lesson
from lessons.page import as_message
from sim.errors import UsageError
from sim.inputs import MAX_RULES
from sim.scenario import Scenario
from sim.trace import Record

BATCH = 2_000  # records in one message: about 1 MB
Moment = Annotated[int, Field(ge=0, le=1 << 53)]


class Incoming(BaseModel):
    """Base of what the page may send: nothing unknown, nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Create(Incoming):
    """One of these: a lesson's or a scenario's id, a scenario of one's own (YAML), an experiment as a file's text or a link has it,
    a capture with its rules (walk.py), or `copy_of` a session's key: its machines without its lesson, as they are `at` a moment.
    """

    lesson: Annotated[str, Field(max_length=80)] | None = None
    learner: Annotated[str, Field(max_length=80)] | None = None
    scenario: Annotated[str, Field(max_length=80)] | None = None
    own: Annotated[str, Field(max_length=200_000)] | None = None
    copy_of: Annotated[str, Field(max_length=80)] | None = None
    at: Moment = 0
    file: Annotated[str, Field(max_length=700_000)] | None = None
    link: Annotated[str, Field(max_length=300_000)] | None = None
    capture: dict[str, Any] | None = None


Told = Annotated[int, Field(ge=0, le=10_000_000)]  # how many records have been told


class Mark(Incoming):
    """A moment that a person wants to come back to: `t` in µs, `n` records told so far."""

    n: Told
    t: Moment


class Join(Incoming):
    key: Annotated[str, Field(max_length=80)]


class InputMessage(Incoming):
    """`input` is one input or a list of them: each is applied when the one before has come to rest, or `wait` µs after it."""

    at: Moment
    input: dict[str, Any] | Annotated[list[dict[str, Any]], Field(min_length=1, max_length=50)]
    wait: Moment | None = None


class More(Incoming):
    pass


class Position(Incoming):
    """Where a learner is: `n` tells moments of one instant apart."""

    t: Moment
    step: Annotated[int, Field(ge=0, le=1000)]
    n: Told | None = None

    def data(self) -> dict[str, int]:
        """As it is kept; without `n` where that was not told."""
        return self.model_dump(exclude_none=True)


class Answer(Incoming):
    prediction: Annotated[str, Field(max_length=80)]
    choice: Annotated[int, Field(ge=0, le=100)]


class Judge(Incoming):
    """What was done in a drill or a challenge is to be judged."""


class Restart(Incoming):
    pass


class Restore(Incoming):
    branch: Annotated[int, Field(ge=0)]


class Future(Incoming):
    branch: Annotated[int, Field(ge=0)]


class Complete(Incoming):
    terminal: Annotated[str, Field(max_length=80)]
    line: Annotated[str, Field(max_length=4096)]
    cursor: Annotated[int, Field(ge=0, le=4096)]


class Change(Incoming):
    """One input at a moment of the past; what was done later is done again. `aside`: the present stays, that future is a branch."""

    at: Moment
    input: dict[str, Any]
    aside: bool = False


class Survive(Incoming):
    machine: Annotated[str, Field(max_length=80)]
    conn: Annotated[int, Field(ge=0)]


class Grid(Incoming):
    pass


class Dissect(Incoming):
    """`n` is the number of a `sent` record."""

    n: Annotated[int, Field(ge=0)]


class RulesAt(Incoming):
    """The rules of a machine at a moment, as texts."""

    machine: Annotated[str, Field(max_length=80)]
    at: Moment


class Study(Incoming):
    """Rules that are being typed for a machine. `source`: the language that is typed in, "iptables" (both families) or "nft"."""

    machine: Annotated[str, Field(max_length=80)]
    source: Literal["iptables", "nft"]
    texts: dict[Literal["iptables", "ip6tables", "nft"], Annotated[str, Field(max_length=MAX_RULES)]]


class Craft(Incoming):
    """A packet in craft.py's words."""

    packet: Annotated[str, Field(max_length=4096)]


INCOMING: dict[str, type[Incoming]] = {
    "join": Join, "input": InputMessage, "more": More, "position": Position, "answer": Answer, "restart": Restart, "restore": Restore,
    "future": Future, "complete": Complete,
    "dissect": Dissect, "rules": RulesAt, "study": Study, "craft": Craft, "grid": Grid,
    "change": Change, "survive": Survive, "judge": Judge,
}  # fmt: skip


def check(model: type[Incoming], data: Any) -> Any:
    """The message as its model. Raises UsageError that says which field is wrong."""
    try:
        return model.model_validate({} if data is None else data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "message"
        raise UsageError(f"the page sent what makes no sense: {where}: {first['msg']}") from error


def scenario_message(scenario: Scenario) -> dict[str, Any]:
    """`Scenario` of README.md."""
    count = len(scenario.machines)
    machines = [
        {
            "name": name, "kind": spec.kind, "services": [_service(s.name, s.options) for s in spec.services], "note": spec.note,
            "x": spec.at[0] if spec.at else (index + 0.5) / count, "y": spec.at[1] if spec.at else 0.5,
            "interfaces": [{"dev": dev, "addresses": list(addresses)} for dev, addresses in spec.interfaces.items()],
        }
        for index, (name, spec) in enumerate(scenario.machines.items())
    ]  # fmt: skip
    links = [
        {"id": link.id or f"{link.between[0]}--{link.between[1]}", "a": _end(link.between[0]), "b": _end(link.between[1]),
         "delay": link.delay, "loss": link.loss}
        for link in scenario.links
    ]  # fmt: skip
    terminals = [{"id": t.id, "machine": t.machine, "title": t.title or t.machine} for t in scenario.terminals]
    return {
        "id": scenario.id, "title": scenario.title, "summary": scenario.summary, "firewall": scenario.firewall, "machines": machines,
        "links": links, "terminals": terminals,
    }  # fmt: skip


_PORTS = {"ssh": 22, "http": 80, "dns": 53}


def _service(name: str, options: Mapping[str, Any]) -> str:
    port = options.get("port", _PORTS.get(name))
    return f"{name} :{port}" if port else name


def _end(text: str) -> dict[str, str]:
    machine, _, dev = text.partition(".")
    return {"machine": machine, "dev": dev}


def lesson_message(lesson: Lesson | None) -> dict[str, Any] | None:
    """`Lesson` of README.md, or None in a free lab."""
    return as_message(lesson) if lesson else None


def judgement_message(judged: Judgement, branch: int | None) -> dict[str, Any]:
    """`Judgement` of README.md; `branch`: the future in which the packet of a failure is seen."""
    failure = judged.failure
    shown = None
    if failure is not None:
        shown = {"text": failure.text, "why": failure.why, "packet": failure.packet, "way": list(failure.way), "branch": branch}
    return {"passed": judged.passed, "all": judged.all, "failure": shown, "score": judged.score.message(judged.reached)}


def trace_messages(
    records: Sequence[Record], start: int, *, more: bool, branches: Sequence[Mapping[str, Any]], play_from: int | None,
    send: Callable[[dict[str, Any]], None],
) -> None:  # fmt: skip
    """Send the records from number `start` on, in batches. Each says where the answer begins (`begin`); the last carries `playFrom`."""
    rest = records[start:]
    chunks = [rest[i : i + BATCH] for i in range(0, len(rest), BATCH)] or [[]]
    for index, chunk in enumerate(chunks):
        last = index == len(chunks) - 1
        send({
            "from": start + index * BATCH, "begin": start, "records": [record.to_json() for record in chunk],
            "more": more if last else True, "branches": list(branches), "playFrom": play_from if last else None,
        })  # fmt: skip
