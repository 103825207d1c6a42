"""PPTP, Amanda, SANE, NetBIOS and SNMP: what their helpers expect, and what is RELATED for it, packet by packet as the kernel has it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sim import wire
from sim.conntrack import show
from sim.edges.kernel import KernelFirewall
from sim.edges.replay import load_rules
from sim.edges.replay.wall import Wall
from sim.packet import Packet
from tests.kernel.conftest import DEVICES
from tests.kernel.helped_more import AMANDA, AMANDA6, BROADCAST, FOUR, PPTP, SANE, SANE6, SIX, Fed
from tests.kernel.test_helpers_against_kernel import differences

SECOND_ADDRESS = "192.168.7.1/24"
BOTH = DEVICES | {"lan": [*DEVICES["lan"], SECOND_ADDRESS]}
COMPARED = ("protocol", "state", "original", "reply", "unreplied", "assured", "mark")


@pytest.fixture(scope="module")
def helping() -> Iterator[KernelFirewall]:
    """The kernel with the rules; each test begins with an empty table. An address has a broadcast address only when told so."""
    with KernelFirewall(BOTH, iptables=FOUR, ip6tables=SIX) as kernel:
        kernel.command(["ip", "addr", "del", SECOND_ADDRESS, "dev", "lan"])
        kernel.command(["ip", "addr", "add", SECOND_ADDRESS, "broadcast", "+", "dev", "lan"])
        yield kernel


def entries(wall: Wall) -> list[str]:
    """Our table, a line an entry, without the time left."""
    views = [show.entry_view(conn, wall.now) for conn in wall.ip.tracker.entries()]
    return sorted(str({name: view[name] for name in COMPARED}) for view in views)


def table_differs(kernel: KernelFirewall, wall: Wall) -> list[str]:
    theirs = sorted(str({name: entry[name] for name in COMPARED}) for entry in kernel.table())
    return [] if entries(wall) == theirs else [f"table: ctlab {entries(wall)}, kernel {theirs}"]


def check(kernel: KernelFirewall, packets: Fed) -> None:
    kernel.flush()
    wall = Wall(BOTH)
    load_rules(wall.ip.rules, FOUR, "rules")
    load_rules(wall.ip.rules, SIX, "rules", ipv6=True)
    found: list[str] = []
    for packet in packets:
        found += differences(kernel, wall, [packet])  # type: ignore[list-item]  # a device may be None: the firewall's own
        if packet[1][9] == 47 or packet is packets[-1]:
            found += table_differs(kernel, wall)
    # the kernel's side cannot name a GRE packet's entry by the packet alone: the whole table is compared for it
    assert [each for each in found if "'protocol': 'gre'" not in each or "packet 1: entry" not in each] == []


@pytest.mark.parametrize("name", PPTP)
def test_pptp(helping: KernelFirewall, name: str) -> None:
    check(helping, PPTP[name])


@pytest.mark.parametrize("name", SANE)
def test_sane_in_ipv4(helping: KernelFirewall, name: str) -> None:
    check(helping, SANE[name])


@pytest.mark.parametrize("name", SANE6)
def test_sane_in_ipv6(helping: KernelFirewall, name: str) -> None:
    check(helping, SANE6[name])


@pytest.mark.parametrize("name", AMANDA)
def test_amanda_in_ipv4(helping: KernelFirewall, name: str) -> None:
    check(helping, AMANDA[name])


@pytest.mark.parametrize("name", AMANDA6)
def test_amanda_in_ipv6(helping: KernelFirewall, name: str) -> None:
    check(helping, AMANDA6[name])


@pytest.mark.parametrize("name", BROADCAST)
def test_questions_to_everybody(helping: KernelFirewall, name: str) -> None:
    check(helping, BROADCAST[name])


EVERYTHING = {**{f"PPTP {name}": packets for name, packets in PPTP.items()}, **SANE, **AMANDA}
BYTES = (0, 1, 2, 7, 8, 10, 11, 13, 0x1A, 0x30, 0x39, 0x80, 0xFF)


def spoil(chance: random.Random, data: bytes) -> bytes:
    """The same packet with a payload in which a few bytes are others, or of which the end is missing; its checksums are right."""
    packet = Packet(data)
    at = packet.payload if packet.protonum == 6 else packet.l4 + (12 if packet.protonum == 47 else 8)
    payload = bytearray(data[at:])
    if not payload or chance.random() < 0.5 or packet.protonum not in (6, 17):
        return data
    for _ in range(chance.choice((1, 1, 2, 4))):
        payload[chance.randrange(min(len(payload), 40))] = chance.choice(BYTES)
    if chance.random() < 0.2:
        del payload[chance.randrange(len(payload)) :]
    ends = packet.src, packet.dst, packet.sport, packet.dport
    if packet.protonum == 17:
        return wire.ip(packet.src, packet.dst, 17, wire.udp(*ends, bytes(payload)))
    segment = wire.tcp(*ends, seq=packet.seq, ack=packet.ack, flags=packet.flags, window=packet.window, payload=bytes(payload))
    return wire.ip(packet.src, packet.dst, 6, segment)


@pytest.mark.parametrize("seed", range(2))
def test_spoiled_conversations_are_helped_as_the_kernel_helps_them(helping: KernelFirewall, seed: int) -> None:
    chance = random.Random(seed)
    for name in chance.choices(list(EVERYTHING), k=12):
        check(helping, [(dev, spoil(chance, data)) for dev, data in EVERYTHING[name]])
