"""Every protocol without a tracker of its own, by addresses alone, and GRE. As nf_conntrack_core.c and _proto_gre.c, Linux 6.18."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.conntrack import why
from sim.conntrack.conn import Conn, GreConn
from sim.conntrack.words import ACCEPT, ASSURED, CONFIRMED, NAT_CLASH, SEEN_REPLY, TOLD_ASSURED
from sim.packet import Packet
from sim.trace import Reason

if TYPE_CHECKING:
    from sim.conntrack.tracker import Tracker


def plain_reason(conn: Conn, direction: int) -> Reason:
    """Why a packet of a protocol without states has the label it has."""
    if conn.status & SEEN_REPLY:
        return why.GOES_ON
    if direction:
        return why.FIRST_REPLY
    return why.GENERIC if conn.status & CONFIRMED else why.NEW


def handle(tracker: Tracker, conn: Conn, packet: Packet, direction: int, prerouting: bool, now: int) -> int:
    """Any packet will do (generic_packet)."""
    tracker.reason = plain_reason(conn, direction)
    tracker.refresh(conn, tracker.settings.generic, now)
    if conn.acct is not None:
        tracker.count(conn, packet, direction)
    return ACCEPT


def handle_gre(tracker: Tracker, conn: Conn, packet: Packet, direction: int, prerouting: bool, now: int) -> int:
    """GRE: 30 s, and 180 s and ASSURED once both have spoken (nf_conntrack_gre_packet). The entry keeps its first time-outs."""
    assert isinstance(conn, GreConn)
    status = conn.status
    if not status & CONFIRMED:
        conn.timeout, conn.stream = tracker.settings.gre, tracker.settings.gre_stream
    tracker.reason = plain_reason(conn, direction)
    timeout = conn.timeout
    if status & SEEN_REPLY:
        timeout = conn.stream
        if not status & (ASSURED | NAT_CLASH):
            conn.status = status | ASSURED
            conn.cache |= TOLD_ASSURED
    tracker.refresh(conn, timeout, now)
    if conn.acct is not None:
        tracker.count(conn, packet, direction)
    return ACCEPT
