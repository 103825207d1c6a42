"""Judges what a learner has done: plays it to its end, then sends the packets that the tests ask about, and says what failed and why.

The tests are `asked.py`'s, the score `score.py`'s. A test that fails is shown by the packet that decided: its way through the rules, and
the inputs of a future in which it can be looked at. Not in here: who asks, and what is kept of it (web/session.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lessons.asked import Asked
from lessons.expect import Seen
from lessons.model import Lesson
from lessons.score import Score, score
from sim.errors import UsageError
from sim.inputs import Attempt, Input
from sim.simulation import Simulation
from sim.trace import ChainDecided, Delivered, Dropped, PacketSent, Reached, Record, RuleTried, SocketChanged
from sim.units import SECOND

SETTLE = 15 * SECOND  # after the last input: what dies of it has died
APART = SECOND // 10
PATIENCE = 8 * SECOND
Timed = tuple[int, Input]


_WHY = {
    "holds": "That is not so at the end.", "lives": "Nothing that was sent on it was acknowledged any more.",
    "cut": "It still goes on: what is sent on it is acknowledged.", "may-not": "It got through.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """The test that failed, why, the packet that shows it (or None), its way in lines, and the inputs that lead there."""

    text: str
    why: str
    packet: int | None
    way: tuple[str, ...]
    inputs: tuple[Timed, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """How many tests passed of how many, the first that failed, the score, the time (µs) at which it was judged, and the trace."""

    passed: int
    all: int
    failure: Failure | None
    score: Score
    at: int
    records: Sequence[Record] = field(repr=False, default=())

    @property
    def reached(self) -> bool:
        """Whether every test passed."""
        return self.failure is None

    @property
    def points(self) -> int:
        """0 to 100."""
        return self.score.points(self.reached)


def judge(lesson: Lesson, inputs: Sequence[Timed]) -> Judgement:
    """Judge these inputs. Raises UsageError for a lesson that asks nothing at its end, and where a budget ends before."""
    asked = lesson.asked()
    if not asked:
        raise UsageError(f"'{lesson.title}' has nothing to be judged")
    end = max([lesson.end, *(at + SETTLE for at, _ in inputs)])
    attempts = [one.attempt for one in asked if one.attempt is not None]
    trial = _Trial(lesson, inputs, end, attempts)
    failed = [one for one in asked if not trial.holds(one)]
    failure = _failure(lesson, inputs, end, failed[0], trial) if failed else None
    meant = {f"{one.name} ({one.machine})" for one in asked if one.kind == "cut"}
    return Judgement(len(asked) - len(failed), len(asked), failure, score(trial.records, end, meant), end, trial.records)


def _failure(lesson: Lesson, inputs: Sequence[Timed], end: int, asked: Asked, trial: _Trial) -> Failure:
    """Tried once more by itself, so that the future that is shown gives no other test away."""
    if asked.attempt is not None:
        alone = _Trial(lesson, inputs, end, [asked.attempt])
        trial = alone if not alone.holds(asked) else trial
    packet = trial.packet(asked)
    return Failure(asked.text, trial.why(asked), packet, trial.way(packet), trial.inputs)


class _Trial:
    """One run to the end, with attempts after it."""

    def __init__(self, lesson: Lesson, inputs: Sequence[Timed], end: int, attempts: Sequence[Attempt]) -> None:
        asked = [(end + (index + 1) * APART, attempt) for index, attempt in enumerate(attempts)]
        self.inputs: tuple[Timed, ...] = (*inputs, *asked)
        self.simulation = Simulation(lesson.scenario, inputs=self.inputs)
        self.end, self.scenario = end, lesson.scenario
        self.simulation.run(end)
        self.state = Seen(self.simulation.records)
        self.simulation.run(end + len(attempts) * APART + PATIENCE)
        if self.simulation.ended:
            raise UsageError(f"What was done here cannot be judged: it did not come to its end. {self.simulation.ended}")

    @property
    def records(self) -> list[Record]:
        """The whole trace."""
        return self.simulation.records

    def holds(self, asked: Asked) -> bool:
        """Whether the test passes."""
        if asked.kind == "holds":
            return all(self.state.holds(check) for check in asked.checks)
        if asked.attempt is None:
            return self._lives(asked) == (asked.kind == "lives")
        ended = self._result(asked.attempt)
        if asked.kind == "may":
            return ended is not None and ended.ok
        return not (ended is not None and ended.ok) and self._delivered(asked.attempt) is None

    def why(self, asked: Asked) -> str:
        """Why it failed, in a sentence."""
        if asked.kind in _WHY:
            return _WHY[asked.kind]
        assert asked.attempt is not None
        ended = self._result(asked.attempt)
        return ended.reason.text if ended is not None else "It had not ended when time was up."

    def _lives(self, asked: Asked) -> bool:
        told = [r.event for r in self.records if r.machine == asked.machine and isinstance(r.event, Reached)]
        mine = [event for event in told if event.what == "talk" and event.name == asked.name]
        return bool(mine) and mine[-1].ok

    def _result(self, attempt: Attempt) -> Reached | None:
        for record in self.records:
            if isinstance(record.event, Reached) and record.event.what == "attempt" and record.event.name == attempt.say():
                return record.event
        return None

    # ---- packets -------------------------------------------------------------------------------------------------------

    def packet(self, asked: Asked) -> int | None:
        """The packet that shows it: dropped where it should have passed, delivered where it should not."""
        if asked.attempt is not None and asked.kind == "may-not":
            return self._delivered(asked.attempt)
        if asked.attempt is not None:
            own = self._own(asked.attempt)
            return self._last(Dropped, own) or next(iter(sorted(own)), None)
        if asked.kind == "lives":
            return self._last(Dropped, self._of_program(asked.machine, "talk"))
        return self._last(Delivered, self._of_program(asked.machine, "talk")) if asked.kind == "cut" else None

    def _last(self, kind: type[Dropped] | type[Delivered], packets: set[int]) -> int | None:
        ends = [record.event for record in self.records if isinstance(record.event, kind)]
        found = [end.packet for end in ends if end.packet in packets]
        return found[-1] if found else None

    def _delivered(self, attempt: Attempt) -> int | None:
        """The first packet of an attempt that came to a program of another machine (a refusal by REJECT is no such thing)."""
        own = self._own(attempt)
        for record in self.records:
            if isinstance(record.event, Delivered) and record.machine != attempt.machine and record.event.packet in own:
                return record.event.packet
        return None

    def _own(self, attempt: Attempt) -> set[int]:
        """The packets of an attempt: those that its machine sends from its socket, and what comes back to it."""
        if attempt.protocol == "ping":
            return self._echoes(self._address(attempt.to))
        return self._of_program(attempt.machine, "attempt", f"{self._address(attempt.to)}:{attempt.port}")

    def _address(self, name: str) -> str:
        """What a machine's name stands for in /etc/hosts: its first address."""
        if name not in self.scenario.machines:
            return self.scenario.hosts.get(name, name)
        return next(address for own in self.scenario.machines[name].interfaces.values() for address in own).split("/")[0]

    def _of_program(self, machine: str, program: str, remote: str = "") -> set[int]:
        sockets = [r.event for r in self.records if r.machine == machine and isinstance(r.event, SocketChanged)]
        own = [socket for socket in sockets if socket.program == program and remote in ("", socket.remote)]
        ports = {socket.local.rpartition(":")[2] for socket in own}
        return {
            r.event.packet
            for r in self.records
            if isinstance(r.event, PacketSent) and {str(r.event.headers.get("sport")), str(r.event.headers.get("dport"))} & ports
        }

    def _echoes(self, target: str) -> set[int]:
        """The ICMP packets after the end that go to this address or come from it: others may be pinging others."""
        return {
            r.event.packet
            for r in self.records
            if isinstance(r.event, PacketSent) and r.time > self.end and str(r.event.headers.get("protocol", "")).startswith("icmp")
            and target in (r.event.headers.get("src"), r.event.headers.get("dst"))
        }  # fmt: skip

    def way(self, packet: int | None) -> tuple[str, ...]:
        """The packet's way in lines: what it is, its label, the rules that were tried with the reason, its end."""
        lines = [_line(record) for record in self.records if packet is not None and getattr(record.event, "packet", None) == packet]
        return tuple(dict.fromkeys(line for line in lines if line))


def _line(record: Record) -> str:
    event: Any = record.event
    if isinstance(event, PacketSent):
        return f"{record.machine} sends {event.text}"
    if event.kind == "label":
        return f"{record.machine}, {event.hook}: {event.label}"
    if isinstance(event, RuleTried):
        why = ", ".join(one.words for one in event.because if one.words)
        did = f"matched: {event.verdict}" if event.matched and event.verdict else "matched" if event.matched else f"did not match: {why}"
        return f"{record.machine}, {event.chain} rule {event.number} ({event.text}) {did}"
    if isinstance(event, ChainDecided) and event.by == "policy":
        return f"{record.machine}, {event.chain}: policy {event.verdict}"
    if event.kind == "nat":
        return f"{record.machine}, {event.hook}: {event.before} becomes {event.after}"
    return {"dropped": lambda: f"{record.machine} drops it: {event.by}", "delivered": lambda: f"{record.machine} delivers it to {event.to}",
            "lost": lambda: f"lost: {event.reason.text}"}.get(event.kind, lambda: "")()  # fmt: skip
