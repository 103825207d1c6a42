"""The bytes that wire builds are those that scapy builds, and their checksums are right."""

from __future__ import annotations

import random

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.utils import checksum as scapy_checksum

from sim import wire
from sim.packet import Packet
from sim.units import parse_address

ENDS4 = parse_address("10.0.0.1"), parse_address("10.0.0.2")
ENDS6 = parse_address("fd00::1"), parse_address("fd00::2")


def head(ends: tuple[bytes, bytes]) -> IP | IPv6:
    if len(ends[0]) == 4:
        return IP(src="10.0.0.1", dst="10.0.0.2", id=0, flags="DF")
    return IPv6(src="fd00::1", dst="fd00::2")


@pytest.mark.parametrize("ends", [ENDS4, ENDS6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("payload", [b"", b"x", b"hello world"], ids=["empty", "odd", "longer"])
class TestBesideScapy:
    def test_tcp(self, ends: tuple[bytes, bytes], payload: bytes) -> None:
        made = wire.tcp(*ends, 1000, 80, seq=7, ack=9, flags=0x18, window=512, options=b"\2\4\5\xb4", payload=payload)
        theirs = head(ends) / TCP(sport=1000, dport=80, seq=7, ack=9, flags="PA", window=512, options=[("MSS", 1460)]) / payload
        assert wire.ip(*ends, 6, made) == bytes(theirs)

    def test_udp(self, ends: tuple[bytes, bytes], payload: bytes) -> None:
        assert wire.ip(*ends, 17, wire.udp(*ends, 5, 53, payload)) == bytes(head(ends) / UDP(sport=5, dport=53) / payload)

    def test_echo_request(self, ends: tuple[bytes, bytes], payload: bytes) -> None:
        if len(ends[0]) == 4:
            made, theirs = wire.ip(*ends, 1, wire.icmp(8, 0, 7 << 16 | 1, payload)), ICMP(id=7, seq=1) / payload
        else:
            made = wire.ip(*ends, 58, wire.icmpv6(*ends, 128, 0, 7 << 16 | 1, payload))
            theirs = ICMPv6EchoRequest(id=7, seq=1, data=payload)
        assert made == bytes(head(ends) / theirs)


def test_the_checksum_is_that_of_rfc_1071() -> None:
    chance = random.Random(1)
    for size in (*range(1, 40), 1500, 1501):
        data = chance.randbytes(size)
        assert wire.checksum(data) == scapy_checksum(data)
    assert wire.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
    assert wire.checksum(bytes(4)) == 0xFFFF and wire.checksum(b"\xff\xff") == 0


def test_a_right_checksum_is_found_right_and_one_flipped_bit_wrong() -> None:
    for ends in (ENDS4, ENDS6):
        segment = wire.udp(*ends, 5, 53, b"abc")
        assert wire.transport_checksum_ok(*ends, 17, segment)
        assert not wire.transport_checksum_ok(*ends, 17, segment[:-1] + b"d")


def test_a_udp_checksum_that_would_be_zero_is_sent_as_all_ones() -> None:
    for number in range(65536):
        datagram = wire.udp(*ENDS4, 5, 53, number.to_bytes(2))
        if datagram[6:8] == b"\xff\xff":
            assert wire.transport_checksum_ok(*ENDS4, 17, datagram)
            return
    pytest.fail("among all payloads of two bytes one sums to zero")


def test_another_ttl_mends_the_header() -> None:
    for ends in (ENDS4, ENDS6):
        packet = Packet(wire.with_ttl(wire.ip(*ends, 17, wire.udp(*ends, 5, 53, b"x"), ttl=64), 7))
        assert packet.ttl == 7


def test_a_checksum_is_mended_to_what_it_would_be_anew() -> None:
    choose = random.Random(1)
    for _ in range(500):
        data = bytearray(choose.randbytes(40))
        old = wire.checksum(bytes(data))
        at, size = choose.randrange(0, 24, 2), choose.choice((2, 4, 16))
        before, after = bytes(data[at : at + size]), choose.randbytes(size)
        data[at : at + size] = after
        assert wire.mended(old, before, after) % 0xFFFF == wire.checksum(bytes(data)) % 0xFFFF


def test_a_mended_checksum_is_never_all_ones() -> None:
    assert wire.mended(0xFFFF, b"\0\0", b"\0\0") == 0
    assert wire.mended(0, b"\1\2", b"\1\2") == 0
