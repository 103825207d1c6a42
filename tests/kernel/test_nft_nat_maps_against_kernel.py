"""nft's snat, dnat, masquerade and redirect to what a map or a field says, by network (`prefix`) and by interval: print and packets."""

from __future__ import annotations

import pytest

from sim.edges.kernel import KernelFirewall
from sim.errors import CtlabError
from sim.ruleset.nft import tool as nft
from tests.kernel.nat_traffic import Traffic
from tests.kernel.translating import DEVICES, Ours, differences

MAPS = """ map pm { type inet_service : inet_service; elements = { 80 : 8080, 53 : 5353 }; }
 map am { type ipv4_addr : ipv4_addr . inet_service
  elements = { 192.168.1.10 : 192.168.1.11 . 80, 192.168.1.11 : 203.0.113.10 . 22 }; }
 map im { type ipv4_addr : interval ipv4_addr; flags interval
  elements = { 192.168.1.0/28 : 203.0.113.0/28, 203.0.113.9 : 192.168.1.10-192.168.1.12 }; }
 map iap { type ipv4_addr : interval ipv4_addr . inet_service; flags interval
  elements = { 192.168.1.0/24 : 203.0.113.8/31 . 80-90 }; }
"""
PLACES = {
    "prerouting -100": """
        dnat ip to tcp dport map { 80 : 192.168.1.10, 22 : 192.168.1.11 }
        dnat ip to tcp dport map { 80 : 192.168.1.10 . 8080, 22-60 : 192.168.1.11 . 22 }
        dnat ip addr . port to ip saddr . udp dport map { 192.168.1.10 . 53 : 203.0.113.10 . 5353, 203.0.113.9 . 80 : 192.168.1.10 . 80 }
        dnat ip to ip saddr . udp dport map { 192.168.1.0/24 . 1-600 : 203.0.113.10 . 5353-5360 }
        meta l4proto tcp dnat ip to ip saddr map @am
        dnat ip interval to ip saddr map @im
        dnat ip prefix to ip saddr map @im
        meta l4proto { tcp, udp } dnat ip to ip saddr map @iap
        meta l4proto udp dnat ip to ip daddr map { 203.0.113.0/24 : 192.168.1.10, * : 203.0.113.9 }
        dnat ip prefix to 192.168.1.8/29
        dnat ip prefix to ip daddr map { 203.0.113.0/24 : 192.168.1.8/29, 192.168.0.0/16 : 203.0.113.8/30 }
        tcp dport { 22, 53, 80 } redirect to :tcp dport map @pm
        meta l4proto { tcp, udp } redirect to :th dport map { 53 : 5353, 80 : 1000 }
        tcp dport 1-1000 dnat ip to 192.168.1.10:tcp dport map { 22 : 2222, 80 : 8080 } random
        meta l4proto udp dnat ip to ip saddr map { 192.168.1.10 : 203.0.113.9 }:udp dport map { 53 : 5353 }
        dnat ip to ip saddr
        dnat ip6 to udp dport map { 53 : fd00:1::10 . 53, 80 : fd00:1::11 . 8080 }
        dnat ip6 prefix to fd00:9::/64
        dnat ip to iifname map { "wan" : 192.168.1.10, "lan" : 203.0.113.9 } persistent
        dnat ip to ip saddr map { 192.168.1.0/24 : 203.0.113.9-203.0.113.11 } persistent
    """,
    "output -100": """
        dnat ip to udp dport map { 53 : 192.168.1.10 . 5353, 80 : 203.0.113.10 . 53 }
        dnat ip prefix to 192.168.1.8/29
    """,
    "postrouting 100": """
        snat ip to tcp dport map { 22 : 203.0.113.77, 80 : 203.0.113.50 }
        snat ip to ip saddr . tcp dport map { 192.168.1.10 . 80 : 203.0.113.50 . 7000-7009 }
        snat ip prefix to ip saddr map { 192.168.1.0/24 : 203.0.113.0/24 }
        meta l4proto udp masquerade to :udp dport map { 53 : 7000, 80 : 7001 }
        meta l4proto udp snat ip to ip saddr map { 192.168.1.0/24 : 203.0.113.77 }:7000-7100 fully-random
        snat ip6 prefix to fd00:5::/64
        snat ip to ip daddr
    """,
    "input 100": "snat ip to udp dport map { 53 : 203.0.113.50, 80 : 203.0.113.77 }",
}
RULES = [(place, rule.strip()) for place, rules in PLACES.items() for rule in rules.strip().splitlines()]


def table(place: str, rule: str, family: str = "inet") -> str:
    hook, priority = place.split()
    return f"table {family} t {{\n{MAPS} chain c {{ type nat hook {hook} priority {priority}; policy accept;\n  {rule}\n }}\n}}\n"


