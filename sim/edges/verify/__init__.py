"""Verify: the same packets through ctlab's firewall and through this machine's own kernel; every difference is told.

    with Pair(Plan(rules=Load(iptables=text))) as pair:
        for difference in pair.run(steps): ...

Where is what:
    plan.py       Plan (a firewall), steps (packets, pauses, new rules, settings), Case
    pair.py       Pair: one firewall of ours and the kernel's, step by step;  typed.py: a line of the conntrack tool at both
    chance.py     what fell by chance in the kernel: ours draws the same
    answers.py    what is compared, and how;  entries.py: of the table;  masks.py: and what is not;  counters.py: of rules
    sources.py    the steps of a capture;  recording.py: of a running simulation's firewall;  drawn.py: ports by chance in it
    fuzz/         traffic and rulesets gone wrong, by seed;  hunt.py: runs them, case after case
    shrink.py     a failing case with the fewest steps;  shrink_plan.py: and rules;  keep.py: written down as a conversation
    storm.py      spoilt packets through ours alone: nothing may break
    measure.py    which branches (branches.py; unreachable.py: all but these) and grid cells (cells.py) of sim/conntrack packets reach
"""

from sim.edges.verify.answers import FIELDS, Difference
from sim.edges.verify.hunt import Found, Hunt
from sim.edges.verify.pair import Pair, Refused
from sim.edges.verify.plan import Age, Case, Feed, Forget, Load, Plan, Step, Sysctl, Wait

__all__ = [
    "FIELDS", "Age", "Case", "Difference", "Feed", "Forget", "Found", "Hunt", "Load", "Pair", "Plan", "Refused", "Step", "Sysctl", "Wait",
]  # fmt: skip
