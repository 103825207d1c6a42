"""Texts for nft that were made to break what reads them: refused with a sentence, in a moment, whatever their size."""

from __future__ import annotations

import pytest

from sim.netfilter.hooks import Hooks
from sim.ruleset.nft import tool
from sim.ruleset.state import RuleState
from tests.kernel.test_iptables_prints_the_same import NoEffects

CHAIN = "table ip t {{ chain c {{\n{}\n}}\n}}\n"
DOUBLED = "define a0 = { 1, 2 }\n" + "".join(f"define a{n} = {{ $a{n - 1}, $a{n - 1} }}\n" for n in range(1, 40))


@pytest.mark.parametrize(
    "text, complaint",
    [
        (CHAIN.format("meta mark set " + " | ".join(["1"] * 20_000)), "more than 128 operators within one another are not simulated here"),
        (CHAIN.format("meta mark & (" + "1 & (" * 5_000 + "1" + ")" * 5_001 + " == 1"), "more than 128 operators within one another"),
        (DOUBLED + CHAIN.format("tcp dport $a39 accept"), "a set of more than 1048576 elements is not simulated here"),
        ('{"nftables":' + "[" * 20_000 + "]" * 20_000 + "}", "syntax error, unexpected '{'"),
        (
            '{"nftables":[{"add":{"rule":{"family":"ip","table":"t","chain":"c","expr":[{"mangle":{"key":{"meta":{"key":"mark"}},"value":'
            + '{"&":[' * 200 + '{"ct":{"key":"mark"}}' + ",1]}" * 200 + "}}]}}}]}",
            "more than 128 operators",
        ),
    ],
    ids=["a long sum", "deep parentheses", "doubled again and again", "deep JSON", "deep operators in JSON"],
)
def test_it_is_refused_and_nothing_is_loaded(text: str, complaint: str) -> None:
    state = RuleState(Hooks(), NoEffects())  # type: ignore[arg-type]
    result = tool.run(["nft", "-j", "-f", "-"], state, text)
    assert result.status == 1
    assert complaint in result.err
    assert not state.ruleset.tables
