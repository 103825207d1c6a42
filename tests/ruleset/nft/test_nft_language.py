"""nft's language without a kernel beside it: what a text makes of the rules, how it is listed, what a mistake says. Tables.

tests/kernel/test_nft_prints_the_same.py compares the rules of rules.txt with the real nft.
"""

from __future__ import annotations

import pytest

from sim.errors import LanguageError, MeaningMistake, SyntaxMistake, Unsupported
from sim.netfilter.words import Hook
from sim.ruleset.model import Assign, Compare, Counter, Prefix, Range, Reject, Ruleset, Verdict
from sim.ruleset.nft.parse import load, run
from sim.ruleset.nft.show import rule_text

INPUT = "table ip filter {{ chain input {{ type filter hook input priority 0; policy drop; {rule}\n}}\n}}\n"


def one(rule: str) -> tuple[object, ...]:
    return load(INPUT.format(rule=rule)).tables[0].chains[0].rules[0].parts


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("ct state established,related accept", (Compare("ct state", (6,), "&"), Verdict("accept"))),
        ("ct state != new drop", (Compare("ct state", (8,), "!="), Verdict("drop"))),
        ("tcp dport { 80, 22 } accept", (Compare("tcp dport", (22, 80), braces=True), Verdict("accept"))),
        ("tcp dport { 22 } accept", (Compare("tcp dport", (22,)), Verdict("accept"))),
        ("tcp dport 1000-2000", (Compare("tcp dport", (Range(1000, 2000),)),)),
        ("ip saddr 10.1.2.3/8", (Compare("ip saddr", (Prefix(bytes((10, 0, 0, 0)), 8),)),)),
        ("tcp flags & (fin|syn) == syn", (Compare("tcp flags", (2,), "==", 3),)),
        ("counter packets 5 bytes 300", (Counter(5, 300),)),
        ("reject with tcp reset", (Compare("meta l4proto", (6,)), Reject("tcp reset", "ip"))),
        ("meta mark set ct mark & 0xff", (Assign("meta mark", 0, 0xFF, "ct mark"),)),
        ("meta mark set mark or 0x10", (Assign("meta mark", 0x10, 0xFFFFFFEF),)),
    ],
)
def test_a_rule_becomes_these_parts(rule: str, parts: tuple[object, ...]) -> None:
    assert one(rule) == parts


def test_a_base_chain_stands_at_its_hook_with_its_priority_and_policy() -> None:
    chain = load("add table ip t; add chain ip t c { type filter hook forward priority mangle - 5; policy drop; }").tables[0].chains[0]
    assert (chain.hook, chain.priority, chain.policy, chain.handle) == (Hook.FORWARD, -155, "drop", 1)


def test_the_commands_of_a_text_are_one_transaction_so_a_failing_line_changes_nothing() -> None:
    before = load("add table ip t; add chain ip t c")
    after = run("add rule ip t c accept\nadd rule ip t nowhere accept\n", "rules.nft", before)
    assert after.reports and not after.ruleset.tables[0].chains[0].rules


@pytest.mark.parametrize(
    ("text", "kind", "place", "says"),
    [
        ("add table ip t\nadd chain ip t c { type filter hok input priority 0; }\n", SyntaxMistake, (2, 32, 3), "expecting hook"),
        ("add rule ip t c ct state establshed accept\n", MeaningMistake, (1, 26, 10), "Could not parse conntrack state"),
        ("add rule ip t c synproxy\n", Unsupported, (1, 17, 8), "not simulated"),
        ("add table bridge x\n", Unsupported, (1, 11, 6), "not simulated"),
        ("add secmark ip t f { }\n", Unsupported, (1, 5, 7), "not simulated"),
        ("add rule ip nope c accept\n", MeaningMistake, (1, 13, 4), "No such file or directory"),
        ('include "other.nft"\n', MeaningMistake, (1, 1, 20), "File not found"),
    ],
)
def test_a_mistake_is_told_at_its_place(text: str, kind: type[LanguageError], place: tuple[int, int, int], says: str) -> None:
    with pytest.raises(kind, match=says) as caught:
        load(text)
    assert caught.value.span is not None and caught.value.span[1:] == place


def test_an_included_file_is_read_where_it_is_included() -> None:
    files = {"ports.nft": "define web = { 80, 443 }\n"}
    found = load('include "ports.nft"\ntable ip t { chain c { tcp dport $web accept\n}\n}\n', read_file=files.__getitem__)
    assert found.tables[0].chains[0].rules[0].text == "tcp dport { 80, 443 } accept"


@pytest.mark.parametrize("depth", [1, 7])
def test_listing_what_was_listed_loads_the_same_rules(depth: int) -> None:
    text = INPUT.format(rule="tcp dport 22 ct state new counter log prefix \"x\" accept\n" * depth)
    first = run(text + "list ruleset\n", "rules.nft", Ruleset())
    second = run(first.out + "list ruleset\n", "rules.nft", Ruleset())
    assert first.out == second.out and first.out.count("tcp dport 22 ct state new") == depth


def test_counters_are_listed_with_the_numbers_given_and_without_when_none_are() -> None:
    rule = load(INPUT.format(rule="counter accept")).tables[0].chains[0].rules[0]
    assert rule_text(rule) == "counter accept"
    assert rule_text(rule, "ip", numbers=lambda which: (3, 180)) == "counter packets 3 bytes 180 accept"


@pytest.mark.parametrize(
    ("typed", "listed"),
    [
        ("queue", "queue to 0"),
        ("queue num 2-3", "queue to 2-3"),
        ("queue num 4 bypass", "queue flags bypass to 4"),
        ("queue num 4-5 fanout,bypass", "queue flags bypass,fanout to 4-5"),
        ("queue flags bypass to 3", "queue flags bypass to 3"),
        ("queue to 65535", "queue to 65535"),
    ],
)
def test_a_queue_is_listed_in_one_form_whichever_way_it_was_typed(typed: str, listed: str) -> None:
    assert load(INPUT.format(rule=f"tcp dport 22 {typed}")).tables[0].chains[0].rules[0].text == f"tcp dport 22 {listed}"


@pytest.mark.parametrize("asked", ["transparent 40", "wildcard 2"])
def test_what_is_asked_of_a_socket_is_one_bit(asked: str) -> None:
    with pytest.raises(LanguageError, match="exceeds valid range 0-1"):
        load(INPUT.format(rule=f"socket {asked}"))


def test_a_queue_has_a_number_of_16_bits_and_ends_its_rule() -> None:
    for rule, says in (("queue num 65536", "exceeds valid range 0-65535"), ("queue counter", "Statement after terminal statement")):
        with pytest.raises(LanguageError, match=says):
            load(INPUT.format(rule=rule))
