"""What a rule's look into a set or map costs a packet, by the number of its elements: it must not grow with them. Printed with -s."""

from __future__ import annotations

import time

import pytest

from sim import wire
from sim.netfilter.hooks import Hooks
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook
from sim.packet import Packet
from sim.ruleset.nft import tool as nft
from sim.ruleset.state import RuleState
from tests.kernel.test_iptables_prints_the_same import NoEffects

pytestmark = pytest.mark.bench
FEW, MANY = 10, 10_000
SRC, DST = bytes((10, 0, 0, 5)), bytes((192, 0, 2, 1))


def _net(number: int) -> str:
    return f"10.{number >> 8}.{number & 255}"


SHAPES = {
    "a set of ports": ("inet_service", "", lambda n: f"{n + 1000}", "tcp dport @s accept"),
    "a set of addresses": ("ipv4_addr", "", lambda n: f"10.1.{n >> 8}.{n & 255}", "ip saddr @s accept"),
    "a set of ranges": ("ipv4_addr", "flags interval;", lambda n: f"{_net(n)}.9-{_net(n)}.11", "ip saddr @s accept"),
    "a set of networks": ("ipv4_addr", "flags interval;", lambda n: f"11.{n >> 8}.{n & 255}.0/24", "ip saddr @s accept"),
    "pairs": ("ipv4_addr . inet_service", "", lambda n: f"10.1.{n >> 8}.{n & 255} . {n + 1000}", "ip saddr . tcp dport @s accept"),
    "a verdict map": ("inet_service : verdict", "", lambda n: f"{n + 1000} : accept", "tcp dport vmap @s"),
    "a verdict map of ranges": (
        "ipv4_addr : verdict", "flags interval;", lambda n: f"11.{n >> 8}.{n & 255}.0/24 : accept", "ip saddr vmap @s",
    ),
}  # fmt: skip


def nanoseconds(shape: str, count: int) -> float:
    """A packet's time through the chain, in the best of a few rounds; it is in none of the elements."""
    kind, flags, element, rule = SHAPES[shape]
    elements = ", ".join(element(n) for n in range(count))
    word = "map" if ":" in kind else "set"
    text = (
        f"table ip t {{\n{word} s {{ type {kind}; {flags} elements = {{ {elements} }} }}\n"
        f"chain c {{ type filter hook input priority 0; policy drop;\n{rule}\n}}\n}}\n"
    )
    hooks = Hooks()
    state = RuleState(hooks, NoEffects())  # type: ignore[arg-type]
    result = nft.run(["nft", "-f", "-"], state, text)
    assert result.err == ""
    skb = Skb(Packet(wire.ipv4(SRC, DST, 6, wire.tcp(SRC, DST, 999, 22, flags=2))), 0, "eth0")
    best = float("inf")
    for _ in range(7):
        begun = time.perf_counter_ns()
        for _ in range(2000):
            assert hooks.run(Hook.INPUT, skb) == 0
        best = min(best, time.perf_counter_ns() - begun)
    return best / 2000


@pytest.mark.parametrize("shape", SHAPES)
def test_a_look_into_a_set_does_not_grow_with_it(shape: str) -> None:
    small, large = nanoseconds(shape, FEW), nanoseconds(shape, MANY)
    print(f"\n{shape}: {small:.0f} ns among {FEW}, {large:.0f} ns among {MANY:,}: {large / small:.2f} ×")
    assert large < 3 * small
