"""A rule as a plain sentence, and in the other language."""

from __future__ import annotations

import pytest

from sim.ruleset.explain import sentence
from sim.ruleset.model import Chain, Compare, Counter, Limit, Log, Prefix, Range, Reject, Rule, Table, Verdict
from sim.ruleset.nft.handing import handed
from sim.ruleset.nft.parse import load
from sim.ruleset.translate import other_text
from sim.units import parse_address as A
from tests.ruleset.firewall import Firewall

SAID = [
    ("-i lan -g web", "Send packets that came in on lan to chain web, without coming back here.", 'iifname "lan" counter goto web'),
    ("-m limit --limit 1/hour -m mark ! --mark 1 -j DROP", "Drop packets at no more than 1 packet an hour with any mark but 0x1.",
     "limit rate 1/hour meta mark != 0x00000001 counter drop"),
    ("-p tcp --tcp-flags SYN,ACK NONE -j DROP", "Drop packets with none of the TCP flags SYN ACK.",
     "tcp flags 0x0 / syn,ack counter drop"),
    ("-i lo -j ACCEPT", "Accept packets that came in on lo.", 'iifname "lo" counter accept'),
    ("-p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT", "Accept packets to TCP port 22 with label NEW.",
     "tcp dport 22 ct state new counter accept"),
    ("-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "Accept packets with label ESTABLISHED or RELATED.",
     "ct state established,related counter accept"),
    ("! -s 10.0.0.0/8 -p udp -j DROP", "Drop packets not from 10.0.0.0/8 of protocol UDP.",
     "ip saddr != 10.0.0.0/8 ip protocol udp counter drop"),
    ("-p tcp -m multiport --dports 22,80,8000:8080 -j ACCEPT", "Accept packets to TCP port 22, 80 or 8000–8080.",
     "ip protocol tcp tcp dport { 22, 80, 8000-8080 } counter accept"),
    ("-p tcp --syn -j DROP", "Drop packets with TCP flags SYN out of FIN SYN RST ACK.", "tcp flags syn / fin,syn,rst,ack counter drop"),
    ("-m limit --limit 5/min -j LOG", "Log packets at no more than 5 packets a minute.", "limit rate 5/minute counter log"),
    ("-p tcp -j REJECT --reject-with tcp-reset", "Reject packets of protocol TCP with a TCP reset.",
     "ip protocol tcp counter reject with tcp reset"),
    ("-j REJECT", "Reject every packet with an ICMP port-unreachable error.", "counter reject"),
    ("-p icmp --icmp-type echo-request -j RETURN", "Let packets of ICMP type echo-request leave this chain.",
     "icmp type echo-request counter return"),
    ("-j web", "Send every packet through chain web.", "counter jump web"),
    ("-m connmark --mark 1 -j ACCEPT", "Accept packets of connections with mark 0x1.", "ct mark 0x00000001 counter accept"),
    ("-m dscp --dscp-class EF -j ACCEPT", "Accept packets with DSCP ef.", "ip dscp ef counter accept"),
    ("-m recent --update --seconds 60 --hitcount 4 --name SSH -j DROP",
     "Drop packets whose source was seen 4 times in the last 60 seconds (list SSH).", None),
    ("-p tcp -m connlimit --connlimit-above 3 -j DROP", "Drop packets of protocol TCP whose source has more than 3 connections.", None),
    ("-m statistic --mode nth --every 3 --packet 0 -j DROP", "Drop packets one of every 3.", None),
    ("-m string --string evil --algo bm -j DROP", "Drop packets that hold the text 'evil'.", None),
    ("-m hashlimit --hashlimit-name a --hashlimit-above 5/sec --hashlimit-mode srcip -j DROP",
     "Drop packets beyond 5 packets a second for each source.", None),
    ("-m mark --mark 1", "Count packets with mark 0x1.", "meta mark 0x00000001 counter"),
    ("-p tcp --dport 22 -j NFQUEUE --queue-balance 3:5 --queue-bypass",
     "Hand packets to TCP port 22 to queues 3 to 5, where no program listens, then accept them.",
     "tcp dport 22 counter queue num 3-5 bypass"),
    ("-m conntrack --ctexpire 5:7 -j DROP", "Drop packets of connections with 5–7 s left.", None),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "said", "other"), SAID)
