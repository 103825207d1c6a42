"""Branches: which ways packets take through sim/conntrack and sim/netfilter/nat: each conditional jump, both ways, counted.

Slow (each instruction is heard), so for measuring only. A function that no packet can enter is left out, with the reason
(NOT_FOR_PACKETS), and so is a branch that none can take (unreachable.py); what remains and was never taken is told by file,
line and which way.
"""

from __future__ import annotations

import dis
import importlib
import linecache
import pkgutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any, Final, NamedTuple, Self

import sim.conntrack
import sim.netfilter.nat
from sim.conntrack import tracker
from sim.edges.verify.unreachable import rows
from sim.errors import UsageError

PACKAGES: Final = (sim.conntrack, sim.netfilter.nat)
LEFT_OUT: Final = frozenset({"settings", "show", "words", "conn", "why", "tcp_why", "ctnetlink", "labels", "dice", "collector"})
"""Modules in which nothing is decided about a packet: sysctl texts, printing, words, data, what programs ask for, a full table's end."""
NOT_FOR_PACKETS: Final = {
    "delete": "a program's", "flush": "a program's", "change": "a program's", "_by_program": "a program's", "set_mark": "a rule's",
    "updated": "the trace's", "_watched": "the trace's", "snapshot": "the trace's", "_say": "the trace's", "view": "the trace's",
    "entries": "a program's", "__iter__": "a program's", "__len__": "a program's", "stats": "a program's", "tuple_of": "a program's",
    "warn": "told once in five seconds", "_warn": "told once in five seconds", "_parse": "at import", "parse_grid": "at import",
    "_table": "at import", "<module>": "at import", "_kind": "at import", "__repr__": "for people", "start": "when tracking begins",
    "_tell": "for listeners", "_early_drop": "nf_conntrack_max is the machine's, no namespace's", "evictable": "as _early_drop",
    "_build": "as _early_drop", "_into_buckets": "as _early_drop", "_bucket": "as _early_drop",
}  # fmt: skip
CONDITIONS: Final = ("POP_JUMP", "JUMP_IF", "FOR_ITER")


class Branch(NamedTuple):
    """One way out of one conditional jump: `holds` is whether the condition was true (for a loop: whether there was another round)."""

    file: str
    line: int
    function: str
    column: int
    holds: bool

    @property
    def condition(self) -> str:
        """The source from where the condition begins to the line's end."""
        return linecache.getline(self.file, self.line).encode()[self.column :].decode().strip()

    def __str__(self) -> str:
        place = self.file.rpartition("/sim/")[2]
        return f"{place}:{self.line} {self.function}: never {'true' if self.holds else 'false'}: {self.condition}"


