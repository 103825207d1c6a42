"""Rules against packets: which match. Each row is a rule's conditions, a packet, what else is known of it, and the answer."""

from __future__ import annotations

import pytest

from sim.netfilter.words import Hook
from sim.ruleset.model import (
    Assign,
    Chain,
    Compare,
    Counter,
    Element,
    Limit,
    NamedSet,
    Part,
    Prefix,
    Range,
    Rule,
    Ruleset,
    SetReference,
    Table,
    Verdict,
    VerdictMap,
)
from sim.units import parse_address as A
from tests.ruleset.firewall import Firewall

SYN = "tcp 192.168.1.10:5000 > 192.168.1.20:22 S"
DNS = "udp 192.168.1.10:5000 > 192.168.1.20:53 len 20"
PING = "icmp 192.168.1.10 > 192.168.1.20 echo-request"

MATCHES = [
    ("-p tcp --dport 22", SYN, "NEW", True),
    ("-p tcp ! --dport 22", SYN, "NEW", False),
    ("-p tcp --dport 22", DNS, "NEW", False),
    ("-p tcp --sport 4000:5000 --dport 22", SYN, "NEW", True),
    ("-p tcp --syn", "tcp 192.168.1.10:1 > 192.168.1.20:22 S.", "NEW", False),
    ("-p tcp ! --syn", "tcp 192.168.1.10:1 > 192.168.1.20:22 S.", "NEW", True),
    ("-p tcp --tcp-flags ALL NONE", "tcp 192.168.1.10:1 > 192.168.1.20:22 none", "NEW", True),
    ("-p udp --dport 53", DNS, "NEW", True),
    ("-p udp -m multiport --dports 22,53,1000:2000", DNS, "NEW", True),
    ("-p udp -m multiport --ports 5000", DNS, "NEW", True),
    ("-p udp -m multiport ! --ports 5000,9", DNS, "NEW", False),
    ("-p icmp --icmp-type 8", PING, "NEW", True),
    ("-p icmp --icmp-type 8/1", PING, "NEW", False),
    ("-p icmp --icmp-type any", PING, "NEW", True),
    ("-i eth0", PING, "NEW", True),
    ("-i eth+", PING, "NEW", True),
    ("! -i eth+", PING, "NEW", False),
    ("-i lo", PING, "NEW", False),
    ("-s 192.168.0.0/16", PING, "NEW", True),
    ("! -s 192.168.1.10", PING, "NEW", False),
    ("-s 0.0.0.10/0.0.0.255", PING, "NEW", True),
    ("-m iprange --src-range 192.168.1.5-192.168.1.10", PING, "NEW", True),
    ("-m conntrack --ctstate NEW", PING, "NEW", True),
    ("-m conntrack --ctstate ESTABLISHED,RELATED", PING, "RELATED", True),
    ("-m conntrack ! --ctstate ESTABLISHED,RELATED", PING, "NEW", True),
    ("-m conntrack --ctstate INVALID", PING, "", True),
    ("-m conntrack --ctstate UNTRACKED", PING, "UNTRACKED", True),
    ("-m conntrack --ctstate UNTRACKED,DNAT", PING, "UNTRACKED", True),
    ("-m state --state INVALID", PING, "UNTRACKED", False),
    ("-m conntrack --ctproto icmp", PING, "INVALID", False),
    ("-m conntrack --ctstate INVALID --ctproto tcp", PING, "INVALID", True),  # xt_conntrack asks the state first, then stops
    ("-m mark --mark 5", PING, "NEW", True),
    ("-m mark ! --mark 0x1/0x3", PING, "NEW", False),
    ("-m length --length 21:28", PING, "NEW", True),
    ("-m ttl --ttl-lt 64", PING, "NEW", False),
    ("-m addrtype --dst-type LOCAL", PING, "NEW", True),
    ("-m addrtype ! --dst-type LOCAL,MULTICAST", PING, "NEW", False),
    ("-m pkttype --pkt-type unicast", PING, "NEW", True),
    ("-m comment --comment hello", PING, "NEW", True),
    ("-f", PING, "NEW", False),
]


@pytest.mark.parametrize("traced", [False, True], ids=["fast", "traced"])
@pytest.mark.parametrize(("conditions", "packet", "label", "matches"), MATCHES)
def test_an_iptables_rule_matches_what_it_says(conditions: str, packet: str, label: str, matches: bool, traced: bool) -> None:
    firewall = Firewall(f"-A INPUT {conditions} -j DROP", traced=traced)
    assert firewall.passes(packet, label, mark=5) is not matches


@pytest.mark.parametrize("traced", [False, True], ids=["fast", "traced"])
def test_a_transport_header_cut_short_is_dropped_by_a_module_that_wants_it(traced: bool) -> None:
    firewall = Firewall("-A INPUT -p tcp --dport 9999 -j ACCEPT", traced=traced)
    assert not firewall.passes("ip 192.168.1.10 > 192.168.1.20 proto 6 hex 00160016")
    assert Firewall("-A INPUT -p tcp -j RETURN", traced=traced).passes("ip 192.168.1.10 > 192.168.1.20 proto 6 hex 00160016")


