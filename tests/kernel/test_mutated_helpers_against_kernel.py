"""What clients and servers say, gone wrong by chance (by seed): helpers must say, expect and drop just what the kernel's do."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sim import wire
from sim.edges.kernel import KernelFirewall
from sim.edges.replay import load_rules
from sim.edges.replay.wall import Wall
from sim.packet import Packet
from tests.kernel.conftest import DEVICES
from tests.kernel.helped import FOUR, FTP, FTP6, IRC, SIP, SIP6, SIP_TCP, SIX, TFTP, Packets
from tests.kernel.test_helpers_against_kernel import differences

EVERYTHING: dict[str, Packets] = {**FTP, **FTP6, **TFTP, **IRC, **SIP, **SIP6, **SIP_TCP}
SCRAPS = (
    b"\r\n", b"\n", b" ", b":", b",", b"|", b"(", b"192,168,1,10,4,1", b"227 ", b"sip:", b"@", b"\r\n ", b";expires=5",
    b"m=audio 4000 x\r\n",
    b"c=IN IP4 192.168.1.10\r\n", b"\0", b"\xff", b"0", b"9", b"v=0\r\n", b"CSeq: 2 INVITE\r\n", b"\1DCC ", b" :", b"[", b"]",
)  # fmt: skip
MOST = 1200
"""Bytes of a payload."""


def spoil(chance: random.Random, payload: bytes) -> bytes:
    """Cut, insert, flip, repeat: one to three times."""
    made = bytearray(payload)
    for _ in range(chance.choice((1, 1, 2, 3))):
        at, other = chance.randrange(len(made) + 1), chance.randrange(len(made) + 1)
        match chance.randrange(5):
            case 0:
                del made[at : at + chance.choice((1, 2, 5, 20))]
            case 1:
                made[at:at] = chance.choice(SCRAPS)
            case 2:
                made[at : at + 1] = bytes((chance.randrange(256),))
            case 3:
                del made[at:]
            case _:
                made[at:at] = made[min(at, other) : max(at, other)][:60]
    return bytes(made[:MOST])


def spoiled(chance: random.Random, packets: Packets) -> Iterator[tuple[str, bytes]]:
    """The same packets, more than half of their payloads spoiled, their checksums right."""
    for dev, data in packets:
        packet = Packet(data)
        at = packet.payload if packet.protonum == 6 else packet.l4 + 8
        payload = spoil(chance, data[at:]) if len(data) > at and chance.random() < 0.6 else data[at:]
        ends = packet.src, packet.dst, packet.sport, packet.dport
        if packet.protonum == 6:
            segment = wire.tcp(*ends, seq=packet.seq, ack=packet.ack, flags=packet.flags, window=packet.window, payload=payload)
        else:
            segment = wire.udp(*ends, payload)
        yield dev, wire.ip(packet.src, packet.dst, packet.protonum, segment)


@pytest.mark.parametrize("seed", range(4))
def test_spoiled_conversations_are_helped_as_the_kernel_helps_them(seed: int) -> None:
    chance = random.Random(seed)
    found: list[str] = []
    with KernelFirewall(DEVICES, iptables=FOUR, ip6tables=SIX) as kernel:
        for name in chance.choices(list(EVERYTHING), k=60):
            kernel.flush()
            wall = Wall(DEVICES)
            load_rules(wall.ip.rules, FOUR, "rules")
            load_rules(wall.ip.rules, SIX, "rules", ipv6=True)
            found += [f"{name}: {line}" for line in differences(kernel, wall, list(spoiled(chance, EVERYTHING[name])))]
    assert found == []
