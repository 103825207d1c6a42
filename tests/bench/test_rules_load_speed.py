"""How long 10,000 rules take to load by iptables-restore and nft -f; printed with -s. They must take less than two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

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


def _nft(state: RuleState) -> Result:
    rules = [f"ip saddr 10.{n >> 8}.{n & 255}.0/24 tcp dport {n % 60000 + 1} accept" for n in range(RULES)]
    text = "table ip filter {\nchain input {\ntype filter hook input priority 0; policy accept;\n" + "\n".join(rules) + "\n}\n}\n"
    return nft.run(["nft", "-f", "-"], state, text)


@pytest.mark.bench
@pytest.mark.parametrize("load", [_iptables, _nft], ids=["iptables-restore", "nft -f"])
def test_ten_thousand_rules_load_in_less_than_two_seconds(load: Callable[[RuleState], Result]) -> None:
    state = RuleState(Hooks(), NoEffects())  # type: ignore[arg-type]
    start = time.perf_counter()
    result = load(state)
    seconds = time.perf_counter() - start
    print(f"{load.__name__[1:]}: {RULES} rules in {seconds:.2f} s")
    assert result.err == "" and result.status == 0
    assert seconds < MOST
