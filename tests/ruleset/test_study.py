"""The editor's reading of rules: every mistake at its place, a counterpart that decides the same, and what has none is told."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sim.netfilter.words import Hook
from sim.ruleset.iptables import tool
from sim.ruleset.nft import parse
from sim.ruleset.study import Studied, study
from tests.ruleset.firewall import Firewall
from tests.ruleset.random_rules import ruleset

FIELD = Path(__file__).parent.parent / "rulesets"
TYPED = """\
table inet fw {
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		ct state vmap { established : accept, related : accept, invalid : drop }
		ip saddr { 192.168.1.0/24, 10.0.0.1-10.0.0.9 } tcp dport { 22, 8000-8080 } ct state new counter accept
		tcp dport > 1023 tcp flags & (fin | syn) == syn log prefix "high " reject with icmpx admin-prohibited
		ip6 saddr fe80::/10 accept
		udp dport 53 jump dns
	}
	chain dns {
		ip saddr 192.168.1.10 accept
		ip daddr != 192.168.1.20 return
		drop
	}
}
"""
TRAFFIC = [
    f"{protocol} {source}:{sport} > 192.168.1.20:{dport}{flags}"
    for protocol, source in (("tcp", "192.168.1.10"), ("tcp", "10.0.0.5"), ("tcp", "10.0.0.10"), ("udp", "192.168.1.10"))
    for sport, dport in ((1000, 22), (5000, 53), (400, 80), (22, 8080), (5000, 1023), (5000, 1024))
    for flags in ([" S", " SF", " ."] if protocol == "tcp" else [""])
]  # fmt: skip


def iptables(text: str) -> Studied:
    return study({"iptables": text}, "iptables")


def verdicts(*texts: tuple[str, str]) -> list[tuple[bool, int, int]]:
    """For each packet: whether it passes, how many answers were sent, how many lines logged."""
    firewall = Firewall()
    for language, text in texts:
        if language == "nft":
            firewall.load(parse.load(text, ruleset=firewall.state.ruleset))
        else:
            assert tool.run(["iptables-restore"], firewall.state, text).status == 0
    found = []
    for line in TRAFFIC:
        for label in ("NEW", "ESTABLISHED", "INVALID"):
            firewall.sent.clear()
            firewall.logged.clear()
            found.append((firewall.passes(line, label, Hook.INPUT), len(firewall.sent), len(firewall.logged)))
    return found


def test_every_mistake_is_told_at_its_word_with_what_may_have_been_meant() -> None:
    found = iptables(
        "*filter\n-A INPUT -p tcp --dprt 22 -j ACCEPT\n-A INPUT -m conntrack --ctstate NEW,RELATD -j ACCPT\n-A INPUT -j ACCPT\nCOMMIT\n"
    ).mistakes
    assert [(each.line, each.column, each.hint) for each in found] == [
        (2, 17, "did you mean '--dport'?"), (3, 33, "did you mean 'RELATED'?"), (4, 13, "did you mean 'ACCEPT'?"),
    ]  # fmt: skip
    nft = study({"nft": "table ip f {\n chain c {\n  tcp dprt 22 accept\n  ct state establshed accept\n }\n}\n"}, "nft").mistakes
    assert [(each.line, each.column, each.hint) for each in nft] == [
        (3, 7, "did you mean 'dport'?"), (4, 12, "did you mean 'established'?"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["-A INPUT -j ACCEPT\n", "*filter\n", "*nope\n-A X\n", "*filter\nCOMMIT\nCOMMIT\n", "*filter\n" * 60])
def test_text_that_is_no_ruleset_at_all_ends_in_mistakes_and_never_in_a_loop(text: str) -> None:
    assert 1 <= len(iptables(text).mistakes) <= 20
    assert study({"nft": text}, "nft").mistakes


def test_rules_around_a_mistake_are_explained_all_the_same() -> None:
    texts = {"iptables": "*filter\n-A INPUT -j NOWHERE\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"}
    assert [(rule.line, rule.sentence) for rule in study(texts, "iptables").rules] == [(3, "Accept packets to TCP port 22.")]
    nft = TYPED.replace("udp dport 53", "udp dprt 53")
    assert (8, "Accept packets from fe80::/10.") in [(rule.line, rule.sentence) for rule in study({"nft": nft}, "nft").rules]


def test_nft_rules_decide_the_same_as_iptables_sets_and_maps_and_logs_taken_apart() -> None:
    found = study({"nft": TYPED}, "nft")
    assert found.others is not None and found.missing == ()
    assert verdicts(("iptables", found.others["iptables"])) == verdicts(("nft", TYPED))
    assert "fe80::/10" in found.others["ip6tables"] and "fe80" not in found.others["iptables"]


def test_a_rule_knows_the_lines_that_say_it_in_the_other_language() -> None:
    found = study({"nft": TYPED}, "nft")
    assert found.others is not None
    rule = next(each for each in found.rules if each.line == 6)
    lines = [found.others[doc].splitlines()[line - 1] for doc, line in rule.twins]
    assert len(lines) == 2 and all("--dports 22,8000:8080" in line for line in lines)


@pytest.mark.parametrize("seed", [0, 7, 19, 23, 31, 50, 55])
def test_iptables_rules_decide_the_same_in_nft_unless_something_is_said_to_be_missing(seed: int) -> None:
    text = ruleset(random.Random(seed), "ip")
    found = iptables(text)
    assert found.mistakes == () and found.others is not None
    told = {each.line for _, each in found.missing}
    kept = "".join(line + "\n" for number, line in enumerate(text.splitlines(), 1) if number not in told)
    assert verdicts(("nft", found.others["nft"])) == verdicts(("iptables", kept))


@pytest.mark.parametrize("path", sorted([*FIELD.glob("*.nft"), *FIELD.glob("*.iptables")]), ids=lambda path: path.name)
def test_rulesets_from_the_field_have_a_counterpart_that_its_tool_takes_and_nothing_is_lost_in_silence(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    source = "nft" if path.suffix == ".nft" else "iptables"
    found = study({source: text}, source)
    if found.others is None:
        assert all("IP set" in each.message or "set" in each.message.lower() for each in found.mistakes), found.mistakes
        return
    other = "iptables" if source == "nft" else "nft"
    back = study(found.others, other)
    assert back.mistakes == ()
    told = {each.line for _, each in found.missing}
    assert all(rule.twins or rule.line in told or rule.line == 0 for rule in found.rules)
