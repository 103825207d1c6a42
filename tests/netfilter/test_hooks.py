"""The order of hook functions, as nf_hook_entries_grow makes it (asked of the kernel with nft and iptables chains side by side)."""

from __future__ import annotations

from sim.craft import craft
from sim.netfilter.hooks import HookFunction, Hooks
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook
from sim.packet import Packet


def skb() -> Skb:
    return Skb(Packet(craft("udp 10.0.0.1:1 > 10.0.0.2:2")), 0)


def says(name: str, told: list[str], verdict: int = 1) -> HookFunction:
    def function(skb: Skb) -> int:
        told.append(name)
        return verdict

    return function


def test_lower_priorities_run_first_and_of_equals_the_one_that_came_last() -> None:
    hooks, told = Hooks(), list[str]()
    for priority, name in ((0, "nft"), (-200, "conntrack"), (0, "iptables"), (50, "security")):
        hooks.register(Hook.INPUT, priority, name, says(name, told))
    assert hooks.run(Hook.INPUT, skb()) == 1
    assert told == ["conntrack", "iptables", "nft", "security"]


def test_what_is_replaced_keeps_its_place() -> None:
    hooks, told = Hooks(), list[str]()
    hooks.register(Hook.INPUT, 0, "a", says("a", told))
    hooks.register(Hook.INPUT, 0, "b", says("b", told))
    hooks.replace("a", says("a, new", told))
    hooks.run(Hook.INPUT, skb())
    assert told == ["b", "a, new"]


def test_a_verdict_other_than_accept_ends_the_list() -> None:
    hooks, told = Hooks(), list[str]()
    hooks.register(Hook.FORWARD, 1, "later", says("later", told))
    hooks.register(Hook.FORWARD, 0, "drop", says("drop", told, 0))
    assert hooks.run(Hook.FORWARD, skb()) == 0
    assert told == ["drop"]


def test_unregistering_takes_a_name_out_of_every_list() -> None:
    hooks, told = Hooks(), list[str]()
    for hook in (Hook.INPUT, Hook.OUTPUT):
        hooks.register(hook, 0, "a", says("a", told))
    hooks.unregister("a")
    assert [hooks.names(hook) for hook in Hook] == [[], [], [], [], []]