def test_an_iptables_rule_in_a_sentence_and_in_nfts_words(rule: str, said: str, other: str | None) -> None:
    firewall = Firewall("-N web", f"-A INPUT {rule}")
    ((table, _, _, made),) = firewall.state.ruleset.rules()
    assert (sentence(made), other_text(table, made)) == (said, other)


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        (Rule((Compare("tcp dport", (22,)), Compare("ct state", (8,), "&"), Counter(), Verdict("accept"))),
         "-p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT"),
        (Rule((Compare("tcp dport", (22, 80, Range(8000, 8080)), braces=True), Verdict("drop"))),
         "-p tcp -m multiport --dports 22,80,8000:8080 -j DROP"),
        (Rule((Compare("ip saddr", (Prefix(A("10.0.0.0"), 8),), "!="), Compare("meta iifname", ("lo",)), Reject("host-prohibited"))),
         "! -s 10.0.0.0/8 -i lo -j REJECT --reject-with icmp-host-prohibited"),
        (Rule((Limit(5, "minute", 5), Log("a b", level=6)), comment="why not"),
         '-m limit --limit 5/min -m comment --comment "why not" -j LOG --log-prefix "a b" --log-level 6'),
        (Rule((Compare("icmp type", (8,)), Verdict("jump", "c"))), "-p icmp -m icmp --icmp-type 8 -j c"),
        (Rule((Compare("tcp dport", (1024,), ">"), Verdict("drop"))), None),
        (Rule((Compare("ip saddr . tcp dport", ((A("10.0.0.1"), 22),)), Verdict("drop"))), None),
        (Rule((Compare("tcp dport", (22,)), *handed(3, 5, True))),
         "-p tcp -m tcp --dport 22 -j NFQUEUE --queue-balance 3:5 --queue-bypass"),
        (Rule((Compare("ct label", (32,), "&"), Verdict("accept"))), "-m connlabel --label 5 -j ACCEPT"),
        (Rule((Verdict("accept"), Counter())), None),
    ],
)  # fmt: skip
def test_an_nft_rule_as_iptables_options_or_none_where_there_are_none(rule: Rule, options: str | None) -> None:
    table = Table("nft", "ip", "filter", (Chain("c"),))
    assert other_text(table, rule) == options
    if options is not None:
        assert Firewall("-N c").try_(f"-A INPUT {options}".replace('"why not"', "w").replace('"a b"', "p")).status == 0


def test_a_change_of_a_header_is_said_and_translated() -> None:
    firewall = Firewall("iptables -t mangle -A FORWARD -j DSCP --set-dscp-class EF")
    ((table, _, _, made),) = firewall.state.ruleset.rules()
    assert (sentence(made), other_text(table, made)) == ("Set the DSCP of every packet to ef.", "counter ip dscp set ef")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("meta mark set numgen inc mod 4", "Set the packet mark of every packet to the next number from 0 to 3 in turn."),
        ("ct mark set jhash ip saddr mod 8 seed 1",
         "Set the connection mark of every packet to a number from 0 to 7 made of its ip saddr."),
        ("meta mark set ct mark", "Set the packet mark of every packet to its connection mark."),
        ("ct mark set mark or 0x100", "Set the connection mark of every packet to its packet mark with the bits 0x100 set."),
        ("meta mark set mark & 0xff", "Set the packet mark of every packet to 0x0 in the bits 0xffffff00, the others as they are."),
    ],
)
def test_a_sentence_says_what_a_mark_is_set_from(rule: str, said: str) -> None:
    (table,) = load(f"table ip t {{\n chain c {{\n {rule}\n }}\n}}\n", "rules.nft").tables
    assert sentence(table.chains[0].rules[0]) == said