class Branches:
    """A context manager that counts while it is open; `counts` has every branch, with 0 where no packet went (and how often others
    were taken until all of their function were).

    Raises UsageError where conntrack is compiled: then there is no byte code to hear.
    """

    def __init__(self) -> None:
        if not str(tracker.__file__).endswith(".py"):
            raise UsageError("branches are counted only where Python runs the sources itself: CTLAB_PURE=1 ctlab verify --coverage …")
        self._jumps: dict[CodeType, dict[tuple[int, int], Branch]] = {}
        self._open: dict[CodeType, int] = {}
        self.counts: Counter[Branch] = Counter()
        for code in _codes():
            ways = self._jumps[code] = _ways(code)
            self._open[code] = len(set(ways.values()))
            self.counts.update(dict.fromkeys(ways.values(), 0))

    def __enter__(self) -> Self:
        sys.settrace(self._call)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Callable[[FrameType, str, Any], Any] | None:
        ways = self._jumps.get(frame.f_code)
        if not ways:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        before, counts = -1, self.counts

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal before
            now = frame.f_lasti
            way = ways.get((before, now))
            if way is not None:
                if not counts[way]:
                    self._reached(frame.f_code, ways)
                counts[way] += 1
            before = now
            return step

        return step

    def _reached(self, code: CodeType, ways: dict[tuple[int, int], Branch]) -> None:
        """A branch is taken for the first time. A function all of whose branches have been is heard no longer: that saves most time."""
        self._open[code] -= 1
        if not self._open[code]:
            ways.clear()

    def reachable(self) -> list[Branch]:
        """Those that a packet can take (unreachable.py names the others)."""
        out = {branch for row in rows() for branch in self.named(row)}
        return [branch for branch in self.counts if branch not in out]

    def never(self) -> list[Branch]:
        """Those of them that were never taken, in the order of the source."""
        return sorted(branch for branch in self.reachable() if not self.counts[branch])

    def named(self, row: tuple[str, str, str, str]) -> list[Branch]:
        """The branches that a line of unreachable.py names."""
        file, function, condition, way = row
        return [
            branch for branch in self.counts
            if branch.function == function and branch.file.endswith(f"/sim/{file}") and way in ("ever", str(branch.holds).lower())
            and (condition == "*" or branch.condition.startswith(condition))
        ]  # fmt: skip

    def mistaken(self) -> list[str]:
        """Lines of unreachable.py that name no branch, or one that was taken."""
        return [" | ".join(row) for row in rows() if not (named := self.named(row)) or any(self.counts[branch] for branch in named)]

    def lines(self) -> Iterator[str]:
        """The report: how many of how many, then what is missing."""
        reachable, never = self.reachable(), self.never()
        total = len(reachable)
        share = 100 * (total - len(never)) / total
        yield f"branches of sim/conntrack and sim/netfilter/nat that packets took: {total - len(never)} of {total} ({share:.1f} %)"
        yield from (f"said to be out of reach, wrongly: {line}" for line in self.mistaken())
        missing = Counter(branch.file for branch in never)
        for file, count in sorted(Counter(branch.file for branch in reachable).items()):
            yield f"  {file.rpartition('/')[2]:20} {count - missing[file]:4} of {count}"
        yield from map(str, never)


def _codes() -> Iterator[CodeType]:
    """The functions that judge packets."""
    for package in PACKAGES:
        prefix = f"{package.__name__}."
        for info in pkgutil.walk_packages(package.__path__, prefix):
            if info.name.removeprefix(prefix) not in LEFT_OUT and not info.ispkg:
                yield from _in_module(importlib.import_module(info.name))


def _in_module(module: ModuleType) -> Iterator[CodeType]:
    source = module.__file__ or ""
    for value in vars(module).values():
        members = [value, *(vars(value).values() if isinstance(value, type) else ())]
        for member in members:
            code = getattr(getattr(member, "__func__", member), "__code__", None)
            if isinstance(code, CodeType) and code.co_filename == source and code.co_name not in NOT_FOR_PACKETS:
                yield code


def _ways(code: CodeType) -> dict[tuple[int, int], Branch]:
    """(offset of a jump, offset of what follows) -> the branch."""
    found, line = {}, code.co_firstlineno
    instructions = list(dis.get_instructions(code))
    for at, instruction in enumerate(instructions[:-1]):
        line = instruction.starts_line or line
        if not instruction.opname.startswith(CONDITIONS):
            continue
        if "EXC_MATCH" in instructions[at - 1].opname:
            continue
        jumps_if = not (
            "FALSE" in instruction.opname or "FOR_ITER" in instruction.opname or "IF_NOT_NONE" in instruction.opname
        )
        if linecache.getline(code.co_filename, line).strip().startswith("assert"):
            continue
        positions = instruction.positions
        place = (code.co_filename, line, code.co_name, (positions.col_offset if positions else 0) or 0)
        for start in _heard_at(instructions, at):
            found[start, instruction.argval] = Branch(*place, jumps_if)
            found[start, instructions[at + 1].offset] = Branch(*place, not jumps_if)
    return found


def _heard_at(instructions: list[dis.Instruction], at: int) -> list[int]:
    """The offsets at which the jump may be heard: its own; a prefix's; that of a comparison which the interpreter does in one with it."""
    found = [instructions[at].offset]
    while at and instructions[at - 1].opname == "EXTENDED_ARG":
        at -= 1
        found.append(instructions[at].offset)
    if at and instructions[at - 1].opname == "COMPARE_OP":
        found.append(instructions[at - 1].offset)
    return found
