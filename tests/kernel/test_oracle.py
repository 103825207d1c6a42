"""What this machine's own conntrack calls packets, and why: facts about Linux that ctlab must match, asked of the judge."""

from __future__ import annotations

from scapy.layers.inet import ICMP, IP, UDP, IPerror, UDPerror
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6ND_NS, IPv6

from tests.kernel.asking import CLIENT, CLIENT6, HANDSHAKE, SERVER, SERVER6, Open, rules, said, state, tcp, timeout, udp

# -- labels and states


def test_a_tcp_connection_lives_through_its_labels_states_and_timeouts(real: Open) -> None:
    fin = [
        ("lan", tcp("FA", 1001, 5001)),
        ("wan", tcp("A", 5001, 1002, back=True)),
        ("wan", tcp("FA", 5001, 1002, back=True)),
        ("lan", tcp("A", 1002, 5002)),
    ]
    answers = real().feed_batch(HANDSHAKE + fin)
    assert [(answer.label, answer.direction, *state(answer)) for answer in answers] == [
        ("NEW", "original", "SYN_SENT", 120),
        ("ESTABLISHED", "reply", "SYN_RECV", 60),
        ("ESTABLISHED", "original", "ESTABLISHED", 432000),
        ("ESTABLISHED", "original", "FIN_WAIT", 120),
        ("ESTABLISHED", "reply", "CLOSE_WAIT", 60),
        ("ESTABLISHED", "reply", "LAST_ACK", 30),
        ("ESTABLISHED", "original", "TIME_WAIT", 120),
    ]


def test_a_reset_closes_an_assured_connection_for_ten_seconds(real: Open) -> None:
    *_, answer = real().feed_batch([*HANDSHAKE, ("wan", tcp("R", 5001, back=True))])
    assert said(answer) == ("ESTABLISHED", "reply", "ACCEPT")
    assert state(answer) == ("CLOSE", 10)


def test_a_refused_syn_leaves_no_entry_behind(real: Open) -> None:
    *_, answer = real().feed_batch([("lan", tcp("S", 1000)), ("wan", tcp("RA", 0, 1001, back=True))])
    assert said(answer) == ("ESTABLISHED", "reply", "ACCEPT")
    assert answer.entry is None


def test_an_ack_out_of_nowhere_is_picked_up_unless_loose_is_off(real: Open) -> None:
    assert said(real().feed(tcp("A", 7, 9), "lan")) == ("NEW", "original", "ACCEPT")
    strict = real(sysctls={"net.netfilter.nf_conntrack_tcp_loose": 0}).feed(tcp("A", 7, 9), "lan")
    assert said(strict) == ("INVALID", None, "ACCEPT")
    assert strict.kernel_log == ()


def test_udp_is_new_until_a_reply_then_established_both_ways(real: Open) -> None:
    query, reply = udp(), udp(SERVER, CLIENT, 53, 40000)
    answers = real().feed_batch([("lan", query), ("lan", query), ("wan", reply), ("lan", query)])
    assert [(a.label, a.direction) for a in answers] == [
        ("NEW", "original"),
        ("NEW", "original"),
        ("ESTABLISHED", "reply"),
        ("ESTABLISHED", "original"),
    ]
    assert [a.entry and (timeout(a), a.entry["unreplied"], a.entry["assured"]) for a in answers] == [
        (30, True, False),
        (30, True, False),
        (30, False, False),
        (30, False, False),
    ]


def test_udp_becomes_an_assured_stream_only_after_two_seconds_of_both_ways(real: Open) -> None:
    firewall = real()
    firewall.feed_batch([("lan", udp()), ("wan", udp(SERVER, CLIENT, 53, 40000))])
    assert firewall.sleep(2.05) == ()
    late = firewall.feed(udp(), "lan")
    assert late.entry is not None
    assert (timeout(late), late.entry["assured"]) == (120, True)


def test_an_expired_entry_makes_the_late_packet_new_again(real: Open) -> None:
    firewall = real(sysctls={"net.netfilter.nf_conntrack_udp_timeout": 1})
    firewall.feed_batch([("lan", udp()), ("wan", udp(SERVER, CLIENT, 53, 40000))])
    assert firewall.sleep(1.1) == ()
    assert said(firewall.feed(udp(SERVER, CLIENT, 53, 40000), "wan")) == ("NEW", "original", "ACCEPT")


