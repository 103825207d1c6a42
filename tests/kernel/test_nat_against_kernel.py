"""NAT beside this machine's own: conversations through every target, clashes, errors both ways, hairpin, and traffic by seed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sim.conntrack import show
from sim.craft import craft
from sim.edges.kernel import KernelFirewall
from sim.ruleset.iptables import tool as iptables
from sim.ruleset.nft import tool as nft
from sim.shell.conntrack_filter import tests as filters
from sim.shell.conntrack_options import parse
from tests.kernel.nat_rules import Rules
from tests.kernel.nat_traffic import Traffic
from tests.kernel.translating import DEVICES, Ours, compare, differences, same_tables

Open = Callable[..., KernelFirewall]
WITH_LO = {"lo": ["127.0.0.1/8", "::1/128"], **DEVICES}
MASQUERADE = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"


def packets(text: str) -> list[tuple[str | None, bytes]]:
    """Lines of "lan: tcp 10.0.0.1:1 > ..." (own: the firewall's own) as what is fed."""
    lines = [line.strip().split(": ", 1) for line in text.strip().splitlines()]
    return [(None if dev == "own" else dev, craft(words)) for dev, words in lines]


def nat(*rules: str) -> str:
    """A nat table for iptables-restore."""
    return "\n".join(["*nat", *rules, "COMMIT"]) + "\n"


OUTWARD = """
    lan: tcp 192.168.1.10:1000 > 203.0.113.9:80 S seq 1
    wan: tcp 203.0.113.9:80 > 203.0.113.2:1000 S. seq 100 ack 2
    lan: tcp 192.168.1.10:1000 > 203.0.113.9:80 . seq 2 ack 101
    lan: tcp 192.168.1.10:1000 > 203.0.113.9:80 P. seq 2 ack 101 data "hello"
    wan: tcp 203.0.113.9:80 > 203.0.113.2:1000 F. seq 101 ack 7
    lan: tcp 192.168.1.10:1000 > 203.0.113.9:80 F. seq 7 ack 102
    wan: tcp 203.0.113.9:80 > 203.0.113.2:1000 . seq 102 ack 8
    lan: udp 192.168.1.10:5000 > 203.0.113.9:53 data x
    lan: udp 192.168.1.11:5000 > 203.0.113.9:53 data x
    lan: udp 192.168.1.12:5000 > 203.0.113.10:53 data x
    wan: udp 203.0.113.9:53 > 203.0.113.2:5000 data answer
    lan: icmp 192.168.1.10 > 203.0.113.9 echo-request id 7 seq 1
    lan: icmp 192.168.1.11 > 203.0.113.9 echo-request id 7 seq 1
    wan: icmp 203.0.113.9 > 203.0.113.2 echo-reply id 7 seq 1
    wan: icmp 203.0.113.99 > 203.0.113.2 time-exceeded about (tcp 203.0.113.2:1000 > 203.0.113.9:80 . seq 2 ack 101)
    wan: icmp 203.0.113.9 > 203.0.113.2 port-unreachable about (udp 203.0.113.2:5000 > 203.0.113.9:53 data x)
    wan: icmp 203.0.113.9 > 203.0.113.2 port-unreachable about (icmp 203.0.113.2 > 203.0.113.9 echo-request id 7 seq 1)
    lan: udp 192.168.1.10:300 > 203.0.113.9:500 data x
    lan: udp 192.168.1.11:300 > 203.0.113.9:500 data x
    lan: udp 192.168.1.10:700 > 203.0.113.9:500 data x
    lan: udp 192.168.1.11:700 > 203.0.113.9:500 data x
    own: udp 203.0.113.2:5000 > 203.0.113.9:53 data own
    wan: udp 203.0.113.9:53 > 203.0.113.2:9999 data stray
"""
INWARD = """
    wan: tcp 203.0.113.9:1234 > 203.0.113.2:80 S seq 1
    lan: tcp 192.168.1.10:8080 > 203.0.113.9:1234 S. seq 100 ack 2
    wan: tcp 203.0.113.9:1234 > 203.0.113.2:80 . seq 2 ack 101
    lan: icmp 192.168.1.10 > 203.0.113.9 port-unreachable about (tcp 203.0.113.9:1234 > 192.168.1.10:8080 . seq 2 ack 101)
    lan: icmp 192.168.1.99 > 203.0.113.9 time-exceeded about (tcp 203.0.113.9:1234 > 192.168.1.10:8080 . seq 2 ack 101)
    wan: icmp 203.0.113.9 > 203.0.113.2 port-unreachable about (tcp 203.0.113.2:80 > 203.0.113.9:1234 S. seq 100 ack 2)
    wan: udp 203.0.113.9:1234 > 203.0.113.2:53 data x
    wan: udp 203.0.113.9:1234 > 203.0.113.77:53 data x
    wan: icmp 203.0.113.9 > 203.0.113.2 echo-request id 9 seq 1
    lan: tcp 192.168.1.10:1000 > 203.0.113.2:80 S seq 1
    lan: tcp 192.168.1.10:8080 > 192.168.1.1:1000 S. seq 5 ack 2
    lan: tcp 192.168.1.10:8080 > 192.168.1.10:1000 S. seq 5 ack 2
    lan: tcp 192.168.1.11:1000 > 203.0.113.2:80 S seq 1 ttl 1
    wan: tcp 203.0.113.10:4000 > 203.0.113.2:80 S seq 1 ttl 1
    own: tcp 203.0.113.2:4000 > 203.0.113.9:80 S seq 1
    own: udp 203.0.113.2:4000 > 203.0.113.9:53 data x
"""
OUTWARD6 = """
    lan: tcp [fd00:1::10]:1000 > [fd00:2::9]:80 S seq 1
    lan: tcp [fd00:1::11]:1000 > [fd00:2::9]:80 S seq 1
    wan: tcp [fd00:2::9]:80 > [fd00:2::77]:1000 S. seq 9 ack 2
    lan: udp [fd00:1::10]:5000 > [fd00:2::9]:53 data x
    wan: udp [fd00:2::9]:53 > [fd00:2::77]:5000 data y
    lan: icmp fd00:1::10 > fd00:2::9 echo-request id 7 seq 1
    wan: icmp fd00:2::9 > fd00:2::77 echo-reply id 7 seq 1
    wan: icmp fd00:2::99 > fd00:2::77 time-exceeded about (udp [fd00:2::77]:5000 > [fd00:2::9]:53 data x)
    wan: icmp fd00:2::99 > fd00:2::77 port-unreachable about (icmp fd00:2::77 > fd00:2::9 echo-request id 7 seq 1)
    wan: icmp fd00:2::99 > fd00:2::77 packet-too-big about (tcp [fd00:2::77]:1000 > [fd00:2::9]:80 S seq 1)
    wan: tcp [fd00:2::9]:1234 > [fd00:2::1]:80 S seq 1
    wan: udp [fd00:2::9]:1234 > [fd00:2::1]:53 data x
    own: udp [fd00:2::1]:4000 > [fd00:2::9]:53 data x
"""
TABLES = {
    "masquerade": {"iptables": MASQUERADE},
    "masquerade to ports": {"iptables": nat(
        "-A POSTROUTING -o wan -p udp -j MASQUERADE --to-ports 5000-5001", "-A POSTROUTING -o wan -j MASQUERADE",
    )},
    "masquerade whatever leaves": {"iptables": nat("-A POSTROUTING -j MASQUERADE")},
    "snat": {"iptables": nat("-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.2")},
    "snat to a range": {"iptables": nat("-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.2-203.0.113.200")},
    "snat to a range, persistent": {"iptables": nat("-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.2-203.0.113.200 --persistent")},
    "snat to one port": {"iptables": nat("-A POSTROUTING -o wan -p udp -j SNAT --to-source 203.0.113.2:7000")},
    "snat random": {"iptables": nat("-A POSTROUTING -o wan -p tcp -j SNAT --to-source 203.0.113.2:7000-7009 --random")},
    "netmap": {"iptables": nat(
        "-A POSTROUTING -o wan -j NETMAP --to 203.0.113.0/28", "-A PREROUTING -i wan -j NETMAP --to 192.168.1.0/24",
    )},
    "dnat": {"iptables": nat("-A PREROUTING -d 203.0.113.2 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.10:8080")},
    "dnat with hairpin": {"iptables": nat(
        "-A PREROUTING -d 203.0.113.2 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.10:8080",
        "-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.10 -p tcp --dport 8080 -j MASQUERADE",
    )},
    "dnat to a shifted range": {
        "iptables": nat("-A PREROUTING -i wan -p tcp -j DNAT --to-destination 192.168.1.10-192.168.1.12:8080-8090/80"),
    },
    "dnat of what the firewall sends": {"iptables": nat("-A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 192.168.1.10:8080",
                                                       "-A OUTPUT -p udp -j DNAT --to-destination 192.168.1.11")},
    "redirect": {"iptables": nat("-A PREROUTING -i wan -p tcp --dport 80 -j REDIRECT --to-ports 8080", "-A PREROUTING -p udp -j REDIRECT")},
    "redirect of what the firewall sends": {"iptables": nat(
        "-A OUTPUT -p tcp --dport 80 -j REDIRECT --to-ports 8080", "-A OUTPUT -p udp -j REDIRECT",
    )},
    "snat of what comes in": {"iptables": nat("-A INPUT -p udp -j SNAT --to-source 203.0.113.200")},
    "reject behind dnat": {"iptables": nat("-A PREROUTING -i wan -p tcp --dport 80 -j DNAT --to-destination 192.168.1.10:8080")
                           + "*filter\n-A FORWARD -p tcp --dport 8080 -j REJECT --reject-with tcp-reset\n-A INPUT -j REJECT\nCOMMIT\n"},
    "an empty table": {"iptables": nat()},
    "ipv6": {"ip6tables": nat("-A POSTROUTING -o wan -j MASQUERADE",
                              "-A PREROUTING -i wan -p tcp --dport 80 -j DNAT --to-destination [fd00:1::10]:8080",
                              "-A PREROUTING -i wan -p udp -j REDIRECT --to-ports 5353", "-A OUTPUT -p udp -j REDIRECT")},
    "ipv6 snat to a range": {"ip6tables": nat("-A POSTROUTING -o wan -j SNAT --to-source fd00:2::-fd00:2::ffff:ffff")},
    "nft": {"nft": """table inet n {
 chain pre { type nat hook prerouting priority dstnat; tcp dport 80 dnat ip to 192.168.1.10:8080
  udp dport 53 redirect to :5353
 }
 chain post { type nat hook postrouting priority srcnat; oifname "wan" masquerade persistent
 }
}
"""},
    "a nat chain that drops": {"nft": """table ip n {
 chain post { type nat hook postrouting priority srcnat; policy drop; tcp dport 80 masquerade
 }
}
"""},
    "two nat chains, the first does not decide": {"nft": """table ip n {
 chain a { type nat hook postrouting priority 90; tcp dport 80 accept
  udp dport 53 snat to 203.0.113.77
 }
 chain b { type nat hook postrouting priority 110; oifname "wan" masquerade
 }
}
"""},
}  # fmt: skip


@pytest.mark.parametrize("told", [False, True], ids=["untold", "told"])
@pytest.mark.parametrize("name", TABLES)
def test_conversations_through_each_kind_of_translation_are_the_kernels(name: str, told: bool) -> None:
    assert compare(packets(OUTWARD) + packets(INWARD) + packets(OUTWARD6), devices=WITH_LO, told=told, **TABLES[name]) == []


def test_ports_that_are_taken_are_chosen_anew_until_none_is_left_and_then_the_packet_is_dropped() -> None:
    sent = packets("\n".join(f"lan: udp 192.168.1.{host}:1000 > 203.0.113.9:53 data x" for host in range(10, 18)))
    rules = nat("-A POSTROUTING -p udp -j SNAT --to-source 203.0.113.2:2000-2003")
    assert compare(sent, iptables=rules) == []


def test_the_same_source_keeps_its_mapping_for_every_destination() -> None:
    sent = packets("\n".join(f"lan: udp 192.168.1.{host}:1000 > 203.0.113.{far}:53 data x" for far in (9, 10, 11) for host in (10, 11, 12)))
    assert compare(sent, iptables=MASQUERADE) == []


def test_a_finished_connection_makes_way_when_no_port_is_free() -> None:
    def whole(host: int, seq: int) -> str:
        client, server, ours = f"192.168.1.{host}:1000", "203.0.113.9:80", "203.0.113.2:2000"
        return f"""
            lan: tcp {client} > {server} S seq {seq}
            wan: tcp {server} > {ours} S. seq 100 ack {seq + 1}
            lan: tcp {client} > {server} . seq {seq + 1} ack 101
            lan: tcp {client} > {server} F. seq {seq + 1} ack 101
            wan: tcp {server} > {ours} F. seq 101 ack {seq + 2}
            lan: tcp {client} > {server} . seq {seq + 2} ack 102
        """

    ahead, behind = "lan: tcp 192.168.1.11:1000 > 203.0.113.9:80 S seq 90000", "lan: tcp 192.168.1.12:1000 > 203.0.113.9:80 S seq 5"
    rules = nat("-A POSTROUTING -p tcp -j SNAT --to-source 203.0.113.2:2000-2000 --random")
    assert compare(packets(whole(10, 1000)) + packets(behind) + packets(ahead), iptables=rules) == []


@pytest.mark.parametrize("rules", [MASQUERADE, nat("-A PREROUTING -i wan -p udp -j DNAT --to-destination 192.168.1.10")])
def test_connections_older_than_the_rules_stay_as_they_are(rules: str) -> None:
    before = packets("""
        lan: udp 192.168.1.10:5000 > 203.0.113.9:53 data x
        wan: udp 203.0.113.9:5000 > 203.0.113.2:53 data x
    """)
    with KernelFirewall(DEVICES) as firewall:
        mine = Ours({}, DEVICES, False, {})
        lines = []
        for load in (False, True):
            if load:
                firewall.load(iptables=rules)
                mine.load({"iptables": rules})
            for fed in before + packets("lan: udp 192.168.1.11:5000 > 203.0.113.9:53 data x") * load:
                answer = firewall.feed_batch([fed])[0]
                lines += differences(fed, answer, mine.feed(fed, answer))
    assert lines == []


@pytest.mark.parametrize("argv", [["addr", "del", "203.0.113.2/24", "dev", "wan"], ["link", "set", "wan", "down"]])
def test_masqueraded_connections_end_with_their_address_or_their_device(argv: list[str]) -> None:
    sent = packets(OUTWARD)[:12] + packets(INWARD)[:1]
    with KernelFirewall(DEVICES, iptables=MASQUERADE) as firewall:
        mine = Ours({"iptables": MASQUERADE}, DEVICES, False, {})
        for fed in sent:
            answer = firewall.feed_batch([fed])[0]
            assert differences(fed, answer, mine.feed(fed, answer)) == []
        assert len(firewall.table()) > 1
        firewall.command(["ip", *argv])
        firewall.sleep(0.2)
        wan = mine.wall.ip.interfaces["wan"]
        if argv[0] == "link":
            wan.up = False
        else:
            wan.addresses.pop(0)
        mine.wall.ip.addresses_changed()
        assert same_tables(firewall.table(), mine) == []


def test_icmp_errors_with_a_wrong_checksum_are_not_translated_but_dropped() -> None:
    errors = "wan: icmp 203.0.113.9 > 203.0.113.2 port-unreachable bad-checksum about (udp 203.0.113.2:5000 > 203.0.113.9:53 data x)"
    sent = packets(OUTWARD)[7:8] + packets(errors)
    assert compare(sent, iptables=MASQUERADE, sysctls={"net.netfilter.nf_conntrack_checksum": 0}) == []


LISTINGS = (
    "", "--src-nat", "-n 203.0.113.2", "-g 192.168.1.10", "--dst-nat", "-j", "-j 203.0.113.2", "-n203.0.113.99", "-g 192.168.1.10:8080",
    "-n -g", "-o extended",
)  # fmt: skip


@pytest.mark.parametrize("words", LISTINGS)
def test_conntrack_lists_translated_entries_as_the_real_tool_does(real: Open, words: str) -> None:
    options = words.split()
    rules = nat(
        "-A POSTROUTING -o wan -j MASQUERADE", "-A PREROUTING -d 203.0.113.2 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.10:8080"
    )
    sent = packets(OUTWARD)[:8] + packets(INWARD)[:3] + packets("wan: udp 203.0.113.9:1 > 203.0.113.2:9 data x")
    firewall = real(DEVICES, iptables=rules)
    mine = Ours({"iptables": rules}, DEVICES, False, {})
    for fed in sent:
        answer = firewall.feed_batch([fed])[0]
        assert differences(fed, answer, mine.feed(fed, answer)) == []
    listed = firewall.command(["conntrack", "-L", *options]).splitlines()
    now = mine.wall.now + 5000
    checks = filters(parse(["conntrack", "-L", *options], []))
    conns = [conn for conn in mine.wall.ip.tracker.entries() if all(check(conn) for check in checks)]
    ours = {_timeless(show.conntrack_line(conn, now, extended="extended" in options)) for conn in conns}
    assert ours == {_timeless(line) for line in listed if not line.startswith("conntrack v")}


def _timeless(line: str) -> str:
    """Without the seconds left: the two are not asked at the same instant."""
    return re.sub(r"^((?:ipv4 +2 )?\w+ +\d+) \d+", r"\1", line)


@pytest.mark.parametrize("seed", range(20))
def test_traffic_through_random_translations_is_the_kernels(seed: int) -> None:
    rules, traffic = _random_rules(seed), Traffic(seed)
    left: list[tuple[str, bytes]] = []
    with KernelFirewall(DEVICES, **rules) as firewall:
        mine = Ours(rules, DEVICES, seed % 2 == 1, {})
        for number in range(150):
            fed = traffic.next(left)
            answer = firewall.feed_batch([fed])[0]
            left += answer.out
            assert (number, differences(fed, answer, mine.feed(fed, answer))) == (number, [])
        assert same_tables(firewall.table(), mine) == []
        for language in rules:
            assert _counters(mine, language) == _without_comments(firewall.counters(language))


def _counters(mine: Ours, language: str) -> str:
    """The rules of ours with their counters, as the real tool prints them."""
    state = mine.wall.ip.rules
    if language == "nft":
        return nft.run(["nft", "list", "ruleset"], state, "").out
    return _without_comments(iptables.run([f"{language}-save", "-c"], state).out)


def _without_comments(saved: str) -> str:
    return re.sub(r"^#.*\n", "", saved, flags=re.MULTILINE)


def _random_rules(seed: int) -> dict[str, str]:
    made = Rules(seed)
    if seed % 3 == 0:
        return {"iptables": made.iptables(False), "ip6tables": made.iptables(True)}
    return {"nft": made.nft()} if seed % 3 == 1 else {"iptables": made.iptables(False), "nft": made.nft()}
