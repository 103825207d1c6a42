"""How long 10,000 rules take to load by iptables-restore and nft -f, in many shapes; printed with -s. It must be less than two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest

from sim.netfilter.hooks import Hooks
from sim.ruleset.iptables import tool as iptables
from sim.ruleset.nft import tool as nft
from sim.ruleset.state import RuleState
from sim.ruleset.text import Result
from tests.kernel.test_iptables_prints_the_same import NoEffects

RULES = 10_000
MOST = 2.0


def _iptables(state: RuleState) -> Result:
    rules = [f"-A INPUT -s 10.{n >> 8}.{n & 255}.0/24 -p tcp -m tcp --dport {n % 60000 + 1} -j ACCEPT" for n in range(RULES)]
    return iptables.run(["iptables-restore"], state, "\n".join(["*filter", ":INPUT ACCEPT [0:0]", *rules, "COMMIT", ""]))


NFT = {
    "addresses and ports": lambda n: f"ip saddr 10.{n >> 8}.{n & 255}.0/24 tcp dport {n % 60000 + 1} accept",
    "ranges": lambda n: f"ip saddr 10.{n >> 8}.{n & 255}.1-10.{n >> 8}.{n & 255}.9 udp dport {n % 60000 + 1}-{n % 60000 + 9} drop",
    "sets of their own": lambda n: f"tcp dport {{ {n % 60000 + 1}, {n % 60000 + 2} }} counter accept",
    "ranged concatenations": lambda n: f"ip saddr . tcp dport {{ 10.{n >> 8}.{n & 255}.1-10.{n >> 8}.{n & 255}.9 . {n % 60000 + 1}-"
    f"{n % 60000 + 3} }} accept",
}
"""A rule's text by its number, shape by shape."""


def _nft(state: RuleState, shape: str) -> Result:
    rules = "\n".join(NFT[shape](n) for n in range(RULES))
    return nft.run(["nft", "-f", "-"], state, f"table ip filter {{\nchain input {{\ntype filter hook input priority 0;\n{rules}\n}}\n}}\n")


def _elements(state: RuleState) -> Result:
    elements = ", ".join(f"10.{n >> 8}.{n & 255}.1-10.{n >> 8}.{n & 255}.9" for n in range(RULES))
    text = f"table ip filter {{\nset s {{ type ipv4_addr; flags interval; elements = {{ {elements} }} }}\n}}\n"
    return nft.run(["nft", "-f", "-"], state, text)


LOADS: dict[str, Callable[[RuleState], Result]] = {
    "iptables-restore": _iptables, **{f"nft -f, {shape}": partial(_nft, shape=shape) for shape in NFT},
    "nft -f, one set of as many ranges": _elements,
}  # fmt: skip


@pytest.mark.bench
@pytest.mark.parametrize("name", LOADS)
def test_ten_thousand_rules_load_in_less_than_two_seconds(name: str) -> None:
    """Of the processor's time, for others may have work for it, too."""
    state = RuleState(Hooks(), NoEffects())  # type: ignore[arg-type]
    start = time.process_time()
    result = LOADS[name](state)
    seconds = time.process_time() - start
    print(f"{name}: {RULES:,} in {seconds:.2f} s")
    assert result.err == "" and result.status == 0
    assert seconds < MOST
