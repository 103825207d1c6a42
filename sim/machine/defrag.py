"""Fragments ahead of conntrack: it sees whole packets only. They leave again in pieces no larger than they came in.

nf_defrag_ipv4.c and nf_conntrack_reasm.c (Linux 6.18): a hook at -400 in PREROUTING and OUTPUT, there as long as conntrack is.
"""

from __future__ import annotations

from typing import Final

from sim.machine.fragments import Reassembly
from sim.netfilter.hooks import Hooks
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook, Priority, Verdict
from sim.packet import Packet

NAME: Final = "defrag"
_ACCEPT = int(Verdict.ACCEPT)
_STOLEN = int(Verdict.STOLEN)


class Defrag:
    """One machine's hook function. `use` is told for which of "ip" and "ip6" conntrack is at work."""

    def __init__(self, hooks: Hooks, reassembly: Reassembly) -> None:
        self._hooks = hooks
        self._reassembly = reassembly
        self._versions: frozenset[int] = frozenset()

    def use(self, families: frozenset[str]) -> None:
        """Stand in the hooks while there is a family to work for."""
        if families and not self._versions:
            for hook in (Hook.PREROUTING, Hook.OUTPUT):
                self._hooks.register(hook, Priority.DEFRAG, NAME, self.gather)
        elif not families:
            self._hooks.unregister(NAME)
        self._versions = frozenset({"ip": 4, "ip6": 6}[family] for family in families)

    def gather(self, skb: Skb) -> int:
        """Keep a fragment; let go the whole packet with the last of them."""
        packet = skb.packet
        if not (packet.more or packet.fragment or (packet.version == 6 and packet.l4 > 40 and has_fragment_header(packet))):
            return _ACCEPT
        if packet.version not in self._versions:
            return _ACCEPT
        whole = self._reassembly.take(packet, skb.now)
        if whole is None:
            return _STOLEN
        skb.packet = whole
        skb.frag_max = self._reassembly.largest
        return _ACCEPT


def has_fragment_header(packet: Packet) -> bool:
    """Whether an IPv6 packet has a fragment header; one that is no fragment (RFC 6946) loses it."""
    data, at, kind = packet.data, 40, packet.data[6]
    while kind in (0, 43, 60) and at + 8 <= len(data):
        kind, at = data[at], at + (data[at + 1] + 1) * 8
    return kind == 44 and at + 8 <= len(data)
