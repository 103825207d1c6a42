"""Translating rules in the other language and in a sentence. The nft texts are iptables-translate's own (1.8.9)."""

from __future__ import annotations

import shlex

import pytest

from sim.netfilter.hooks import Hooks
from sim.ruleset import explain, translate
from sim.ruleset.iptables import tool
from sim.ruleset.model import Rule, Table
from sim.ruleset.nft import tool as nft
from sim.ruleset.state import RuleState


class NoEffects:
    """Rules are only worded here."""

    def address_type(self, address: bytes, dev: str) -> int:
        return 1


def only_rule(state: RuleState) -> tuple[Table, Rule]:
    ((table, _, _, rule),) = state.ruleset.rules()
    return table, rule


def iptables(words: str) -> tuple[Table, Rule]:
    state = RuleState(Hooks(), NoEffects())  # type: ignore[arg-type]
    assert tool.run(["iptables", "-t", "nat", *shlex.split(words)], state) == tool.Result()
    return only_rule(state)


def nft_rule(hook: str, words: str) -> tuple[Table, Rule]:
    state = RuleState(Hooks(), NoEffects())  # type: ignore[arg-type]
    text = f"table inet n {{\n chain c {{ type nat hook {hook} priority 0;\n {words}\n }}\n}}\n"
    result = nft.run(["nft", "-f", "-"], state, text)
    assert result.err == ""
    return only_rule(state)


@pytest.mark.parametrize(("words", "other"), [
    ("-A POSTROUTING -o eth0 -j MASQUERADE", 'oifname "eth0" counter masquerade'),
    ("-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1000-2000 --random", "ip protocol tcp counter masquerade to :1000-2000 random"),
    ("-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1000 --random --random-fully",
     "ip protocol tcp counter masquerade to :1000 random,fully-random"),
    ("-A POSTROUTING -j SNAT --to-source 1.2.3.4", "counter snat to 1.2.3.4"),
    ("-A POSTROUTING -p tcp -j SNAT --to-source 1.2.3.4-1.2.3.9:1000-2000 --random --persistent",
     "ip protocol tcp counter snat to 1.2.3.4-1.2.3.9:1000-2000 random,persistent"),
    ("-A POSTROUTING -p tcp -j SNAT --to-source :1000", "ip protocol tcp counter snat to :1000"),
    ("-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080", "tcp dport 80 counter dnat to 10.0.0.1:8080"),
    ("-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:80-90/8080", None),
    ("-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080", "tcp dport 80 counter redirect to :8080"),
    ("-A PREROUTING -j NETMAP --to 10.0.0.0/24", None),
])  # fmt: skip
def test_a_rule_of_iptables_is_worded_as_iptables_translate_words_it(words: str, other: str | None) -> None:
    assert translate.other_text(*iptables(words)) == other


@pytest.mark.parametrize(("hook", "words", "other"), [
    ("postrouting", 'oifname "wan" masquerade random', "-o wan -j MASQUERADE --random"),
    ("postrouting", "masquerade persistent", None),
    ("postrouting", "snat ip to 1.2.3.4-1.2.3.9 persistent", "-j SNAT --to-source 1.2.3.4-1.2.3.9 --persistent"),
    ("postrouting", "tcp dport 80 snat ip6 to [fd00::1]:80", "-p tcp -m tcp --dport 80 -j SNAT --to-source [fd00::1]:80"),
    ("postrouting", "meta l4proto { tcp, udp } masquerade to :5", None),
    ("prerouting", "tcp dport 80 dnat ip to 10.0.0.1:8080", "-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080"),
    ("prerouting", "dnat ip to 10.0.0.1 fully-random", None),
    ("prerouting", "udp dport 53 redirect to :5353", "-p udp -m udp --dport 53 -j REDIRECT --to-ports 5353"),
])  # fmt: skip
def test_a_rule_of_nft_is_worded_in_iptables_options_where_there_are_any(hook: str, words: str, other: str | None) -> None:
    table, rule = nft_rule(hook, words)
    assert translate.other_text(table, rule) == other


@pytest.mark.parametrize(("words", "sentence"), [
    ("-A POSTROUTING -o eth0 -j MASQUERADE", "Give packets that leave by eth0 the address of the device they leave by as their source."),
    ("-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080", "Send packets to TCP port 80 to 10.0.0.1, port 8080."),
    ("-A PREROUTING -p udp --dport 53 -j REDIRECT", "Send packets to UDP port 53 to this machine itself."),
    ("-A POSTROUTING -j SNAT --to-source 1.2.3.4-1.2.3.9", "Let every packet come from one of 1.2.3.4 to 1.2.3.9."),
])  # fmt: skip
def test_a_translation_has_a_plain_sentence(words: str, sentence: str) -> None:
    _, rule = iptables(words)
    assert explain.sentence(rule) == sentence
