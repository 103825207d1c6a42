"""What a rehearsal says of what did not come: the line that was not printed, the records that nearly fit, a goal's open checks.

Not in here: rehearsing (rehearse.py), what fits (expect.py).
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

from lessons.expect import Check, Seen
from lessons.model import Goal
from sim.asking import STATES

LINES_LOOKED_AT = 300
"""Of what was printed, for one that is like the line that did not come."""
MOST_SHOWN = 6
"""Kinds of records that a mistake shows of those that do not fit."""


def not_printed(wanted: Sequence[str], printed: str) -> str | None:
    """The first line of `wanted` that was not printed, and what was printed instead; None where all were."""
    missing = _missing(wanted, printed.splitlines())
    if missing is None:
        return None
    near = difflib.get_close_matches(missing, printed.splitlines()[-LINES_LOOKED_AT:], n=1, cutoff=0.3)
    said = f"it printed: {_visible(near[0], missing)}" if near else f"it printed:\n{printed.strip()}"
    return f"{_visible(missing, near[0]) if near else missing}\n{said}"


def _missing(wanted: Sequence[str], printed: Sequence[str]) -> str | None:
    """The first line of `wanted` that does not come, in order, among `printed`; `...` stands for anything."""
    rest = iter(printed)
    for line in wanted:
        if line.strip() == "...":
            continue
        if not any(line.rstrip() == other.rstrip() for other in rest):
            return line
    return None


def _visible(line: str, beside: str) -> str:
    """The line; where two differ in white space alone, with its tabs and the spaces at its ends to be seen."""
    return repr(line) if line.split() == beside.split() else line


def happened(seen: Seen, check: Check) -> str:
    """What came instead of what a check asks for."""
    times = seen.matches(check)
    if times:
        return f"that happened {'once' if times == 1 else f'{times} times'}"
    if check.kind in STATES:
        standing = seen.find(check.kind, {name: value for name, value in check.fields.items() if name == "machine"})
        return "at the end there stood " + (_each_once([seen.shown(item, check) for item in standing]) or "none")
    similar = [record for record in seen.recent if record["kind"] == check.kind]
    if not similar:
        return f"no {check.kind} came"
    shown = _each_once([seen.shown(record, check) for record in similar])
    return f"of {len(similar)} {check.kind} records none fits: {shown}{_with_has(seen, check)}"


def _with_has(seen: Seen, check: Check) -> str:
    """A text is compared whole: whether a part of it was meant."""
    for name, value in check.fields.items():
        if isinstance(value, str) and seen.find(check.kind, {**check.fields, name: f"has {value}"}):
            return f"\n{name} is compared whole: did you mean `{name}: has {value}`?"
    return ""


def _each_once(shown: Sequence[str]) -> str:
    """What is alike is said once, with how often; no more than MOST_SHOWN."""
    several = Counter(shown)
    said = [text if count == 1 else f"{text} ({count} times)" for text, count in several.items()]
    return "; ".join(said[:MOST_SHOWN]) + ("; ..." if len(said) > MOST_SHOWN else "")


def unmet(goal: Goal, seen: Seen) -> str:
    """The checks of a goal that do not hold."""
    open_ones = (check for check in goal.checks if not seen.holds(check))
    return "; ".join(f"{check.text}, but {happened(seen, check)}" for check in open_ones) or "all its checks hold"
