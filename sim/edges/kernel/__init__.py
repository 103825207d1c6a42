"""This machine's own netfilter as a function from packets to answers: the judge of the simulated one.

    with KernelFirewall({"lan": ["192.168.1.1/24"], "wan": ["203.0.113.2/24"]}, nft=rules) as firewall:
        answer = firewall.feed(packet, "lan")           # answer.label, .verdict, .out, .entry ...

It is a network namespace of its own with a TUN device a side, the real tools to load the rules, and netlink to hear what
conntrack said. It is no part of the simulator: nothing in `sim` imports it, and it shares no code with what it judges.

Where is what:
    answer.py     what comes back, and the errors
    firewall.py   KernelFirewall: the caller's side; forks the judge and talks to it
    judge.py      the judge's side, in the namespace: feeds, listens, looks up
    namespace.py  the namespace: TUN devices, addresses, routes, sysctls, real tools
    watch.py      our own nft table there (labels, deliveries) and how it is kept out of the caller's sight
    netlink.py    netlink messages;  nflog.py: what the watch table tells;  table.py: ctnetlink;  tuples.py: a packet's tuple
"""

from sim.edges.kernel.answer import Answer, Direction, Entry, KernelUnavailable, Label, Timing, ToolFailed, Verdict
from sim.edges.kernel.firewall import KernelFirewall, why_unavailable

__all__ = [
    "Answer",
    "Direction",
    "Entry",
    "KernelFirewall",
    "KernelUnavailable",
    "Label",
    "Timing",
    "ToolFailed",
    "Verdict",
    "why_unavailable",
]
