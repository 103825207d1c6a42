"""Verify: the same packets through ctlab's firewall and through this machine's own kernel; every difference is told.

    with Pair(Plan(addresses={"lan": [...], "wan": [...]}, iptables=rules)) as pair:
        for difference in pair.run(steps): ...

Where is what:
    plan.py       Plan (a firewall) and steps: packets, pauses, new rules, settings
    pair.py       Pair: one firewall of ours and the kernel's, step by step;  answers.py: what is compared, and how;  masks.py: and what is not
    sources.py    the steps of a capture;  recording.py: of a scenario or lesson
    fuzz/         traffic and rulesets gone wrong, by seed;  hunt.py: runs them, case after case
    shrink.py     a failing case with the fewest packets;  keep.py: written down as a conversation
    branches.py   which branches of sim/conntrack packets took;  cells.py: and which cells of its grids
"""

from sim.edges.verify.answers import FIELDS, Difference
from sim.edges.verify.hunt import Found, Hunt
from sim.edges.verify.keep import conversation
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Age, Feed, Forget, Load, Plan, Step, Sysctl, Wait
from sim.edges.verify.recording import Recorder
from sim.edges.verify.shrink import shrink
from sim.edges.verify.sources import of_capture

__all__ = [
    "FIELDS", "Age", "Difference", "Feed", "Forget", "Found", "Hunt", "Load", "Pair", "Plan", "Recorder", "Step", "Sysctl", "Wait",
    "conversation", "of_capture", "shrink",
]  # fmt: skip
