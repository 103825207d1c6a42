"""Numbers of thousands of digits, of which Python makes none: every language answers with an error of its own, never an exception."""

from __future__ import annotations

import pytest

from sim.ruleset.iptables import tool, translator
from sim.ruleset.nft import tool as nft
from tests.fuzz.test_commands_are_never_a_traceback import fresh
from tests.fuzz.test_rules_and_entries_typed_wrong import Ours
from tests.shell.one_machine import OneMachine

ENDLESS = "9" * 6000
RULES = (
    "tcp dport N", 'tcp dport "N"', "tcp dport 1/N", "tcp dport { 1-N }", "ip saddr 1.1.1.1/N", "meta mark 0xN", "ct expiration Ns",
    "limit rate N/second", "meta hour N", "@th,N,16 5", "counter packets N bytes 0", "meta priority N:1", "dnat to 1.1.1.1:N",
)  # fmt: skip
WORDS = (
    "-p tcp --dport N", "-s 1.1.1.1/N", "-m limit --limit N/s", "-m time --timestart N", "-m u32 --u32 N=1", "-p icmp --icmp-type 1/N",
    "-c N 1", "-j LOG --log-level N",
)  # fmt: skip
LINES = (
    "conntrack -L -m N", "conntrack -L -p N", "conntrack -D -s 1.1.1.1/N", "sleep N", "ping -c N 127.0.0.1", "head -n N /etc/hosts",
    "exit N", "echo a | head -n N", "nft list ruleset N", "(sleep N)", "sysctl -w net.netfilter.nf_conntrack_max=N",
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_nft_is_refused(rule: str) -> None:
    said, _ = Ours().add("ip", rule.replace("N", ENDLESS))
    assert said.status == 1 and said.err.startswith("Error: ")


def test_a_file_of_nft_is_refused_at_its_line() -> None:
    said = nft.run(["nft", "-f", "-"], fresh(), f"table ip t {{\n chain c {{\n  tcp dport {ENDLESS}\n }}\n}}\n")
    assert said.status == 1 and "/dev/stdin:3:13" in said.err


@pytest.mark.parametrize("words", WORDS)
def test_a_rule_of_iptables_is_refused_by_the_tool_its_restore_and_its_translation(words: str) -> None:
    rule = ["-A", "INPUT", *words.replace("N", ENDLESS).split()]
    text = f"*filter\n{' '.join(rule)}\nCOMMIT\n"
    for said in (tool.run(["iptables", *rule], fresh()), tool.run(["iptables-restore"], fresh(), text)):
        assert said.status and "a number of 300 digits is right, but not simulated here" in said.err
    assert translator.run(["iptables-translate", *rule], fresh().ipsets).status


def test_counters_without_end_in_a_saved_ruleset_are_refused() -> None:
    said = tool.run(["iptables-restore", "-c"], fresh(), f"*filter\n:INPUT ACCEPT [{ENDLESS}:0]\nCOMMIT\n")
    assert said.status and "invalid policy counters" in said.err


@pytest.mark.parametrize("line", LINES)
def test_a_line_in_a_terminal_is_refused(line: str) -> None:
    machine = OneMachine()
    assert "a number of 300 digits is not simulated here" in machine.type(line.replace("N", ENDLESS))
    assert machine.type("echo still here") == "still here\n"
