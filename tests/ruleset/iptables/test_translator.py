"""Where ours translates what iptables-translate 1.8.9 gets wrong: states beside SNAT and DNAT. All else: tests/kernel."""

from __future__ import annotations

import pytest

from sim.ruleset.ipset.model import Sets
from sim.ruleset.iptables import translator

RULE = "add rule ip filter INPUT"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "--ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT",
            [f"{RULE} ct state related,established counter accept", f"{RULE} ct status dnat counter accept"],
        ),
        ("! --ctstate NEW,DNAT -j DROP", [f"{RULE} ct state ! new ct status ! dnat counter drop"]),
        ("--ctstate SNAT,DNAT -j DROP", [f"{RULE} ct status snat,dnat counter drop"]),
        ("--ctstate NEW,DNAT -j LOG", ["# -A INPUT -m conntrack --ctstate NEW,DNAT -j LOG "]),
    ],
)  # fmt: skip
def test_a_state_or_a_translation_is_a_rule_each_and_neither_of_them_is_one(words: str, said: list[str]) -> None:
    done = translator.run(["iptables-translate", "-A", "INPUT", "-m", "conntrack", *words.split()], Sets())
    assert [line.removeprefix("nft ").strip("'") for line in done.out.splitlines() if line.strip()] == [each.strip("'") for each in said]
