"""UDP and UDP-Lite: no handshake, so two datagrams make a conversation. As nf_conntrack_proto_udp.c, Linux 6.18.

UDP: NEW until an answer is seen; 30 s; once both have spoken and two seconds have passed since the first, each datagram
makes it a stream: 120 s and ASSURED. UDP-Lite becomes one with the first datagram after the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.conntrack import checksums, why
from sim.conntrack.conn import Conn
from sim.conntrack.words import ACCEPT, ASSURED, CONFIRMED, INVALID, NAT_CLASH, SEEN_REPLY, TOLD_ASSURED
from sim.packet import Packet
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.conntrack.tracker import Tracker

STREAM_AFTER: Final = 2 * SECOND


def handle(tracker: Tracker, conn: Conn, packet: Packet, direction: int, prerouting: bool, now: int) -> int:
    """Judge one datagram of `conn` (nf_conntrack_udp_packet)."""
    if _malformed(tracker, packet, prerouting):
        return INVALID
    status, settings = conn.status, tracker.settings
    if not status & CONFIRMED:
        conn.stamp = now + STREAM_AFTER
    timeout = settings.udp if conn.timeouts is None else conn.timeouts[0]
    tracker.reason = why.UDP_FIRST_REPLY if direction else why.UDP_UNANSWERED if status & CONFIRMED else why.UDP_NEW
    if status & SEEN_REPLY:
        tracker.reason = why.UDP_REPLIED
        if now > conn.stamp:
            timeout = settings.udp_stream if conn.timeouts is None else conn.timeouts[1]
            tracker.reason = why.UDP_STREAM
            if not status & (ASSURED | NAT_CLASH):
                conn.status = status | ASSURED
                conn.cache |= TOLD_ASSURED
    tracker.refresh(conn, timeout, now)
    if conn.acct is not None:
        tracker.count(conn, packet, direction)
    return ACCEPT


def _malformed(tracker: Tracker, packet: Packet, prerouting: bool) -> bool:
    """udp_error. A checksum of 0 means none was made, over IPv6 too."""
    if not packet.complete:
        return tracker.malformed(17, "short packet", why.UDP_SHORT)
    data, at = packet.data, packet.l4
    length = data[at + 4] << 8 | data[at + 5]
    if length > len(data) - at or length < 8:
        return tracker.malformed(17, "truncated/malformed packet", why.UDP_TRUNCATED)
    if prerouting and (data[at + 6] or data[at + 7]) and tracker.settings.checksum and not checksums.transport_ok(packet):
        return tracker.malformed(17, "bad checksum", why.BAD_CHECKSUM)
    return False


def handle_lite(tracker: Tracker, conn: Conn, packet: Packet, direction: int, prerouting: bool, now: int) -> int:
    """Judge one UDP-Lite datagram of `conn` (nf_conntrack_udplite_packet)."""
    if _lite_malformed(tracker, packet, prerouting):
        return INVALID
    status, settings = conn.status, tracker.settings
    timeout = settings.udp
    tracker.reason = why.UDP_FIRST_REPLY if direction else why.UDP_UNANSWERED if status & CONFIRMED else why.UDP_NEW
    if status & SEEN_REPLY:
        timeout = settings.udp_stream
        tracker.reason = why.UDP_STREAM
        if not status & (ASSURED | NAT_CLASH):
            conn.status = status | ASSURED
            conn.cache |= TOLD_ASSURED
    tracker.refresh(conn, timeout, now)
    if conn.acct is not None:
        tracker.count(conn, packet, direction)
    return ACCEPT


def _lite_malformed(tracker: Tracker, packet: Packet, prerouting: bool) -> bool:
    """udplite_error."""
    if not packet.complete:
        return tracker.malformed(136, "short packet", why.UDP_SHORT)
    data, at = packet.data, packet.l4
    coverage = data[at + 4] << 8 | data[at + 5]
    if coverage == 0:
        coverage = len(data) - at
    elif coverage < 8 or coverage > len(data) - at:
        return tracker.malformed(136, "invalid checksum coverage", why.UDPLITE_COVERAGE)
    if not (data[at + 6] or data[at + 7]):
        return tracker.malformed(136, "checksum missing", why.UDPLITE_NO_CHECKSUM)
    if prerouting and tracker.settings.checksum and not checksums.udplite_ok(packet, coverage):
        return tracker.malformed(136, "bad checksum", why.BAD_CHECKSUM)
    return False
