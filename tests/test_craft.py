"""Packets in words become the bytes they describe."""

from __future__ import annotations

import pytest

from sim import wire
from sim.craft import craft
from sim.errors import UsageError
from sim.packet import Packet


def test_a_tcp_segment_has_the_fields_that_were_written() -> None:
    packet = Packet(craft('tcp 10.0.0.1:1000 > 10.0.0.2:80 PF. seq 7 ack 9 win 512 ttl 3 data "hi"'))
    assert (packet.sport, packet.dport, packet.seq, packet.ack, packet.window, packet.ttl) == (1000, 80, 7, 9, 512, 3)
    assert packet.flags == 0x19
    assert packet.data[packet.payload :] == b"hi"
    assert wire.transport_checksum_ok(packet.src, packet.dst, 6, packet.data[20:])


@pytest.mark.parametrize(
    "text", ["tcp 10.0.0.1:1 > 10.0.0.2:2 S bad-checksum", "udp [fd00::1]:1 > [fd00::2]:2 data x bad-checksum"]
)
def test_a_bad_checksum_is_bad(text: str) -> None:
    packet = Packet(craft(text))
    assert not wire.transport_checksum_ok(packet.src, packet.dst, packet.protonum, packet.data[packet.l4 :])
    good = Packet(craft(text.replace(" bad-checksum", "")))
    assert wire.transport_checksum_ok(good.src, good.dst, good.protonum, good.data[good.l4 :])


def test_a_fragment_has_its_place_and_may_be_fragmented_and_a_whole_packet_may_not() -> None:
    last = Packet(craft("ip 10.0.0.1 > 10.0.0.2 proto 17 ident 7 offset 24 hex 0000"))
    first = Packet(craft("udp 10.0.0.1:1 > 10.0.0.2:2 ident 7 more-fragments len 16"))
    assert (last.fragment, last.more, first.fragment, first.more) == (24, False, 0, True)
    flags = [craft(f"udp 10.0.0.1:1 > 10.0.0.2:2 {words}")[6] >> 5 for words in ("", "ident 7", "may-fragment", "more-fragments")]
    assert flags == [2, 2, 0, 1]


def test_an_icmp_error_carries_the_packet_it_is_about() -> None:
    packet = Packet(craft("icmp 10.0.0.9 > 10.0.0.1 port-unreachable about (udp 10.0.0.1:5000 > 10.0.0.2:53)"))
    inner = Packet(packet.data[28:])
    assert (packet.data[20], packet.data[21]) == (3, 3)
    assert (inner.sport, inner.dport) == (5000, 53)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tcp 10.0.0.1:1 > 10.0.0.2:2 S sqe 1", "did you mean 'seq'"),
        ("tpc 10.0.0.1:1 > 10.0.0.2:2", "did you mean 'tcp'"),
        ("tcp 10.0.0.1:1 > fd00::1 S", "different IP versions"),
        ("tcp 10.0.0.1:99999 > 10.0.0.2:2", "port: 99999 is not from 0 to 65535"),
        ("tcp 10.0.0.1:1 > 10.0.0.2:2 seq", "wants a value"),
        ("tcp 10.0.0.1:1 > 10.0.0.2:2 seq many", "is no number"),
        ("hex 45zz", "not hexadecimal"),
        ("udp 10.0.0.1:1 > 10.0.0.2:2 offset 3", "no multiple of 8"),
        ("udp [fd00::1]:1 > [fd00::2]:2 ident 3", "words of IPv4's header"),
        ("", "a packet is written like"),
        ('tcp "', "cannot read this packet"),
        ("tcp example > 10.0.0.2:2", "is no IPv4 or IPv6 address"),
    ],
)
def test_words_that_make_no_packet_are_refused_with_a_sentence(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        craft(text)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("icmp ::1 > ::2 type 256", "type: 256 is not from 0 to 255"),
        ("tcp 192.0.2.1:-1 > 192.0.2.2:2 S", "port: -1 is not from 0 to 65535"),
        ("tcp 192.0.2.1:1 > 192.0.2.2:2 S seq 4294967296", "seq: 4294967296 is not from 0 to 4294967295"),
        ("udp 192.0.2.1:1 > 192.0.2.2:2 len 65508", "65508 bytes are too many: there is room for 65507"),
        ("hex " + "45" * 65536, "65536 bytes are too many"),
        ("icmp 192.0.2.1 > 192.0.2.2 port-unreachable about (" * 3000 + ")" * 3000, "more than 8 deep"),
    ],
)
def test_what_no_header_has_room_for_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        craft(text)
