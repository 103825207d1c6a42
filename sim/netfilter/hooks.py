"""The five lists of hook functions. What stands in them, and at which priority, is all that makes a firewall of a machine."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable

from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook, Verdict

HookFunction = Callable[[Skb], int]


class Hooks:
    """Five lists sorted by priority; nft and iptables chains, conntrack and confirm are peers in them.

    Among equal priorities the one registered last runs first: nf_hook_entries_grow (net/netfilter/core.c, Linux 6.18)
    puts a new entry in front of the first whose priority is not lower. Tried on the kernel: an nft chain at priority
    filter and iptables' filter table see a packet in the reverse order of their making.
    """

    def __init__(self) -> None:
        self._entries: tuple[list[tuple[int, int, str, HookFunction]], ...] = ([], [], [], [], [])
        self._serial = 0
        self.functions: tuple[list[HookFunction], ...] = ([], [], [], [], [])

    def register(self, hook: Hook, priority: int, name: str, function: HookFunction) -> None:
        """Put `function` into `hook`'s list, ahead of what stands there at the same priority."""
        self._serial -= 1
        insort(self._entries[hook], (priority, self._serial, name, function), key=lambda entry: entry[:2])
        self._show(hook)

    def replace(self, name: str, function: HookFunction) -> None:
        """Put `function` in the place of every function registered under `name`; its place in the list stays."""
        for hook in Hook:
            entries = self._entries[hook]
            if any(entry[2] == name for entry in entries):
                entries[:] = [(*entry[:3], function) if entry[2] == name else entry for entry in entries]
                self._show(hook)

    def unregister(self, name: str) -> None:
        """Take out every function registered under `name`."""
        for hook in Hook:
            self._entries[hook][:] = [entry for entry in self._entries[hook] if entry[2] != name]
            self._show(hook)

    def _show(self, hook: Hook) -> None:
        self.functions[hook][:] = [entry[3] for entry in self._entries[hook]]

    def names(self, hook: Hook) -> list[tuple[int, str]]:
        """(priority, name) of what stands in one list, in order."""
        return [(entry[0], entry[2]) for entry in self._entries[hook]]

    def run(self, hook: Hook, skb: Skb) -> int:
        """Pass `skb` through one list: the first verdict that is not ACCEPT, else ACCEPT (nf_hook_slow, net/netfilter/core.c)."""
        for function in self.functions[hook]:
            verdict = function(skb)
            if verdict != 1:
                return verdict
        return Verdict.ACCEPT
