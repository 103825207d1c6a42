"""What goes at the collector's next turn after the table was full: as many closing connections as bring it under 95 %, oldest first."""

from __future__ import annotations

import pytest

from sim.conntrack.settings import Settings
from sim.conntrack.tracker import Tracker
from sim.craft import craft
from sim.packet import Packet
from sim.trace import EntryDestroyed, Event
from sim.units import SECOND

CLIENT, SERVER = "192.168.1.10", "203.0.113.9"
MOST = 200


def feed(tracker: Tracker, words: str, now: int) -> int:
    """The verdict on a packet that goes through."""
    packet = Packet(craft(words), 1)
    tracked = tracker.track(packet, 0, now)
    if tracked.conn is not None:
        tracker.confirm(tracked.conn, packet, now, tracked.ctinfo)
    return tracked.verdict


def full(closing: int, heard: list[Event], most: int = MOST) -> Tracker:
    """A table of assured TCP connections, of which the newest are in FIN_WAIT."""
    made = Settings()
    made.set("nf_conntrack_max", str(most))
    tracker = Tracker(made, emit=heard.append)
    for port in range(1, most + 1):
        there, back = f"tcp {CLIENT}:{port} > {SERVER}:80", f"tcp {SERVER}:80 > {CLIENT}:{port}"
        for words in (f"{there} S seq 1", f"{back} S. seq 1 ack 2", f"{there} . seq 2 ack 2"):
            feed(tracker, words, port)
        if port > most - closing:
            feed(tracker, f"{there} F. seq 2 ack 2", port)
    return tracker


@pytest.mark.parametrize(("closing", "left"), [(20, 189), (11, 189), (4, 196), (0, 200)])
def test_closing_connections_go_until_less_than_95_percent_is_taken(closing: int, left: int) -> None:
    heard: list[Event] = []
    tracker = full(closing, heard)
    assert feed(tracker, f"udp {CLIENT}:9 > {SERVER}:53", 10 * SECOND) == 0
    assert tracker.next_expiry() == 60 * SECOND
    tracker.expire(60 * SECOND)
    assert len(tracker.table) == left
    gone = [event.conn for event in heard if isinstance(event, EntryDestroyed)]
    assert gone == list(range(MOST - closing + 1, 2 * MOST - closing - left + 1))
    assert feed(tracker, f"udp {CLIENT}:9 > {SERVER}:53", 61 * SECOND) == (1 if closing else 0)


def test_a_table_that_is_nearly_full_keeps_its_closing_connections_while_nobody_was_turned_away() -> None:
    tracker = full(20, [])
    tracker.expire(90 * SECOND)
    assert len(tracker.table) == MOST


def test_no_more_than_257_go_in_a_turn_and_the_rest_waits_until_somebody_is_turned_away_again() -> None:
    tracker = full(600, [], 600)
    tracker.settings.set("nf_conntrack_max", str(MOST))
    for minute, left in ((1, 600 - 257), (2, 189)):
        tracker.expire((60 * minute - 1) * SECOND)
        assert feed(tracker, f"udp {CLIENT}:9999 > {SERVER}:53", (60 * minute - 1) * SECOND) == 0
        tracker.expire(60 * minute * SECOND)
        assert len(tracker.table) == left


def test_a_table_that_has_room_again_by_then_is_left_alone() -> None:
    tracker = full(20, [])
    feed(tracker, f"udp {CLIENT}:9 > {SERVER}:53", 10 * SECOND)
    for conn in list(tracker.entries())[:12]:
        tracker.delete(conn, 11 * SECOND)
    tracker.expire(60 * SECOND)
    assert len(tracker.table) == MOST - 12
