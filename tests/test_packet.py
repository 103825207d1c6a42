"""Packet reads what the kernel would read, and refuses what ip_rcv and ipv6_rcv throw away. Scapy builds the bytes."""

from __future__ import annotations

import random

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting
from scapy.packet import Raw

from sim.craft import craft
from sim.errors import Malformed
from sim.packet import Packet, describe, flag_letters, protocol_name
from sim.units import parse_address

V4 = {"src": "10.0.0.1", "dst": "10.0.0.2"}
V6 = {"src": "fd00::1", "dst": "fd00::2"}


NAMES = (
    "ack complete data dport dst flags fragment id l4 more payload protonum seq sport src tos ttl version window".split()
)


def test_a_tcp_segment_is_read_field_by_field() -> None:
    layers = IP(**V4, ttl=17, tos=4) / TCP(sport=1000, dport=80, seq=7, ack=9, flags="SA", window=512, options=[("MSS", 1460)]) / b"hello"
    packet = Packet(bytes(layers), 3)
    assert (packet.id, packet.version, packet.protonum, packet.ttl, packet.tos, packet.l4) == (3, 4, 6, 17, 4, 20)
    assert (packet.src, packet.dst) == (parse_address("10.0.0.1"), parse_address("10.0.0.2"))
    assert (packet.sport, packet.dport, packet.seq, packet.ack, packet.flags, packet.window) == (1000, 80, 7, 9, 0x12, 512)
    assert packet.data[packet.payload :] == b"hello" and packet.complete and not packet.fragment and not packet.more


@pytest.mark.parametrize(
    ("layers", "l4"),
    [
        (IP(**V4, options=[IPOption_NOP()] * 4) / TCP(sport=1, dport=2, flags="A"), 24),
        (IPv6(**V6) / TCP(sport=1, dport=2, flags="A"), 40),
        (IPv6(**V6) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TCP(sport=1, dport=2, flags="A"), 56),
        (IPv6(**V6) / IPv6ExtHdrRouting(addresses=["fd00::3"], segleft=0) / TCP(sport=1, dport=2, flags="A"), 64),
        (IP(**V4) / TCP(sport=1, dport=2, flags="A"), 20),
    ],
    ids=["IPv4 options", "IPv6", "hop-by-hop and destination options", "routing header", "plain"],
)
def test_the_transport_header_is_found_behind_options_and_extension_headers(layers: object, l4: int) -> None:
    packet = Packet(bytes(layers))  # type: ignore[call-overload]
    assert (packet.protonum, packet.l4, packet.sport, packet.dport, packet.flags, packet.complete) == (6, l4, 1, 2, 0x10, True)


def test_the_quick_way_reads_what_the_slow_way_reads() -> None:
    chance = random.Random(1)
    for _ in range(300):
        layers = IP(**V4, flags=chance.choice(["", "DF"]), ttl=chance.randrange(256)) / TCP(
            sport=chance.randrange(65536), dport=chance.randrange(65536), seq=chance.randrange(2**32), ack=chance.randrange(2**32),
            flags=chance.randrange(256), window=chance.randrange(65536), options=[("NOP", None)] * chance.randrange(8),
        )  # fmt: skip
        data = bytes(layers / Raw(bytes(chance.randrange(50))))
        quick, slow = Packet(data), Packet(bytes(IPv6(**V6) / UDP()))
        slow._read(data)
        assert all(getattr(quick, name) == getattr(slow, name) for name in NAMES)


def test_udp_and_icmp_have_ports_or_none() -> None:
    udp = Packet(bytes(IP(**V4) / UDP(sport=5, dport=53) / b"abc"))
    icmp = Packet(bytes(IP(**V4) / ICMP() / b"abc"))
    assert (udp.sport, udp.dport, udp.data[udp.payload :]) == (5, 53, b"abc")
    assert (icmp.sport, icmp.dport, icmp.data[icmp.payload :]) == (0, 0, b"abc")


def test_padding_behind_the_total_length_is_cut() -> None:
    data = bytes(IP(**V4) / UDP(sport=1, dport=2))
    assert Packet(data + bytes(18)).data == data
    six = bytes(IPv6(**V6) / UDP(sport=1, dport=2))
    assert Packet(six + bytes(6)).data == six


def test_a_transport_header_cut_short_is_not_complete() -> None:
    data = craft("tcp 10.0.0.1:1000 > 10.0.0.2:80 S")
    assert Packet(_cut(data, 39)).complete is False
    assert Packet(_cut(data, 40)).complete is True


def _cut(data: bytes, size: int) -> bytes:
    return bytes(IP(**V4, proto=6) / data[20:size])


def test_fragments_say_where_they_belong() -> None:
    first, later = Packet(bytes(IP(**V4, flags="MF") / UDP() / bytes(8))), Packet(bytes(IP(**V4, frag=2, proto=17) / bytes(16)))
    assert (first.fragment, first.more, first.complete) == (0, True, True)
    assert (later.fragment, later.more, later.complete, later.sport) == (16, False, False, 0)
    six = Packet(bytes(IPv6(**V6) / IPv6ExtHdrFragment(offset=3, m=1, nh=17) / bytes(16)))
    assert (six.fragment, six.more, six.complete, six.protonum) == (24, True, False, 17)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\x50" + bytes(30), "version"),
        (b"\x45" + bytes(10), "short"),
        (b"\x60" + bytes(10), "short"),
        (b"\x44" + bytes(30), "ihl"),
        (bytes(IP(**V4, chksum=1) / UDP()), "checksum"),
        (bytes(IP(**V4, len=100) / UDP()), "length"),
        (bytes(IP(**V4, len=19) / UDP()), "length"),
        (bytes(IPv6(**V6, plen=100) / UDP()), "length"),
    ],
)
def test_what_the_kernel_throws_away_is_malformed(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        Packet(data)
    assert caught.value.code == code and len(str(caught.value)) > 10


def test_no_bytes_whatever_make_it_stumble() -> None:
    chance = random.Random(2)
    whole = [craft("tcp [fd00::1]:1 > [fd00::2]:2 S"), craft("icmp 10.0.0.1 > 10.0.0.2 echo-request")]
    whole.append(bytes(IPv6(**V6) / IPv6ExtHdrHopByHop() / UDP()))
    for _ in range(3000):
        data = bytearray(chance.choice(whole)[: chance.randrange(80)])
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            packet = Packet(bytes(data))
        except Malformed:
            continue
        assert len(packet.data) <= len(data) and describe(packet)


def test_a_packet_is_described_in_one_line() -> None:
    assert describe(Packet(craft("tcp 192.168.1.10:51514 > 192.168.1.20:22 S."))) == "TCP 192.168.1.10:51514 > 192.168.1.20:22 S."
    assert describe(Packet(craft("udp 10.0.0.1:5 > 10.0.0.2:53"))) == "UDP 10.0.0.1:5 > 10.0.0.2:53"
    assert describe(Packet(craft("icmp 10.0.0.1 > 10.0.0.2 echo-request"))) == "ICMP 10.0.0.1 > 10.0.0.2"
    assert (flag_letters(0), flag_letters(0x29), protocol_name(58), protocol_name(200)) == ("none", "FPU", "icmpv6", "200")


def test_a_packet_rewritten_is_read_anew_and_keeps_its_id() -> None:
    packet, other = Packet(craft("tcp 10.0.0.1:1 > 10.0.0.2:80 S seq 5"), 3), Packet(craft("udp 10.0.0.7:9 > 10.0.0.2:53"), 3)
    packet.rewrite(other.data)
    assert all(getattr(packet, name) == getattr(other, name) for name in NAMES)
