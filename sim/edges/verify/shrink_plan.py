"""Shrink a plan: of the rules and settings of a failing case, the fewest with which it still fails.

Rules are taken out by their lines: whole blocks first (a table, a chain, a set), then what is left of single lines. A text that no
longer loads does not fail, so nothing need be known here of what depends on what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from sim.edges.verify.plan import Load, Plan
from sim.edges.verify.shrink import shrink

TRIES: Final = 200
"""For the single lines of one text."""
Fails = Callable[[Plan], bool]


def shrink_plan(plan: Plan, fails: Fails) -> Plan:
    """A part of `plan` that still fails."""
    for key in plan.sysctls:
        less = replace(plan, sysctls={name: value for name, value in plan.sysctls.items() if name != key})
        plan = less if fails(less) else plan
    for name in Load._fields:
        if getattr(plan.rules, name):
            plan = _with_less(plan, name, fails)
    return plan


def _with_less(plan: Plan, name: str, fails: Fails) -> Plan:
    """The same with a shorter text under `name`."""

    def made(lines: Sequence[str]) -> Plan:
        return replace(plan, rules=plan.rules._replace(**{name: "".join(lines)}))

    lines = _without_blocks(getattr(plan.rules, name).splitlines(keepends=True), lambda some: fails(made(some)))
    loose = [at for at, line in enumerate(lines) if _is_loose(line)]

    def kept(some: Sequence[int]) -> list[str]:
        gone = set(loose) - set(some)
        return [line for at, line in enumerate(lines) if at not in gone]

    if loose and fails(made(kept(()))):
        return made(_without_blocks(kept(()), lambda some: fails(made(some))))
    kept_lines = kept(shrink(loose, lambda some: fails(made(kept(some))), TRIES))
    return made(_without_blocks(kept_lines, lambda some: fails(made(some))))


def _without_blocks(lines: list[str], fails: Callable[[Sequence[str]], bool]) -> list[str]:
    """The lines less every block without which it still fails, the outer ones first."""
    at = 0
    while at < len(lines):
        end = _block_end(lines, at)
        less = lines[:at] + lines[end:]
        if end > at and fails(less):
            lines = less
        else:
            at += 1
    return [] if lines and fails([]) else lines


def _block_end(lines: Sequence[str], at: int) -> int:
    """Behind the last line of the block that begins at `at`; `at` itself where none does."""
    if lines[at].startswith("*"):
        return next((end + 1 for end in range(at, len(lines)) if lines[end].strip() == "COMMIT"), at)
    if not lines[at].count("{") > lines[at].count("}"):
        return at
    return next((end + 1 for end, depth in _depths(lines, at) if not depth), at)


def _depths(lines: Sequence[str], at: int) -> Iterator[tuple[int, int]]:
    """(line, how many braces are open behind it) from `at` on."""
    depth = 0
    for end in range(at, len(lines)):
        depth += lines[end].count("{") - lines[end].count("}")
        yield end, depth


def _is_loose(line: str) -> bool:
    """Whether a line may go alone: it opens and closes no block."""
    text = line.strip()
    return bool(text) and not text.startswith("*") and text != "COMMIT" and line.count("{") == line.count("}")
