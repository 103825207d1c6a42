"""The wall's own ways, asked of the kernel: odd addresses from and to everywhere, dying packets, fragments, its own broadcasts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from sim import wire
from sim.edges.kernel import KernelFirewall
from sim.edges.replay.wall import Wall
from sim.machine.fragments import cut4 as cut
from sim.units import parse_address
from tests.kernel.comparing import Fed, compare
from tests.kernel.conftest import DEVICES

Open = Callable[..., KernelFirewall]
FOUR = (
    "0.0.0.0 0.0.0.5 127.0.0.1 169.254.1.1 192.168.1.0 192.168.1.1 192.168.1.9 192.168.1.255 203.0.113.2 203.0.113.255 8.8.8.8 "
    "224.0.0.1 224.0.0.2 224.0.0.22 239.1.1.1 240.0.0.1 255.255.255.255"
).split()
SIX = (
    ":: ::1 ::5 ::ffff:1.2.3.4 64:ff9b::1 2001:db8::1 fd00:1::1 fd00:1::9 fd00:2::1 fe80::1 fec0::1 ff01::1 ff02::1 ff02::2 ff05::2 "
    "ff02::1:ff00:1 ff0e::5"
).split()
PARTNERS = ("8.8.8.8", "192.168.1.10", "192.168.1.1", "192.168.1.255", "224.0.0.1", "255.255.255.255")
PARTNERS6 = ("2001:db8::8", "fd00:1::10", "fd00:1::1", "ff02::1", "fe80::9")
NOT_TO = ("0.0.0.0", "ff01::1")
"""A known difference: the kernel keeps these to itself when it sends them, ctlab lets them out."""


def udp(src: str, dst: str, ttl: int = 64, size: int = 1, **options: bool) -> bytes:
    one, other = parse_address(src), parse_address(dst)
    segment = wire.udp(one, other, 1000, 53, b"x" * size)
    return wire.ipv4(one, other, 17, segment, ttl=ttl, **options) if len(one) == 4 else wire.ipv6(one, other, 17, segment, ttl=ttl)


def differences(kernel: KernelFirewall, packets: list[tuple[str | None, bytes]], devices: dict[str, list[str]]) -> list[str]:
    fed = [Fed(number, dev, data) for number, (dev, data) in enumerate(packets, 1)]
    return [str(difference) for difference in compare(fed, Wall(devices), kernel)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_odd_addresses_from_and_to_everywhere(real: Open, count: int) -> None:
    devices = dict(list({**DEVICES, "dmz": ["10.9.0.1/16", "fd00:3::1/64"]}.items())[:count])
    pairs = [pair for odd, partners in ((FOUR, PARTNERS), (SIX, PARTNERS6)) for pair in (*product(odd, partners), *product(partners, odd))]
    packets = [(dev, udp(src, dst, ttl)) for dev in devices for src, dst in pairs for ttl in (64, 1)]
    assert differences(real(devices), list(packets), devices) == []


def test_what_the_firewall_itself_sends_to_everywhere(real: Open) -> None:
    own = [("192.168.1.1", dst) for dst in FOUR] + [("203.0.113.2", dst) for dst in FOUR] + [("fd00:1::1", dst) for dst in SIX]
    assert differences(real(), [(None, udp(src, dst)) for src, dst in own if dst not in NOT_TO], DEVICES) == []


def test_fragments_in_any_order_and_sizes_that_do_not_fit(real: Open) -> None:
    client, far, router = "192.168.1.10", "8.8.8.8", "192.168.1.1"
    packets: list[tuple[str | None, bytes]] = []
    for ident, (dst, mtu) in enumerate(product((far, router), (1500, 1004, 68)), 1):
        whole = udp(client, dst, size=3000, dont_fragment=False)
        numbered = whole[:4] + ident.to_bytes(2) + whole[6:]
        pieces = [piece[:10] + wire.checksum(piece[:10] + b"\0\0" + piece[12:20]).to_bytes(2) + piece[12:] for piece in cut(numbered, mtu)]
        packets += [("lan", piece) for piece in (pieces if ident % 2 else reversed(pieces))]
    packets += [("lan", udp(client, far, size=1600)), ("lan", udp(client, far, size=1600, dont_fragment=False))]
    packets += [("lan", udp("fd00:1::10", "2001:db8::8", size=1600)), (None, udp(router, far, size=1600))]
    assert differences(real(), packets, DEVICES) == []
