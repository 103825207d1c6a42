"""TCP: one segment of a connection is judged. As nf_conntrack_tcp_packet, net/netfilter/nf_conntrack_proto_tcp.c, Linux 6.18.

First its form (lengths, checksum, flags), then the grid (tcp_grid.py) and what a grid cannot say (tcp_special.py), then the
window (tcp_window.py); what passes moves the state and sets the time-out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.conntrack import checksums, why
from sim.conntrack import tcp_window as window
from sim.conntrack.conn import TcpConn
from sim.conntrack.settings import RETRANS, UNACK
from sim.conntrack.tcp_grid import (
    CLOSE,
    ESTABLISHED,
    FIN,
    FIN_WAIT,
    IV,
    NEXT,
    NONE,
    RST,
    SEGMENT_OF,
    SEGMENTS,
    STATES,
    SYN,
    SYN_RECV,
    SYN_SENT,
    VALID_FLAGS,
)
from sim.conntrack.tcp_special import GO_ON, IN_WINDOW, SPECIAL, special
from sim.conntrack.tcp_why import REASON_OF
from sim.conntrack.words import (
    ACCEPT,
    ASSURED,
    CONFIRMED,
    HZ,
    INVALID,
    SEEN_REPLY,
    TOLD_ASSURED,
    TOLD_PROTOINFO,
    Segment,
)
from sim.packet import Packet
from sim.units import SECOND

if TYPE_CHECKING:
    from mypy_extensions import i64

    from sim.conntrack.tracker import Tracker


def handle(tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, prerouting: bool, now: i64) -> int:
    """Judge one segment of `conn`; returns ACCEPT, INVALID or REPEAT (nf_conntrack_tcp_packet)."""
    if not packet.complete:
        tracker.why = why.TCP_SHORT
        return INVALID
    if not packet.l4 + 20 <= packet.payload <= len(packet.data):
        tracker.malformed(6, "truncated packet", why.TCP_TRUNCATED)
        return INVALID
    if prerouting and tracker.settings.checksum and not checksums.transport_ok(packet):
        tracker.malformed(6, "bad checksum", why.BAD_CHECKSUM)
        return INVALID
    if not VALID_FLAGS[packet.flags]:
        tracker.malformed(6, "invalid tcp flag combination", why.TCP_FLAGS)
        return INVALID
    return _judge(tracker, conn, packet, direction, now)


def _judge(tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, now: i64) -> int:
    """A well-formed segment: grid, special cases, window."""
    index: i64 = SEGMENT_OF[packet.flags]
    if not conn.status & CONFIRMED and not _start(tracker, conn, packet, index):
        return INVALID
    old = conn.state
    cell = (direction * SEGMENTS + index) * STATES + old
    new: i64 = NEXT[cell]
    tracker.reason = REASON_OF[cell]
    if tracker.emit is not None:
        tracker.numbers = {"cell": tracker.reason.code}
    step: i64 = GO_ON
    if SPECIAL[new]:
        step, old, new = special(tracker, conn, packet, direction, index, old, new, now)
    if step == GO_ON:
        found = window.judge(tracker, conn, packet, direction, index)
        if found == window.INVALID:
            _lower_timeout(tracker, conn, direction, index, now)
            return INVALID
        if found == window.IGNORE:
            return ACCEPT
    elif step != IN_WINDOW:
        return step
    return _take(tracker, conn, packet, direction, index, old, new, now)


def _start(tracker: Tracker, conn: TcpConn, packet: Packet, index: i64) -> bool:
    """The first segment of an entry (tcp_new): a SYN, or the middle of a connection when tcp_loose allows to pick it up."""
    new = NEXT[index * STATES + NONE]
    if new == IV:
        tracker.log(6, "invalid new")
        tracker.why = REASON_OF[index * STATES + NONE]
        return False
    sender = conn.first
    if new != SYN_SENT and not tracker.settings.tcp_loose:
        tracker.why = why.TCP_NOT_LOOSE
        return False
    sender.end = sender.maxend = window.segment_end(packet)
    sender.maxwin = packet.window or 1
    if new == SYN_SENT:
        window.read_options(packet, sender)
    else:
        sender.maxend = (sender.end + sender.maxwin) & window.M
        # the scale was agreed on before we came: judge liberally
        for side in conn.sides:
            side.flags = window.SACK_PERM | window.BE_LIBERAL
    conn.last_index = Segment.NONE
    return True


def _lower_timeout(tracker: Tracker, conn: TcpConn, direction: i64, index: i64, now: i64) -> None:
    """A FIN or RST that was INVALID, answered by one from the other end: do not hold the entry for days (nf_tcp_handle_invalid)."""
    if not conn.status & ASSURED or index not in (RST, FIN):
        return
    if conn.last_direction == direction or conn.last_index not in (FIN, RST):
        conn.last_index, conn.last_direction = index, direction
        return
    left, timeout = conn.expires - now, _timeouts(tracker, conn)[UNACK]
    # the kernel counts in ticks: what began within this one has lost nothing yet
    if -(-left * HZ // SECOND) >= 120 * HZ and left > timeout:
        ticks = timeout * HZ // SECOND
        tracker.log(6, f"packet (index {index}, dir {direction}) response for index {conn.last_index} lower timeout to {ticks}")
        tracker.refresh(conn, timeout, now)


def _timeout(tracker: Tracker, conn: TcpConn, index: i64, new: i64) -> i64:
    """How long the entry may stay without a further segment."""
    timeouts = _timeouts(tracker, conn)
    usual: i64 = timeouts[new]
    if conn.retrans >= tracker.settings.tcp_max_retrans and usual > timeouts[RETRANS]:
        return timeouts[RETRANS]
    if index == RST:
        return timeouts[CLOSE]
    if (conn.first.flags | conn.second.flags) & window.UNACKNOWLEDGED and usual > timeouts[UNACK]:
        return timeouts[UNACK]
    if conn.last_win == 0 and usual > timeouts[RETRANS]:
        return timeouts[RETRANS]
    return usual


def _timeouts(tracker: Tracker, conn: TcpConn) -> list[int]:
    """By state: a policy's, or the settings'."""
    return tracker.settings.tcp if conn.timeouts is None else conn.timeouts


def _take(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64, old: i64, new: i64, now: i64
) -> int:
    """From here on the segment is in the window: new state, new time-out, ASSURED."""
    conn.last_index, conn.last_direction = index, direction
    conn.state = new
    if old != new:
        conn.cache |= TOLD_PROTOINFO
        if new == FIN_WAIT:
            conn.side(direction).flags |= window.CLOSE_INIT
    timeout = _timeout(tracker, conn, index, new)
    if not conn.status & SEEN_REPLY:
        if packet.flags & 4:
            tracker.count(conn, packet, direction)
            tracker.destroy(conn, now, why.TCP_REFUSED)
            return ACCEPT
        if index == SYN and old == SYN_SENT:
            return ACCEPT
        if new == ESTABLISHED and timeout > _timeouts(tracker, conn)[UNACK]:
            timeout = _timeouts(tracker, conn)[UNACK]
    elif new == ESTABLISHED and not conn.status & ASSURED and (old in (ESTABLISHED, SYN_RECV)):
        conn.status |= ASSURED
        conn.cache |= TOLD_ASSURED
    tracker.refresh(conn, timeout, now)
    if conn.acct is not None:
        tracker.count(conn, packet, direction)
    return ACCEPT
