"""The path that tells: its events, its words, and that it decides as the fast path does."""

from __future__ import annotations

import random

import pytest

from sim.netfilter.words import Hook
from sim.packet import Packet
from sim.ruleset.iptables import tool
from sim.trace import ChainDecided, RuleTried
from tests.ruleset.firewall import Firewall
from tests.ruleset.random_rules import packets, ruleset

RULES = (
    "-A INPUT -i lo -j ACCEPT",
    "-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT",
    "-A INPUT -p icmp -j ACCEPT",
    "-P INPUT DROP",
)
SSH = "tcp 192.168.1.10:5000 > 192.168.1.20:22 ."


def tried(firewall: Firewall) -> list[tuple[int, bool, str | None, str]]:
    return [
        (event.number, event.matched, event.verdict, " · ".join(each.words for each in event.because))
        for event in firewall.heard if isinstance(event, RuleTried)
    ]  # fmt: skip


def test_each_rule_that_was_tried_says_why() -> None:
    firewall = Firewall(*RULES, traced=True)
    skb = firewall.skb(SSH, "ESTABLISHED")
    assert firewall.run(skb) == 0
    assert tried(firewall) == [
        (1, False, None, "came in on eth0, not lo"),
        (2, False, None, "TCP yes · port 22 yes · label is ESTABLISHED, not NEW"),
        (3, False, None, "TCP, not ICMP"),
    ]
    assert skb.dropped is not None
    assert (skb.dropped[0], skb.dropped[1].code) == ("filter INPUT policy", "policy")


def test_a_base_chain_says_what_it_decided_and_by_what() -> None:
    firewall = Firewall(*RULES, traced=True)
    firewall.run(firewall.skb(SSH, "NEW"))
    assert firewall.heard[-1] == ChainDecided(7, "INPUT", "iptables", "filter", "INPUT", "ACCEPT", "rule", 2)
    firewall.run(firewall.skb(SSH, "ESTABLISHED"))
    assert firewall.heard[-1] == ChainDecided(7, "INPUT", "iptables", "filter", "INPUT", "DROP", "policy", None)


def test_the_text_of_each_match_is_what_the_rule_says() -> None:
    firewall = Firewall("-A INPUT -s 192.168.1.10 -p tcp -m multiport ! --dports 22,80 -m limit --limit 5/min -j LOG", traced=True)
    firewall.run(firewall.skb("tcp 192.168.1.10:1 > 192.168.1.20:99 S"))
    event = firewall.heard[0]
    assert isinstance(event, RuleTried)
    assert [each.text for each in event.because] == ["-s 192.168.1.10/32", "-p tcp", "! --dports 22,80", "--limit 5/min"]
    assert (event.matched, event.verdict) == (True, None)
    assert firewall.logged[0].startswith("IN=eth0 OUT= MAC= SRC=192.168.1.10 ")


@pytest.mark.parametrize(
    ("rule", "packet", "words"),
    [
        ("-p tcp --dport 22", "udp 192.168.1.10:1 > 192.168.1.20:53", "UDP, not TCP"),
        ("! -i eth0", SSH, "came in on eth0, which is left out"),
        ("! -i lo", SSH, "came in on eth0, not lo"),
        ("-s 10.0.0.0/8", SSH, "from 192.168.1.10, not 10.0.0.0/8"),
        ("-m conntrack --ctstatus ASSURED", SSH, "no entry in the table"),
        ("-p tcp --tcp-flags SYN,ACK SYN", SSH, "TCP yes · flags ACK, not SYN out of SYN ACK"),
        ("-m conntrack ! --ctstate NEW,RELATED", SSH, "label is ESTABLISHED, not RELATED or NEW"),
    ],
)
def test_words_are_short_and_have_the_packets_value(rule: str, packet: str, words: str) -> None:
    firewall = Firewall(f"-A INPUT {rule} -j DROP", traced=True)
    firewall.run(firewall.skb(packet, "ESTABLISHED"))
    assert tried(firewall)[0][3] == words


def test_rules_in_a_user_chain_are_told_with_their_chain() -> None:
    firewall = Firewall("-N web", "-A INPUT -p tcp -j web", "-A web -p tcp --dport 22 -j REJECT", traced=True)
    skb = firewall.skb(SSH)
    firewall.run(skb)
    assert [(event.chain, event.verdict) for event in firewall.heard if isinstance(event, RuleTried)] == [
        ("INPUT", "JUMP web"), ("web", "REJECT")
    ]  # fmt: skip
    assert skb.dropped is not None
    assert (skb.dropped[0], skb.dropped[1].code) == ("filter web rule 1", "reject")


@pytest.mark.parametrize("seed", range(8))
def test_both_paths_decide_and_count_the_same(seed: int) -> None:
    r = random.Random(seed)
    text = ruleset(r, "ip")
    fast, traced = Firewall(), Firewall(traced=True)
    for firewall in (fast, traced):
        assert tool.run(["iptables-restore"], firewall.state, text) == tool.Result()
    for number, data in enumerate(packets(r, "ip", 60)):
        verdicts = []
        for firewall in (fast, traced):
            skb = firewall.skb(SSH, r.choice(["NEW"]) if number % 2 else "INVALID", "lan")
            skb.packet = Packet(data, 7)
            marked = firewall.hooks.run(Hook.PREROUTING, skb)
            verdicts.append((marked, skb.mark, firewall.hooks.run(Hook.INPUT, skb), firewall.hooks.run(Hook.FORWARD, skb)))
        assert verdicts[0] == verdicts[1]
    every = [rule.id for _, _, _, rule in fast.state.ruleset.rules()]
    assert [fast.state.counters(id) for id in every] == [traced.state.counters(id) for id in every]
    assert fast.sent == traced.sent
