"""What leaves this machine's own firewall, and what its table then holds: facts about Linux that ctlab must match."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest, IPv6

from tests.kernel.asking import CLIENT, CLIENT6, ROUTER, SERVER, SERVER6, Open, only, rules, said, tcp, udp

# -- what leaves


def test_a_forwarded_packet_leaves_by_the_other_device_one_hop_older(real: Open) -> None:
    device, packet = only(real().feed(udp(), "lan"))
    assert (device, packet.ttl, packet.src, packet.dst) == ("wan", 63, CLIENT, SERVER)


def test_whatever_the_addresses_a_packet_crosses_to_the_other_side(real: Open) -> None:
    firewall = real()
    for src, dst in (("127.0.0.1", "127.0.0.1"), ("9.9.9.9", CLIENT), ("203.0.113.2", "9.9.9.9"), ("240.0.0.1", "8.8.8.8")):
        assert [device for device, _ in firewall.feed(udp(src, dst), "lan").out] == ["wan"]
    for src, dst in ((SERVER6, CLIENT6), ("2001:db8::1", "2001:db8::2"), (CLIENT6, SERVER6)):
        packet = bytes(IPv6(src=src, dst=dst) / ICMPv6EchoRequest())
        assert [device for device, _ in firewall.feed(packet, "wan").out] == ["lan"]


def test_policy_drop_and_an_established_rule_let_only_answers_back_in(real: Open) -> None:
    firewall = real(
        iptables=rules(
            "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            "-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT",
            policy="DROP",
        )
    )
    stranger = firewall.feed(udp(SERVER, CLIENT, 53, 40000), "wan")
    assert (said(stranger), stranger.out, stranger.entry) == (("NEW", "original", "DROP"), (), None)
    assert said(firewall.feed(udp(), "lan")) == ("NEW", "original", "ACCEPT")
    assert said(firewall.feed(udp(SERVER, CLIENT, 53, 40000), "wan")) == ("ESTABLISHED", "reply", "ACCEPT")
    assert ":FORWARD DROP [1:32]" in firewall.counters()


def test_reject_answers_with_an_icmp_error_or_a_reset_and_keeps_no_entry(real: Open) -> None:
    firewall = real(
        iptables=rules("-A FORWARD -p udp -j REJECT", "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset"),
        ip6tables=rules("-A FORWARD -j REJECT"),
    )
    answer = firewall.feed(udp(), "lan")
    device, packet = only(answer)
    assert (said(answer), answer.entry, answer.made) == (("NEW", "original", "DROP"), None, (("RELATED", "reply"),))
    assert (device, packet.src, packet.dst, packet[ICMP].type, packet[ICMP].code) == ("lan", ROUTER, CLIENT, 3, 3)
    device, packet = only(firewall.feed(tcp("S", 1000), "lan"))
    assert (device, packet.src, packet[TCP].flags, packet[TCP].ack) == ("lan", SERVER, "RA", 1001)
    device, packet = only(firewall.feed(bytes(IPv6(src=CLIENT6, dst=SERVER6) / UDP() / b"x"), "lan"))
    assert (device, packet.src, packet[ICMPv6DestUnreach].code) == ("lan", "fd00:1::1", 4)


def test_what_input_accepts_goes_to_self_and_the_wall_answers_nothing(real: Open) -> None:
    firewall = real()
    for packet in (
        IP(src=CLIENT, dst=ROUTER) / TCP(flags="S", dport=22),
        IP(src=CLIENT, dst=ROUTER) / UDP(dport=9) / b"x",
        IP(src=CLIENT, dst=ROUTER) / ICMP(),
        IP(src=CLIENT, dst="255.255.255.255") / UDP(dport=67) / b"x",
        IPv6(src=CLIENT6, dst="fd00:1::1") / ICMPv6EchoRequest(),
    ):
        answer = firewall.feed(bytes(packet), "lan")
        assert said(answer) == ("NEW", "original", "ACCEPT")
        assert answer.out == (("self", bytes(packet)),)
        assert answer.entry is not None and answer.entry["unreplied"]


def test_what_input_drops_is_not_delivered_and_not_remembered(real: Open) -> None:
    firewall = real(iptables=rules("-A INPUT -p udp -j DROP"))
    answer = firewall.feed(udp(dst=ROUTER), "lan")
    assert (said(answer), answer.out, firewall.table()) == (("NEW", "original", "DROP"), (), [])


def test_what_raw_drops_has_no_label(real: Open) -> None:
    answer = real(iptables=rules("-A PREROUTING -p udp -j DROP", table="raw")).feed(udp(), "lan")
    assert (said(answer), answer.out) == ((None, None, "DROP"), ())


def test_masquerade_shows_in_what_leaves_and_is_undone_on_the_way_back(real: Open) -> None:
    firewall = real(iptables=rules("-A POSTROUTING -o wan -j MASQUERADE", table="nat"))
    there = firewall.feed(udp(), "lan")
    assert there.entry is not None
    assert there.entry["original"] == {"src": CLIENT, "dst": SERVER, "sport": 40000, "dport": 53}
    assert there.entry["reply"] == {"src": SERVER, "dst": "203.0.113.2", "sport": 53, "dport": 40000}
    assert only(there)[1].src == "203.0.113.2"
    back = firewall.feed(udp(SERVER, "203.0.113.2", 53, 40000), "wan")
    assert said(back) == ("ESTABLISHED", "reply", "ACCEPT")
    assert back.entry is not None
    assert back.entry | {"timeout": 0} == there.entry | {"unreplied": False, "timeout": 0}
    assert (only(back)[0], only(back)[1].dst) == ("lan", CLIENT)


def test_fragments_wait_unlabelled_until_the_last_and_leave_as_fragments(real: Open) -> None:
    first, second = IP(udp(size=2000)).fragment(1400)
    waiting, whole = real().feed_batch([("lan", bytes(first)), ("lan", bytes(second))])
    assert (said(waiting), waiting.out) == ((None, None, "DROP"), ())
    assert said(whole) == ("NEW", "original", "ACCEPT")
    assert [(device, IP(data).frag) for device, data in whole.out] == [("wan", 0), ("wan", second.frag)]


def test_the_router_itself_answers_a_dying_packet_and_one_that_does_not_fit(real: Open) -> None:
    firewall = real()
    dying, large = firewall.feed(udp(ttl=1), "lan"), firewall.feed(udp(size=1600, flags="DF"), "lan")
    assert (said(dying), said(large)) == (("NEW", "original", "DROP"),) * 2
    assert [(only(a)[0], only(a)[1][ICMP].type, only(a)[1][ICMP].code) for a in (dying, large)] == [("lan", 11, 0), ("lan", 3, 4)]


def test_a_packet_of_the_firewalls_own_goes_through_output(real: Open) -> None:
    firewall = real(iptables=rules("-A OUTPUT -p udp --dport 99 -j DROP"))
    query = udp("203.0.113.2", SERVER)
    answer = firewall.feed_output(query)
    assert (said(answer), answer.out) == (("NEW", "original", "ACCEPT"), (("wan", query),))
    assert said(firewall.feed(udp(SERVER, "203.0.113.2", 53, 40000), "wan")) == ("ESTABLISHED", "reply", "ACCEPT")
    dropped = firewall.feed_output(udp("203.0.113.2", SERVER, dport=99))
    assert (said(dropped), dropped.out, dropped.entry) == (("NEW", "original", "DROP"), (), None)
    assert firewall.feed_output(udp("203.0.113.2", SERVER, size=1600)).refused == "Message too long"


# -- helpers, marks, zones of the table


def ftp_line(seq: int, line: bytes) -> tuple[str, bytes]:
    return "lan", bytes(IP(src=CLIENT, dst=SERVER) / TCP(sport=40000, dport=21, flags="PA", seq=seq, ack=5001) / line)


def test_an_ftp_helper_expects_the_data_connection_and_calls_it_related(real: Open) -> None:
    firewall = real(iptables=rules("-A PREROUTING -p tcp --dport 21 -j CT --helper ftp", table="raw"))
    greeting = [
        ("lan", tcp("S", 1000, dport=21)),
        ("wan", tcp("SA", 5000, 1001, back=True, dport=21)),
        ("lan", tcp("A", 1001, 5001, dport=21)),
    ]
    # the helper reads a line only behind a line end that it has seen (find_nl_seq): a PORT first of all is overlooked
    firewall.feed_batch([*greeting, ftp_line(1001, b"PORT 192,168,1,10,31,64\r\n")])
    assert firewall.expectations() == []
    firewall.feed_batch([ftp_line(1026, b"PORT 192,168,1,10,31,64\r\n")])
    (expected,) = firewall.expectations()
    assert (expected["tuple"]["dport"], expected["mask"]["sport"], expected["helper"]) == (8000, 0, "ftp")
    assert expected["master"] == {"src": CLIENT, "dst": SERVER, "sport": 40000, "dport": 21}
    data = bytes(IP(src=SERVER, dst=CLIENT) / TCP(sport=20, dport=8000, flags="S"))
    assert said(firewall.feed(data, "wan")) == ("RELATED", "original", "ACCEPT")


def test_the_mark_of_a_connection_is_told_and_the_watch_sets_none(real: Open) -> None:
    nft = "table ip m {\n chain f {\n type filter hook input priority 0\n meta mark != 0 counter drop\n ct mark set 7\n }\n}\n"
    answer = real(nft=nft).feed(udp(dst=ROUTER), "lan")
    assert said(answer) == ("NEW", "original", "ACCEPT")
    assert answer.entry is not None and answer.entry["mark"] == 7


def test_the_table_lists_what_lookups_found_and_flush_empties_it(real: Open) -> None:
    firewall = real()
    answers = firewall.feed_batch([("lan", udp(sport=port)) for port in range(5000, 5005)])
    ports = {entry["original"]["sport"] for entry in firewall.table()}
    assert ports == {5000, 5001, 5002, 5003, 5004} == {a.entry["original"]["sport"] for a in answers if a.entry}
    assert "5 flow entries" in firewall.command(["conntrack", "-L"])
    firewall.flush()
    assert firewall.table() == []


@pytest.mark.parametrize("count", [700])
def test_timeouts_read_exact_in_long_batches(real: Open, count: int) -> None:
    answers = real().feed_batch([("lan", udp(sport=1000 + number)) for number in range(count)])
    exact = [answer.entry["timeout"] for answer in answers if answer.exact and answer.entry]
    assert set(exact) == {30}
    assert len(exact) > count * 0.9
