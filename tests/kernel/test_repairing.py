"""Repaired packets: conntrack finds no checksum of a whole packet wrong in any capture."""

from __future__ import annotations

from sim.craft import craft
from sim.edges.replay.arrival import ByAddress
from sim.edges.replay.wall import Wall
from sim.netfilter.fragments import fragment_header
from tests.kernel.comparing import packets
from tests.kernel.conftest import DEVICES
from tests.kernel.repairing import repaired
from tests.kernel.test_captures_against_kernel import heard


def in_pieces(data: bytes) -> bool:
    return bool(data[6] & 0x3F or data[7]) if data[0] >> 4 == 4 else fragment_header(data) is not None


def test_a_right_packet_stays_as_it_is_and_a_wrong_one_gets_its_checksum() -> None:
    for text in ("tcp 10.0.0.1:1 > 10.0.0.2:2 S", "udp [fd00::1]:1 > [fd00::2]:2 data hello", "icmp 10.0.0.1 > 10.0.0.2 echo-request"):
        data = craft(text)
        assert repaired(data) == data
    right, wrong = craft("udp 10.0.0.1:1 > 10.0.0.2:2 data x"), craft("udp 10.0.0.1:1 > 10.0.0.2:2 data x bad-checksum")
    assert right != wrong and repaired(wrong) == right
    assert repaired(craft("tcp 10.0.0.1:1 > 10.0.0.2:2 S")[:-4])[2:4] == b"\0\x24"


def test_after_repair_conntrack_calls_no_tcp_udp_or_icmp_checksum_of_the_captures_bad() -> None:
    said = []
    for name, frames in heard().items():
        wall = Wall(DEVICES)
        for packet in packets(frames, ByAddress(DEVICES)):
            data = repaired(packet.data)
            if in_pieces(data):
                continue
            outcome = wall.receive(data, packet.dev or "lan", packet.number)
            said += [(name, packet.number, line) for line in outcome.kernel_log if "checksum" in line]
    assert not said
