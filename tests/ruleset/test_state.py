"""RuleState: what stays when rules change, what a failed load leaves, and what stands in the hooks."""

from __future__ import annotations

import pytest

from sim.errors import MeaningMistake
from sim.netfilter.words import Hook
from sim.ruleset.model import Chain, Compare, Counter, Rule, Ruleset, SetReference, Table, Verdict
from sim.trace import RulesLoaded
from tests.ruleset.firewall import Firewall

PACKET = "udp 192.168.1.10:5000 > 192.168.1.20:53 len 20"


def base(name: str, priority: int = 0, policy: str = "accept", rules: tuple[Rule, ...] = ()) -> Chain:
    return Chain(name, rules, hook=Hook.INPUT, priority=priority, policy=policy)


def ids(firewall: Firewall) -> list[int]:
    return [rule.id for _, _, _, rule in firewall.state.ruleset.rules()]


def test_rules_keep_id_and_counters_while_they_stay() -> None:
    firewall = Firewall("-A INPUT -p udp", "-A INPUT -p tcp")
    firewall.passes(PACKET)
    firewall.do("-I INPUT -p icmp")
    assert ids(firewall) == [3, 1, 2]
    assert [firewall.state.counters(id) for id in ids(firewall)] == [(0, 0), (1, 48), (0, 0)]


def test_a_replaced_rule_is_a_new_rule() -> None:
    firewall = Firewall("-A INPUT -p udp")
    firewall.passes(PACKET)
    firewall.do("-R INPUT 1 -p udp")
    assert (ids(firewall), firewall.state.counters(1), firewall.state.counters(2)) == ([2], (0, 0), (0, 0))


def test_counters_start_where_the_command_says() -> None:
    firewall = Firewall("-A INPUT -c 5 600 -p udp")
    assert firewall.state.counters(1) == (5, 600)
    firewall.passes(PACKET)
    assert firewall.state.counters(1) == (6, 648)


@pytest.mark.parametrize("wrong", [Verdict("jump", "nowhere"), Compare("tcp dport", SetReference("nothing"))])
def test_a_load_that_fails_changes_nothing(wrong: Verdict | Compare) -> None:
    firewall = Firewall("-A INPUT -p udp -j DROP", traced=True)
    before = firewall.state.ruleset
    firewall.heard.clear()
    table = Table("nft", "ip", "t", (base("c", rules=(Rule((wrong,)),)),))
    with pytest.raises(MeaningMistake, match=r"nowhere|nothing"):
        firewall.load(before.with_table(table))
    assert firewall.state.ruleset is before
    assert not firewall.heard
    assert not firewall.passes(PACKET)


def test_a_chain_keeps_its_place_among_equals_through_reloads() -> None:
    firewall = Firewall()
    firewall.load(Ruleset((Table("nft", "ip", "t", (base("c"),)),)))
    firewall.do("-A INPUT -p udp")
    firewall.load(firewall.state.ruleset.with_table(Table("nft", "ip", "t", (base("c", policy="drop"),))))
    assert [name for _, name in firewall.hooks.names(Hook.INPUT)] == ["iptables ip filter INPUT", "nft ip t c"]


def test_a_chain_whose_priority_changes_moves() -> None:
    firewall = Firewall("-A INPUT -p udp")
    for priority, place in ((-10, 0), (10, 1)):
        firewall.load(firewall.state.ruleset.with_table(Table("nft", "ip", "t", (base("c", priority),))))
        assert [name for _, name in firewall.hooks.names(Hook.INPUT)][place] == "nft ip t c"


def test_an_iptables_table_comes_into_being_at_first_use_with_all_its_chains() -> None:
    firewall = Firewall()
    assert firewall.hooks.names(Hook.PREROUTING) == []
    firewall.do("-t raw -L")
    assert firewall.hooks.names(Hook.PREROUTING) == [(-300, "iptables ip raw PREROUTING")]
    assert firewall.hooks.names(Hook.OUTPUT) == [(-300, "iptables ip raw OUTPUT")]
    assert firewall.hooks.names(Hook.INPUT) == []


def test_accept_ends_one_base_chain_and_the_next_is_asked_too() -> None:
    firewall = Firewall("-A INPUT -p udp -j ACCEPT", "-t security -A INPUT -p udp -j DROP")
    assert not firewall.passes(PACKET)


def test_conntrack_is_needed_for_the_families_whose_rules_ask_it() -> None:
    firewall = Firewall("-A INPUT -p udp")
    assert firewall.state.needs_conntrack == frozenset()
    firewall.do("-A INPUT -m conntrack --ctstate NEW")
    assert firewall.state.needs_conntrack == {"ip"}
    firewall.do("ip6tables -t raw -A PREROUTING -j CT --notrack")
    assert firewall.state.needs_conntrack == {"ip", "ip6"}
    firewall.do("-F")
    assert firewall.state.needs_conntrack == {"ip6"}


def test_who_listens_hears_of_each_load_with_the_rules_in_both_languages() -> None:
    firewall = Firewall(traced=True)
    firewall.do("-A INPUT -p tcp --dport 22 -j ACCEPT")
    loaded = firewall.heard[-1]
    assert isinstance(loaded, RulesLoaded)
    assert loaded.by == "iptables -A INPUT -p tcp --dport 22 -j ACCEPT"
    chain = loaded.tables[0]["chains"][0]
    assert (chain["name"], chain["hook"], chain["priority"], chain["policy"]) == ("INPUT", "INPUT", 0, "ACCEPT")
    rule = chain["rules"][0]
    assert (rule["id"], rule["number"], rule["text"]) == (1, 1, "-p tcp -m tcp --dport 22 -j ACCEPT")
    assert rule["other"] == "tcp dport 22 counter accept"


def test_a_machines_callbacks_hear_of_each_load() -> None:
    firewall, told = Firewall(), list[int]()
    firewall.state.on_load.append(lambda: told.append(len(ids(firewall))))
    firewall.do("-A INPUT -p udp")
    firewall.do("-A INPUT -p tcp")
    assert told == [1, 2]


def test_setting_counters_reaches_every_counter_of_a_rule() -> None:
    firewall = Firewall()
    firewall.load(Ruleset((Table("nft", "ip", "t", (base("c", rules=(Rule((Counter(1, 2), Counter(3, 4))),)),)),)))
    firewall.state.set_counters(1)
    assert [firewall.state.counters(1, which) for which in (0, 1, 2)] == [(0, 0), (0, 0), (0, 0)]
