"""Fragments ahead of conntrack: what waits, what is thrown away, what comes out. The kernel's word on it: tests/kernel."""

from __future__ import annotations

import pytest

from sim.craft import craft
from sim.machine.fragments import cut4
from sim.machine.ip import IpLayer
from sim.netfilter.words import Hook
from sim.packet import Packet
from sim.trace import Delivered, Event, Labelled

WHOLE = craft("udp 192.168.1.10:99 > 203.0.113.9:53 data " + '"' + "x" * 100 + '"')


def router() -> tuple[IpLayer, list[bytes], list[Event], list[int]]:
    sent, heard, clock = list[bytes](), list[Event](), [0]
    ip = IpLayer("router", lambda: clock[0], lambda dev, via, packet: sent.append(packet.data), lambda skb: None, heard.append)
    for dev, address in (("lan", "192.168.1.1/24"), ("wan", "203.0.113.2/24")):
        ip.add_interface(dev, [address])
    ip.forward(True)
    ip.track_always = True
    ip.arrange_conntrack()
    return ip, sent, heard, clock


def pieces() -> list[bytes]:
    return cut4(WHOLE[:6] + b"\0\0" + WHOLE[8:10] + (0).to_bytes(2) + WHOLE[12:], 60)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 1, 0, 2), (2, 0, 2, 1)])
def test_the_last_to_come_carries_the_whole_on_and_it_leaves_in_the_pieces_in_which_it_came(order: tuple[int, ...]) -> None:
    ip, sent, heard, _ = router()
    assert len(pieces()) == 3
    for number, which in enumerate(order, 1):
        ip.receive(pieces()[which], "lan", number)
    labels = [(event.packet, event.label) for event in heard if isinstance(event, Labelled)]
    assert labels == [(len(order), "NEW")]
    assert [len(data) for data in sent] == [len(data) for data in pieces()]
    waiting = [event.packet for event in heard if isinstance(event, Delivered)]
    assert waiting == list(range(1, len(order)))


def test_one_that_overlaps_takes_all_along() -> None:
    ip, sent, heard, _ = router()
    first, second, third = pieces()
    over = cut4(WHOLE[:6] + b"\0\0" + WHOLE[8:], 52)[1]
    assert Packet(over).fragment < Packet(second).fragment
    for number, data in enumerate((first, over, second, third), 1):
        ip.receive(data, "lan", number)
    assert not sent and not [event for event in heard if isinstance(event, Labelled)]


def test_what_is_not_whole_in_time_is_forgotten_and_a_timer_stands_at_that_moment() -> None:
    ip, sent, _, clock = router()
    first, second, third = pieces()
    ip.receive(first, "lan", 1)
    assert ip.next_expiry() == 30_000_000
    clock[0] = 30_000_000
    ip.expire(clock[0])
    assert ip.next_expiry() is None
    for number, data in enumerate((second, third), 2):
        ip.receive(data, "lan", number)
    assert not sent and ip.next_expiry() == 60_000_000


def test_it_stands_at_minus_400_while_conntrack_is_there() -> None:
    ip, sent, _, _ = router()
    assert ip.hooks.names(Hook.PREROUTING)[0] == ip.hooks.names(Hook.OUTPUT)[0] == (-400, "defrag")
    ip.track_always = False
    ip.arrange_conntrack()
    assert "defrag" not in {name for hook in Hook for _, name in ip.hooks.names(hook)}
    ip.receive(pieces()[1], "lan", 1)
    assert len(sent) == 1