def test_an_echo_entry_is_named_by_type_code_and_id(real: Open) -> None:
    request = bytes(IP(src=CLIENT, dst=SERVER) / ICMP(type=8, id=77, seq=1))
    reply = bytes(IP(src=SERVER, dst=CLIENT) / ICMP(type=0, id=77, seq=1))
    first, second = real().feed_batch([("lan", request), ("wan", reply)])
    assert (said(first), said(second)) == (("NEW", "original", "ACCEPT"), ("ESTABLISHED", "reply", "ACCEPT"))
    assert second.entry is not None
    assert second.entry | {"timeout": timeout(second)} == {
        "family": "ipv4",
        "protocol": "icmp",
        "protonum": 1,
        "timeout": 30,
        "state": None,
        "original": {"src": CLIENT, "dst": SERVER, "type": 8, "code": 0, "id": 77},
        "reply": {"src": SERVER, "dst": CLIENT, "type": 0, "code": 0, "id": 77},
        "unreplied": False,
        "assured": False,
        "mark": 0,
    }


def test_an_icmp_error_is_related_to_what_it_quotes_and_has_no_entry_of_its_own(real: Open) -> None:
    quoted = IPerror(src=CLIENT, dst=SERVER) / UDPerror(sport=40000, dport=53, len=12)
    error = bytes(IP(src="198.51.100.1", dst=CLIENT) / ICMP(type=3, code=1) / quoted)
    firewall = real()
    alone = firewall.feed(error, "wan")
    _, after = firewall.feed_batch([("lan", udp()), ("wan", error)])
    assert said(alone) == ("INVALID", None, "ACCEPT")
    assert said(after) == ("RELATED", "reply", "ACCEPT")
    assert after.entry is None


def test_ipv6_is_tracked_the_same_and_its_errors_are_related(real: Open) -> None:
    request = bytes(IPv6(src=CLIENT6, dst=SERVER6) / ICMPv6EchoRequest(id=5))
    error = bytes(IPv6(src="2001:db8::1", dst=CLIENT6) / ICMPv6DestUnreach(code=1) / request)
    first, second = real().feed_batch([("lan", request), ("wan", error)])
    assert said(first) == ("NEW", "original", "ACCEPT")
    assert first.entry is not None
    assert first.entry["original"] == {"src": CLIENT6, "dst": SERVER6, "type": 128, "code": 0, "id": 5}
    assert [device for device, _ in first.out] == ["wan"]
    assert said(second) == ("RELATED", "reply", "ACCEPT")


def test_neighbour_discovery_is_untracked_and_so_is_what_raw_says(real: Open) -> None:
    solicitation = bytes(IPv6(src="fd00:1::10", dst="fd00:1::1", hlim=255) / ICMPv6ND_NS(tgt="fd00:1::1"))
    firewall = real(iptables=rules("-A PREROUTING -p udp -j CT --notrack", table="raw"))
    assert said(firewall.feed(solicitation, "lan")) == ("UNTRACKED", None, "ACCEPT")
    notrack = firewall.feed(udp(), "lan")
    assert said(notrack) == ("UNTRACKED", None, "ACCEPT")
    assert notrack.entry is None


def test_another_protocol_has_an_entry_of_addresses_alone(real: Open) -> None:
    answer = real().feed(bytes(IP(src=CLIENT, dst=SERVER, proto=50) / (b"\0" * 16)), "lan")
    assert answer.entry is not None
    assert (answer.entry["protocol"], timeout(answer)) == ("unknown", 600)
    assert answer.entry["original"] == {"src": CLIENT, "dst": SERVER}


# -- the kernel's reasons


def test_a_bad_checksum_is_invalid_with_its_reason_unless_the_check_is_off(real: Open) -> None:
    broken = bytes(IP(src=CLIENT, dst=SERVER) / UDP(sport=1, dport=2, chksum=0x1234) / b"x")
    firewall = real()
    answer = firewall.feed(broken, "lan")
    assert said(answer) == ("INVALID", None, "ACCEPT")
    assert answer.kernel_log == ("nf_ct_proto_17: bad checksum ",)
    firewall.set_sysctl("net.netfilter.nf_conntrack_checksum", 0)
    assert said(firewall.feed(broken, "lan")) == ("NEW", "original", "ACCEPT")


def test_a_segment_far_out_of_the_window_is_invalid_with_the_numbers(real: Open) -> None:
    *_, answer = real().feed_batch([*HANDSHAKE, ("lan", tcp("A", 900_000, 5001))])
    assert said(answer) == ("INVALID", None, "ACCEPT")
    assert answer.kernel_log == ("nf_ct_proto_6: SEQ is over upper bound 9194 (over the window of the receiver) ",)
    assert answer.entry is not None
    assert answer.entry["state"] == "ESTABLISHED"


def test_an_ip_header_with_a_bad_checksum_never_reaches_conntrack(real: Open) -> None:
    answer = real().feed(udp(chksum=0), "lan")
    assert (said(answer), answer.out) == ((None, None, "DROP"), ())


def test_what_is_no_ip_packet_is_refused_with_words(real: Open) -> None:
    for data in (b"", b"\xff" * 40):
        answer = real().feed(data, "lan")
        assert (said(answer), answer.refused) == ((None, None, "DROP"), "Invalid argument")
