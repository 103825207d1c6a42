"""The table's own: how a packet's direction is told in it, that it goes when its tracker goes, and that huge pages change nothing."""

from __future__ import annotations

import gc
import weakref

import pytest

from sim import hugepages, wire
from sim.conntrack import table
from sim.conntrack.expect import Expectation
from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import mark_of_second, packed_inverse
from sim.conntrack.zones import ORIGINAL_ONLY, REPLY_ONLY
from sim.packet import Packet, Tuple

HERE, THERE = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


class Ear:
    """Hears a tracker's events, and is held by nobody else."""

    def __call__(self, event: object) -> None:
        pass


def datagram(src: bytes, dst: bytes, sport: int, dport: int) -> Packet:
    return Packet(wire.ipv4(src, dst, 17, wire.udp(src, dst, sport, dport, b"x")))


def opened(tracker: Tracker, packet: Packet) -> None:
    tracker.enter(packet, 0, 0)
    assert tracker.conn is not None
    tracker.confirm(tracker.conn, packet, 0)


def test_a_packet_of_equal_ends_is_of_the_reply_s_direction() -> None:
    tracker, packet = Tracker(), datagram(HERE, HERE, 500, 500)
    opened(tracker, packet)
    assert [tracker.track(packet, 0, 1).ctinfo for _ in range(2)] == [3, 3]


@pytest.mark.parametrize(
    "packet", [datagram(HERE, HERE, 500, 501), datagram(HERE, THERE, 500, 500), datagram(HERE, THERE, 1, 256)], ids=str
)
def test_the_mark_of_a_direction_is_in_its_own_packets_alone(packet: Packet) -> None:
    there = packet.data[12:24] + b"\x11"
    back = packed_inverse(there)
    assert back is not None
    turn = mark_of_second(there, back)
    assert (back[turn >> 8], there[turn >> 8] == back[turn >> 8]) == (turn & 255, False)


def test_of_two_entries_under_one_tuple_the_newer_is_found_and_behind_it_the_older() -> None:
    tracker = Tracker()
    there, back = Tuple(HERE, THERE, 1000, 53, 17), Tuple(THERE, HERE, 53, 1000, 17)
    older, newer = tracker.fresh(there, back, 7 | REPLY_ONLY), tracker.fresh(back, there, 7 | ORIGINAL_ONLY)
    for conn in (older, newer):
        tracker.table.add(conn)
    assert [tracker.find(there), tracker.find(back, 7)] == [(newer, 1), (newer, 0)]
    assert list(tracker.entries()) == [older, newer]
    tracker.table.remove(newer)
    assert [tracker.find(there), tracker.find(back, 7)] == [(older, 0), (older, 1)]
    tracker.table.remove(older)
    assert tracker.find(there) is None and list(tracker.entries()) == []


def test_the_older_of_two_entries_under_one_tuple_goes_and_the_newer_stays() -> None:
    tracker = Tracker()
    there, back = Tuple(HERE, THERE, 1000, 53, 17), Tuple(THERE, HERE, 53, 1000, 17)
    older, newer = tracker.fresh(there, back, 7 | REPLY_ONLY), tracker.fresh(back, there, 7 | ORIGINAL_ONLY)
    for conn in (older, newer):
        tracker.table.add(conn)
    tracker.table.remove(older)
    assert list(tracker.entries()) == [newer] and tracker.find(there) == (newer, 1)


def test_a_tracker_that_nobody_has_any_more_is_forgotten_with_all_that_its_connections_announced() -> None:
    ear = Ear()
    tracker, packet = Tracker(emit=ear), datagram(HERE, THERE, 5060, 5060)
    opened(tracker, packet)
    assert tracker.conn is not None
    expected = Expectation(tracker.conn, Tuple(THERE, HERE, 0, 4000, 17), helper="sip")
    assert tracker.expectations.expect(expected, 0)
    assert (tracker.conn.expecting, tracker.expectations.of(tracker.conn)) == (1, [expected])
    gone = weakref.ref(ear)
    del tracker, expected, ear
    gc.collect()
    assert gone() is None


def test_a_large_table_asks_for_huge_pages_whenever_it_has_grown_by_a_quarter(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    tracker = Tracker()
    monkeypatch.setattr(hugepages, "collapse", lambda: asked.append(len(tracker.table)))
    tracker.table._large = 8
    for port in range(1, 14):
        opened(tracker, datagram(HERE, THERE, port, 53))
    assert asked == [8, 10, 12]
    assert table.LARGE > 13


def test_memory_in_huge_pages_has_the_same_content() -> None:
    large = [bytes([number % 251]) * 1000 for number in range(10_000)]
    assert hugepages.collapse() >= 0
    assert all(data == bytes([number % 251]) * 1000 for number, data in enumerate(large))
