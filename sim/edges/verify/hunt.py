"""Hunt: fuzzed cases through a Pair, one after the other; a case with a difference is run again and shrunk.

What does not come again in a second run is counted apart (`unsure`): a time-out that ended just then, a machine that was
too busy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sim.edges.verify.answers import FIELDS, Difference
from sim.edges.verify.pair import Pair, Refused
from sim.edges.verify.plan import Case, Feed, Step
from sim.edges.verify.shrink import shrink
from sim.edges.verify.shrink_plan import shrink_plan


class Found(NamedTuple):
    """A case that fails: as it was, and with the fewest steps and rules; what differs first then."""

    case: Case
    least: Case
    differences: tuple[Difference, ...]


@dataclass
class Hunt:
    """`packets` and `cases` so far, `found`, how many cases were `unsure`, how many rulesets `refused` by either."""

    fields: Sequence[str] = FIELDS
    shrinking: bool = True
    packets: int = 0
    cases: int = 0
    unsure: int = 0
    refused: int = 0
    found: list[Found] = field(default_factory=list)

    def run(self, cases: Iterator[Case], told: Callable[[Case], None] = lambda case: None) -> list[Found]:
        """Run them all; `told` hears of each when it is done."""
        for case in cases:
            first = self._first(case)
            self.cases += 1
            self.packets += case.packets
            if first:
                self._examine(case, first)
            told(case)
        return self.found

    def _first(self, case: Case) -> tuple[Difference, ...]:
        """What differs in the first packet in which anything does."""
        try:
            return self._compare(case, case.steps)
        except Refused as refused:
            self.refused += 1
            if refused.ours and refused.kernels:
                return ()
            return (Difference(0, "rules", refused.ours or "takes them", refused.kernels or "takes them"),)

    def _compare(self, case: Case, steps: Sequence[Step]) -> tuple[Difference, ...]:
        with Pair(case.plan, self.fields) as pair:
            run = pair.run(steps)
            for difference in run:
                rest = [difference]
                with suppress(StopIteration):
                    while (following := next(run)).number == difference.number:
                        rest.append(following)
                return tuple(rest)
            return tuple(pair.finish()) if FIELDS is self.fields else ()

    def _examine(self, case: Case, first: tuple[Difference, ...]) -> None:
        least = replace(case, steps=tuple(_up_to(case.steps, first[0].number) if first[0].number else case.steps[:1]))
        fields, refused = {difference.field for difference in first}, self.refused

        def fails(some: Case) -> bool:
            return bool(fields & {difference.field for difference in self._first(some)})

        if not fails(least):
            self.unsure += 1
        else:
            least = self._shrunk(least, fails) if self.shrinking else least
            self.found.append(Found(case, least, self._first(least) or first))
        self.refused = refused

    @staticmethod
    def _shrunk(case: Case, fails: Callable[[Case], bool]) -> Case:
        """The fewest steps, and then the fewest rules and settings."""
        case = replace(case, steps=tuple(shrink(case.steps, lambda some: fails(replace(case, steps=tuple(some))))))
        return replace(case, plan=shrink_plan(case.plan, lambda some: fails(replace(case, plan=some))))


def _up_to(steps: Sequence[Step], number: int) -> list[Step]:
    """The steps up to the packet `number`, and what was done between it and the next."""
    kept: list[Step] = []
    for step in steps:
        number -= isinstance(step, Feed)
        if number < 0:
            break
        kept.append(step)
    return kept
