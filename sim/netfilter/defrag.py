"""Fragments are put together ahead of conntrack, which sees whole packets only. Behind it they are cut again as they came.

nf_defrag_ipv4.c, nf_defrag_ipv6_hooks.c, Linux 6.18: a function at -400 in PREROUTING and OUTPUT, there for a family while conntrack
is (nf_ct_netns_get). Not in here: the queues (fragments.py), cutting (machine/fragments.py).
"""

from __future__ import annotations

from typing import Final

from sim.netfilter.fragments import EXTENSIONS, Fate, Fragments4, Fragments6, Whole, fragment_header
from sim.netfilter.hooks import Hooks
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook, Priority, Verdict
from sim.trace import Reason

NAME: Final = "defrag"
_ACCEPT, _DROP, _STOLEN = int(Verdict.ACCEPT), int(Verdict.DROP), int(Verdict.STOLEN)
_UNTRACKED = 7
_THROWN = Reason("fragment", "A fragment that contradicts those that came before it.")


class Defrag:
    """One machine's hook functions; `use` tells for which of "ip" and "ip6" conntrack is wanted."""

    def __init__(self, hooks: Hooks, four: Fragments4, six: Fragments6) -> None:
        self._hooks = hooks
        self._four, self._six = four, six
        self._versions: frozenset[int] = frozenset()

    def use(self, families: frozenset[str]) -> None:
        """Stand in the hooks for these families while conntrack does."""
        if families and not self._versions:
            self._hooks.register(Hook.PREROUTING, Priority.DEFRAG, NAME, self._came)
            self._hooks.register(Hook.OUTPUT, Priority.DEFRAG, NAME, self._made)
        elif not families:
            self._hooks.unregister(NAME)
        self._versions = frozenset({"ip": 4, "ip6": 6}[family] for family in families)

    def _came(self, skb: Skb) -> int:
        packet = skb.packet
        if packet.version == 4:
            return _ACCEPT if not (packet.fragment or packet.more) else self._gather4(skb, "in")
        return _ACCEPT if packet.data[6] not in EXTENSIONS else self._gather6(skb, "in")

    def _made(self, skb: Skb) -> int:
        packet = skb.packet
        if packet.version == 4:
            return _ACCEPT if not (packet.fragment or packet.more) else self._gather4(skb, "out")
        return _ACCEPT if packet.data[6] not in EXTENSIONS else self._gather6(skb, "out")

    def _gather4(self, skb: Skb, user: str) -> int:
        if 4 not in self._versions or skb.ctinfo == _UNTRACKED:
            return _ACCEPT
        whole = self._four.take(skb.packet, user, skb.indev, skb.now)
        if whole is None:
            return _STOLEN
        become(skb, whole)
        return _ACCEPT

    def _gather6(self, skb: Skb, user: str) -> int:
        if 6 not in self._versions or skb.ctinfo == _UNTRACKED or fragment_header(skb.packet.data) is None:
            return _ACCEPT
        found = self._six.take(skb.packet, user, skb.indev, skb.now)
        if isinstance(found, Whole):
            become(skb, found)
        elif found is Fate.WAITS:
            return _STOLEN
        elif found is Fate.THROWN or found is Fate.TOO_FAR:
            skb.dropped = ("defragmentation", _THROWN)
            return _DROP
        return _ACCEPT


def become(skb: Skb, whole: Whole) -> None:
    """The last fragment to come is the whole packet from here on."""
    skb.packet = whole.packet
    skb.frag_max = whole.largest
    skb.frag_sizes = whole.sizes
