"""A packet that a person writes and that has no way to its destination is dropped with a reason, like any other."""

from __future__ import annotations

from sim.craft import craft
from sim.trace import Dropped
from tests.apps.lab import Lab


def test_a_crafted_packet_without_a_route_is_dropped_where_it_was_made() -> None:
    lab = Lab()
    lab.machines["laptop"].send_crafted(craft("udp 192.168.1.10:1 > 203.0.113.9:2"))
    dropped = [record.event for record in lab.trace if isinstance(record.event, Dropped)]
    assert [(event.where, event.reason.code) for event in dropped] == [("routing", "no-route")]
