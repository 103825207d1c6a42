"""Measure: which branches and cells of sim/conntrack the packets of fuzzed cases reach. Ours alone: no kernel is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.edges.replay.console import Console
from sim.edges.replay.rules import load_rules
from sim.edges.replay.wall import Wall
from sim.edges.verify.branches import Branches
from sim.edges.verify.cells import Cells
from sim.edges.verify.plan import Case, Feed, Flush, Load, Sysctl, Typed, Wait
from sim.ruleset.iptables import save
from sim.ruleset.model import Ruleset
from sim.units import SECOND

A_PACKET = 80
"""µs from packet to packet."""


class Measure:
    """Run cases; then `lines` tells what was reached."""

    def __init__(self) -> None:
        self.branches = Branches()
        self.cells = Cells()
        self.packets = 0

    def run(self, cases: Iterable[Case]) -> None:
        """Feed every case to a firewall of its own, counting."""
        for case in cases:
            wall = _wall(case)
            with self.branches, self.cells:
                for step in case.steps:
                    self._do(wall, step)
            self.packets += case.packets

    def _do(self, wall: Wall, step: object) -> None:
        if isinstance(step, Feed):
            wall.advance(wall.now + A_PACKET)
            _ = wall.send(step.data, 1) if step.dev is None else wall.receive(step.data, step.dev, 1)
        elif isinstance(step, Wait):
            wall.advance(wall.now + int(step.seconds * SECOND))
        elif isinstance(step, Sysctl):
            wall.ip.sysctls.set(step.key, step.value)
        elif isinstance(step, Load):
            wall.ip.rules.load(Ruleset(), by="verify")
            give_rules(wall, step)
        elif isinstance(step, Flush):
            flush(wall)
        elif isinstance(step, Typed):
            Console(wall).run(step.line)

    def lines(self) -> Iterator[str]:
        """The report."""
        yield f"{self.packets} packets"
        yield from self.branches.lines()
        yield from self.cells.lines()


def _wall(case: Case) -> Wall:
    wall = Wall(case.plan.addresses)
    for key, value in case.plan.sysctls.items():
        wall.ip.sysctls.set(key, value)
    give_rules(wall, case.plan.rules)
    return wall


def flush(wall: Wall) -> None:
    """Delete every entry and every expectation."""
    wall.ip.tracker.flush(wall.now)
    wall.ip.tracker.expectations.flush(wall.now)


def give_rules(wall: Wall, rules: Load) -> None:
    """Load rules into a wall, in every language there is of them. Raises LanguageError."""
    state = wall.ip.rules
    for text, family in ((rules.iptables, "ip"), (rules.ip6tables, "ip6")):
        if text:
            save.load_text(text, family, state, family)
    if rules.nft:
        load_rules(state, rules.nft, "rules.nft")
