"""The rarer matches in plain words, and `-m time` on the scenario's clock."""

from __future__ import annotations

import pytest

from sim.apps.program import EPOCH
from sim.ruleset.circumstances import START
from sim.ruleset.explain import sentence
from sim.ruleset.ipset import tool as ipset
from sim.ruleset.iptables import tool
from tests.ruleset.firewall import Firewall

SENTENCES = [
    ("-m time --timestart 08:00 --timestop 18:00 --weekdays Mon,Tue -j ACCEPT", "from 08:00:00 to 18:00:00 UTC, on Monday, Tuesday"),
    ("-m u32 --u32 6&0xff=6 -j DROP", "whose bytes fit 0x6&0xff=0x6"),
    ("-p esp --espspi 5:7 -j DROP", "with an SPI of 5 to 7"),
    ("-p sctp --chunk-types any INIT -j DROP", "that hold any of types 1"),
    ("-m set --match-set a src -j DROP", "that are in the set a (by src)"),
    ("-j SET --add-set a src", "put every packet into the set a"),
    ("-m mac --mac-source 00:01:02:03:04:05 -j DROP", "whose hardware address is 00:01:02:03:04:05"),
]


@pytest.mark.parametrize(("line", "words"), SENTENCES)
def test_a_rule_is_said_in_a_sentence(line: str, words: str) -> None:
    firewall = Firewall()
    ipset.run(["ipset", "create", "a", "hash:ip"], firewall.state.ipsets, 0)
    assert tool.run(["iptables", "-A", "INPUT", *line.split(" ")], firewall.state).err == ""
    rule = firewall.state.ruleset.tables[0].chains[0].rules[0]
    assert words.lower() in sentence(rule).lower()


def test_the_scenario_starts_when_its_clock_says_so() -> None:
    assert int(EPOCH.timestamp()) == START


@pytest.mark.parametrize(
    ("match", "passes"),
    [
        ("--timestart 08:00 --timestop 18:00", True), ("--timestart 10:00 --timestop 18:00", False), ("--weekdays Mon", True),
        ("! --weekdays Mon", False), ("--monthdays 23", True), ("--monthdays 1,2", False), ("--datestop 2026-11-22", False),
        ("--timestart 22:00 --timestop 09:30", True), ("--timestart 22:00 --timestop 09:30 --contiguous --weekdays Sun", True),
        ("--timestart 22:00 --timestop 09:30 --contiguous --weekdays Mon", False),
    ],
)  # fmt: skip
def test_time_is_the_scenario_s_monday_morning(match: str, passes: bool) -> None:
    firewall = Firewall("-P INPUT DROP", f"-A INPUT -m time {match} -j ACCEPT")
    assert firewall.passes("udp 192.168.1.10:5000 > 192.168.1.20:53 len 20") is passes
