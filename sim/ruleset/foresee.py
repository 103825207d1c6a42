"""What becomes of a packet, as far as that hangs on its connection alone: then it is so for each packet of it, and need not be asked again.

    foresee = link(table, effects, cells)["FORWARD"]
    met = []; verdict = foresee(skb, met)        # DROP 0, ACCEPT 1, UNKNOWN -2; `met` are the cells [packets, bytes] it would count in

For whole TCP and UDP packets, and ICMP questions and answers, that nobody has marked: their tuple, ctinfo and both devices decide.
Where a rule that all of this does not exclude looks at more (flags, length, a limit ...), or does more than count and judge, the answer
is UNKNOWN. Nothing is changed by asking.
As generate.py writes the functions that do judge. Not in here: who remembers the answers, and for how long (edges/replay/lane.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sim.netfilter.skb import Skb
from sim.ruleset.evaluate import Effects, linked
from sim.ruleset.generate import Cells, ChainSource, comparison, is_live, needs
from sim.ruleset.model import Action, Compare, Counter, HeaderThere, Rule, Table, Test, Verdict, VerdictMap
from sim.ruleset.parts import Nothing
from sim.ruleset.selectors import parts_of

UNKNOWN: Final = -2
Foreseer = Callable[[Skb, list[Any]], int]
_PORTS: Final = frozenset(f"{protocol} {port}" for protocol in ("tcp", "udp", "th") for port in ("sport", "dport"))
_META: Final = frozenset(f"meta {word}" for word in "l4proto nfproto protocol iifname oifname iif oif mark pkttype".split())
_IP: Final = frozenset(f"{ip} {word}" for ip in ("ip", "ip6") for word in ("saddr", "daddr", "protocol", "version"))
_CT: Final = frozenset("ct state,xt ctstate,ct direction,ct zone,ct id,ct l3proto,ct protocol".split(","))
_ICMP: Final = frozenset(f"{icmp} {word}" for icmp in ("icmp", "icmpv6") for word in ("type", "code"))
SETTLED: Final = _PORTS | _META | _IP | _CT | _ICMP
"""Selectors that read the same of each packet of a connection in one direction, between the same devices and with the same ctinfo."""
_SETTLED_KINDS: Final = ("ct original ", "ct reply ", "fib ")
_COUNTED: Final = ("bytes", "packets", "avgpkt")


def settled(selector: str) -> bool:
    """Whether all that a selector reads is settled. The fib's answers are, until addresses or routes change."""
    return all(_is_settled(row.name) for row in parts_of(selector))


def _is_settled(name: str) -> bool:
    return name in SETTLED or (name.startswith(_SETTLED_KINDS) and not name.endswith(_COUNTED))


class ForeseenSource(ChainSource):
    """Writes the function that foresees one chain. `_doubtful`: the rule at hand has a test that cannot be foreseen."""

    arguments = "skb, met"
    decided = "v != -1"
    _doubtful = False

    def _count(self, cell: str) -> None:
        self._line(f"met.append({cell})")

    def _rule(self, rule: Rule) -> None:
        self._doubtful = False
        super()._rule(rule)

    def _part(self, rule: Rule, part: Test | Action) -> None:
        match part:
            case Compare():
                self._foreseen_compare(part)
            case HeaderThere() if not part.options:
                pass  # it is
            case VerdictMap() if settled(part.selector) and not is_live(self._table, part):
                self._settle()
                self._verdict_map(part)
            case Counter() | Verdict() | Nothing():
                self._settle()
                self._act(rule, part)
            case _:
                self._flush()
                self._line(f"return {UNKNOWN}")

    def _foreseen_compare(self, part: Compare) -> None:
        """Tests may be done in any order: what can be foreseen to fail, fails; else what cannot be makes the rule doubtful."""
        if not settled(part.selector) or is_live(self._table, part):
            self._doubtful = True
        elif part.absent:
            missing = [f"not ({need})" for need in needs(part.selector, self._table) if need not in self._facts]
            self._pending.append("(" + " or ".join([*missing, comparison(part, self._table, self._keep)]) + ")")
        else:
            self._require((*needs(part.selector, self._table), comparison(part, self._table, self._keep)))

    def _settle(self) -> None:
        """Something is about to be done: here the doubtful tests would have to be answered."""
        self._flush()
        if self._doubtful:
            self._line(f"return {UNKNOWN}")


def link(table: Table, effects: Effects, cells: Cells) -> dict[str, Foreseer]:
    """The functions of a table's chains by name; those of base chains answer DROP, ACCEPT or UNKNOWN."""
    return linked(table, effects, cells, ForeseenSource)