@pytest.mark.parametrize(("place", "rule"), RULES, ids=[rule for _, rule in RULES])
def test_packets_go_where_the_kernel_sends_them_and_the_rule_is_listed_as_the_real_tool_lists_it(place: str, rule: str) -> None:
    rules = {"nft": table(place, rule)}
    traffic, left = Traffic(rule), list[tuple[str, bytes]]()
    with KernelFirewall(DEVICES, nft=rules["nft"]) as firewall:
        mine = Ours(rules, DEVICES, len(rule) % 2 == 1, {})
        for number in range(60):
            fed = traffic.next(left)
            answer = firewall.feed_batch([fed])[0]
            left += answer.out
            assert (number, differences(fed, answer, mine.feed(fed, answer))) == (number, [])
        assert nft.run(["nft", "list", "ruleset"], mine.wall.ip.rules, "").out == firewall.counters("nft")


LISTED = """
    dnat to tcp dport map { 80 : 1.1.1.1 . 8080, 443 : 1.1.1.2 . 8443 }
    dnat to ip saddr map { 9.1.1.1 : 2.2.2.2, 1.1.1.1 : 3.3.3.3 }
    dnat to ip saddr map { 10.0.0.0/8 : 1.1.1.1-1.1.1.5 }
    dnat ip to ip saddr map @im
    dnat prefix to 192.168.0.0/16
    dnat interval to 192.168.0.1-192.168.0.9
    dnat prefix to ip saddr map { 10.141.11.0/24 : 192.168.2.0/24 }
    dnat to meta mark map { 1 : 1.1.1.1 }
    tcp dport 80 dnat to ip saddr map { 1.2.3.4 : 10.0.0.1 } : 8080
    tcp dport 80 dnat to 10.0.0.1 : tcp dport map { 80 : 8080 }
    dnat to ct mark map { 0x10 : 1.1.1.1, * : 1.1.1.2 }
"""
REFUSED = """
    dnat to :tcp dport map { 80 : 8080 }
    redirect to :tcp dport map @pm
    dnat to tcp dport map @pm
    dnat to tcp dport map { 80 : 1.1.1.1 . 8080, 443 : 1.1.1.2 }
    dnat ip6 to tcp dport map { 80 : fe80::1 }
    dnat to ip saddr map { 1.1.1.1 : 2.2.2.2, 1.1.1.1 : 3.3.3.3 }
    dnat to ip saddr map { 1.1.1.0/24 : 2.2.2.2, 1.1.1.1 : 2.2.2.3 }
    dnat to ip saddr map { 10.0.0.0/8 : 1.1.1.1-1.1.1.5, 11.0.0.1 : 2.2.2.2 }
    meta l4proto tcp dnat to ip saddr map @nowhere
    dnat ip addr . port to 1.1.1.1 . 80
    dnat to 1.1.1.1 . 80
    dnat to tcp dport map { 80 : accept }
"""


@pytest.mark.parametrize("rule", [rule.strip() for rule in LISTED.strip().splitlines()])
def test_forms_in_an_ip_table_are_listed_as_the_real_tool_lists_them(rule: str) -> None:
    text = table("prerouting -100", rule, "ip")
    with KernelFirewall(DEVICES, nft=text) as firewall:
        mine = Ours({"nft": text}, DEVICES, False, {})
        assert nft.run(["nft", "list", "ruleset"], mine.wall.ip.rules, "").out == firewall.counters("nft")


@pytest.mark.parametrize("rule", [rule.strip() for rule in REFUSED.strip().splitlines()])
def test_what_the_real_tool_refuses_is_refused_in_its_first_words(rule: str) -> None:
    text = table("prerouting -100", rule, "ip")
    with pytest.raises(CtlabError) as theirs:
        KernelFirewall(DEVICES, nft=text).close()
    mine = Ours({}, DEVICES, False, {})
    result = nft.run(["nft", "-f", "-"], mine.wall.ip.rules, text)
    said = next(line for line in str(theirs.value).splitlines() if "Error:" in line).partition("Error: ")[2]
    assert result.status != 0
    assert said.partition("; did you mean")[0] in result.err


LEARNING = """table ip t {
 map m { type ipv4_addr : ipv4_addr; flags dynamic,timeout; timeout 60s; elements = { 192.168.1.10 timeout 50s : 203.0.113.9 }; }
 chain a { type filter hook prerouting priority mangle; udp dport 53 update @m { ip saddr : ip daddr }
 }
 chain c { type nat hook prerouting priority dstnat; dnat to ip saddr map @m
 }
}
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_map_that_rules_fill_is_asked_as_it_stands(seed: int) -> None:
    traffic, left = Traffic(seed), list[tuple[str, bytes]]()
    with KernelFirewall(DEVICES, nft=LEARNING) as firewall:
        mine = Ours({"nft": LEARNING}, DEVICES, seed % 2 == 1, {})
        for number in range(100):
            fed = traffic.next(left)
            answer = firewall.feed_batch([fed])[0]
            left += answer.out
            assert (number, differences(fed, answer, mine.feed(fed, answer))) == (number, [])