@pytest.mark.parametrize("traced", [False, True], ids=["fast", "traced"])
def test_return_goes_back_and_goto_does_not(traced: bool) -> None:
    firewall = Firewall(
        "-N a", "-N b", "-A INPUT -j a", "-A INPUT -p udp -j DROP", "-A a -p udp -g b", "-A a -j DROP", "-A b -j RETURN", "-P INPUT ACCEPT",
        traced=traced,
    )  # fmt: skip
    assert not firewall.passes(DNS)  # b returns to INPUT, which drops UDP
    assert not firewall.passes(SYN)  # falls through to a's DROP
    firewall.do("-D INPUT 2")
    assert firewall.passes(DNS)  # b returned past a's DROP, and the policy decides


@pytest.mark.parametrize("traced", [False, True], ids=["fast", "traced"])
def test_an_ipv4_table_does_not_see_ipv6(traced: bool) -> None:
    firewall = Firewall("-P INPUT DROP", traced=traced)
    assert firewall.passes("udp [fd00::1]:1 > [fd00::2]:2")
    assert not firewall.passes(DNS)


def nft(*parts: Part, family: str = "inet", sets: tuple[NamedSet, ...] = (), policy: str = "accept") -> Ruleset:
    chain = Chain("c", (Rule(parts, "a rule"),), hook=Hook.INPUT, policy=policy)
    return Ruleset((Table("nft", family, "t", (chain, Chain("other", (Rule((Verdict("drop"),)),))), sets),))


@pytest.mark.parametrize("traced", [False, True], ids=["fast", "traced"])
@pytest.mark.parametrize(
    ("parts", "packet", "matches"),
    [
        ((Compare("tcp dport", (22, 80)),), SYN, True),
        ((Compare("tcp dport", (Range(20, 25), Range(40, 50), 80)),), SYN, True),
        ((Compare("tcp dport", (Range(23, 25), Range(40, 50), 80), "!="),), SYN, True),
        ((Compare("tcp dport", (22,), "!="),), DNS, False),  # no TCP header: fails whatever the operator
        ((Compare("ip saddr", (Prefix(A("192.168.1.0"), 24),)),), SYN, True),
        ((Compare("ip6 saddr", (A("fd00::1"),)),), SYN, False),
        ((Compare("ip saddr . tcp dport", ((A("192.168.1.10"), 22),)),), SYN, True),
        ((Compare("ip saddr . tcp dport", ((Prefix(A("192.168.0.0"), 16), Range(1, 100)),)),), SYN, True),
        ((Compare("tcp flags", (2,), mask=18),), SYN, True),
        ((Compare("tcp flags", (3,), "&"),), SYN, True),
        ((Compare("tcp flags", (16,), "!&"),), SYN, True),
        ((Compare("ip ttl", (64,), ">"),), SYN, False),
        ((Compare("tcp dport", SetReference("ports")),), SYN, True),
        ((Compare("meta mark", (5,)),), SYN, True),
    ],
)
def test_what_nft_can_say_of_a_packet(parts: tuple[Part, ...], packet: str, matches: bool, traced: bool) -> None:
    firewall = Firewall(traced=traced)
    firewall.load(nft(*parts, Verdict("drop"), sets=(NamedSet("ports", ("inet_service",), (Element(22), Element(Range(80, 90)))),)))
    assert firewall.passes(packet, mark=5) is not matches


@pytest.mark.parametrize("traced", [False, True], ids=["fast", "traced"])
def test_a_verdict_map_gives_each_value_its_verdict(traced: bool) -> None:
    firewall = Firewall(traced=traced)
    verdicts = ((22, Verdict("accept")), (Range(50, 60), Verdict("jump", "other")))
    firewall.load(nft(VerdictMap("th dport", verdicts), policy="accept"))
    assert firewall.passes(SYN)
    assert not firewall.passes(DNS)
    assert firewall.passes("udp 192.168.1.10:1 > 192.168.1.20:99")


@pytest.mark.parametrize("traced", [False, True], ids=["fast", "traced"])
def test_parts_act_in_their_order(traced: bool) -> None:
    """A counter before a test counts what comes, one behind it what passed; a mark set is seen by what follows."""
    firewall = Firewall(traced=traced)
    marked = Assign("meta mark", 9), Compare("meta mark", (9,))
    firewall.load(nft(Counter(), Compare("tcp dport", (22,)), Counter(), *marked, Verdict("drop")))
    assert not firewall.passes(SYN)
    assert firewall.passes(DNS)
    assert [firewall.state.counters(1, which) for which in (0, 1)] == [(2, 88), (1, 40)]


@pytest.mark.parametrize("iptables", [True, False], ids=["xt_limit", "nft_limit"])
def test_a_limit_lets_its_burst_through_and_then_one_a_unit(iptables: bool) -> None:
    firewall = Firewall()
    firewall.load(nft(Limit(1, "second", 3, iptables=iptables), Verdict("drop")))
    moments = [0, 1, 2, 3, 900_000, 1_004_000, 1_005_000, 30_000_000, 30_000_001, 30_000_002, 30_000_003]
    dropped = [not firewall.passes(SYN, now=now) for now in moments]
    assert dropped == [True, True, True, False, False, True, False, True, True, True, False]
