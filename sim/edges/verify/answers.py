"""What ctlab and the kernel said of one packet, side by side: which fields are compared, and when two entries are the same.

Time-outs: the kernel counts in ticks of 4 ms and shows whole seconds, rounded down. Ours is told the tick at which the packet came, so
rules that look at time-outs see what they see in the kernel; an entry is looked at a little later, and so the kernel's time-out must be
what ours would show at most three ticks earlier or later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sim.conntrack.conn import Conn
from sim.edges.kernel import Answer
from sim.edges.replay.outcome import SELF, Outcome
from sim.edges.replay.wall import entry_line
from sim.edges.verify.entries import details, only_what_differs
from sim.edges.verify.masks import half_summed, masked, without_sum
from sim.units import SECOND

FIELDS: Final = ("label", "direction", "verdict", "out", "made", "kernel_log", "entry", "details", "expected", "table")
"""details: all that ctnetlink tells of the packet's entry; expected, table: all expectations, all entries, where the plan watches."""
SLACK: Final = 12_000
"""µs that the kernel's clock may be off ours."""


class Difference(NamedTuple):
    """One field of one packet on which they differ. `number` counts the packets fed from 1, or is the capture's."""

    number: int
    field: str
    ours: Any
    kernels: Any
    data: bytes = b""
    dev: str | None = None

    def __str__(self) -> str:
        return f"packet {self.number}: {self.field}: ctlab {_shown(self.ours)}, kernel {_shown(self.kernels)}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(part)}" for key, part in value.items()) + "}"
    return str(value) if isinstance(value, str | int) or value is None else repr(value)


def differences(
    number: int,
    outcome: Outcome,
    conn: Conn | None,
    answer: Answer,
    now: int,
    fields: Sequence[str] = FIELDS,
    slack: int = SLACK,
) -> Iterator[Difference]:
    """Every field on which they differ. `conn`: the entry that ours finds for the packet, at `now` (µs); `slack`: of time-outs."""
    made = [(label, direction) for _, label, direction in outcome.made]
    pairs: dict[str, tuple[Any, Any]] = {
        "label": (outcome.label, answer.label),
        "direction": (outcome.direction, answer.direction),
        "verdict": (outcome.verdict, answer.verdict),
        "out": _both_plain(outcome.out, answer.out),
        "made": (made, list(answer.made)),
        "kernel_log": (list(outcome.kernel_log), list(answer.kernel_log)),
    }
    for field in fields:
        if field == "entry":
            yield from _entries(number, conn, answer, now, outcome, slack)
        elif field == "details":
            if conn is not None and answer.details is not None and (mine := details(conn)) != answer.details:
                yield Difference(number, field, *only_what_differs(mine, answer.details), outcome.data or b"", outcome.dev)
        elif field in pairs and pairs[field][0] != pairs[field][1]:
            yield Difference(number, field, *pairs[field], outcome.data or b"", outcome.dev)


def _both_plain(ours: Sequence[tuple[str, bytes]], theirs: Sequence[tuple[str, bytes]]) -> tuple[Any, Any]:
    """What left, less what falls by chance, and less checksums that the kernel had not finished yet where it delivered the packet."""
    mine, other = list(ours), list(theirs)
    for at, ((dev, data), (to, seen)) in enumerate(zip(ours, theirs, strict=False)):
        if dev == to == SELF and data != seen and half_summed(seen):
            mine[at], other[at] = (dev, without_sum(data)), (to, without_sum(seen))
    return _plain(mine), _plain(other)


def _plain(out: Sequence[tuple[str, bytes]]) -> list[tuple[str, str]]:
    return [(dev, masked(data).hex()) for dev, data in out]


def _entries(
    number: int, conn: Conn | None, answer: Answer, now: int, outcome: Outcome, slack: int
) -> Iterator[Difference]:
    ours = None if conn is None else entry_line(conn, now)
    theirs = answer.entry
    if conn is not None and ours is not None and theirs is not None:
        rest = {"timeout": 0}
        if ours | rest == theirs | rest and fits(conn.expires - now, theirs["timeout"], slack, answer.late_us):
            return
    elif conn is None or theirs is None:
        left, shown = (conn.expires - now if conn is not None else 0), (theirs["timeout"] if theirs is not None else 0)
        if left <= slack + answer.late_us and not shown:
            return  # neither has it, or it ends just now
    pair = (ours, theirs) if ours is None or theirs is None else only_what_differs(ours, theirs)
    yield Difference(number, "entry", *pair, outcome.data or b"", outcome.dev)


def fits(left: int, shown: int, slack: int = SLACK, late: int = 0) -> bool:
    """Whether an entry with `left` µs to go may be shown with `shown` seconds by a kernel that was asked up to `late` µs after."""
    return max(0, left - slack - late) // SECOND <= shown <= (left + slack) // SECOND
