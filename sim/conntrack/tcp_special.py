"""What TCP's grid cannot say: a function for each word of the grid that needs more than a look. As nf_conntrack_tcp_packet, Linux 6.18.

`_reopen_or_ignore`: a SYN on a closed connection; `_ignore`: let through, and get back in step with ends that are ahead of
us; `_refuse`; `_challenge`: RFC 5961's ACK to a stray SYN is not the last ACK; `_simultaneous`; `_answered`; `_reset`: which
RST to believe. `special` calls them by the grid's word; each answers (step, old state, new state).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.conntrack import tcp_window as window
from sim.conntrack import why
from sim.conntrack.conn import Side, TcpConn
from sim.conntrack.tcp_grid import (
    ACK,
    CLOSE,
    EARLY_DROP,
    ESTABLISHED,
    IV,
    LAST_ACK,
    RST,
    SEGMENTS,
    STATES,
    SYN,
    SYN_RECV,
    SYN_SENT,
    SYN_SENT2,
    SYNACK,
    TIME_WAIT,
)
from sim.conntrack.tcp_why import REASON_OF
from sim.conntrack.words import ACCEPT, ASSURED, INVALID, ORIGINAL, REPEAT, REPLY, SEEN_REPLY, TCP_STATE_NAMES
from sim.packet import Packet

if TYPE_CHECKING:
    from mypy_extensions import i64

    from sim.conntrack.tracker import Tracker

GO_ON: Final = 0
IN_WINDOW: Final = 2
"""What a special case answers besides a verdict: judge the window, or take the segment without."""
Step = tuple["i64", "i64", "i64"]


def _reopen_or_ignore(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64, old: i64, new: i64, now: i64
) -> Step:
    """A SYN on a closed connection starts a new one (RFC 9293 section 3.6.1), if we saw it close or be reset from there."""
    if old < TIME_WAIT:
        return GO_ON, old, new
    closed = (conn.first.flags | conn.second.flags) & window.CLOSE_INIT
    if closed or (conn.last_direction == direction and conn.last_index == RST):
        tracker.destroy(conn, now, why.TCP_REOPENED)
        return REPEAT, old, new
    return _ignore(tracker, conn, packet, direction, index, old, new, now)


def _ignore(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64, old: i64, new: i64, now: i64
) -> Step:
    """Let it through and change no state: we may be out of step. A SYN/ACK that answers an ignored SYN brings us back in."""
    if index == SYNACK and conn.last_index == SYN and conn.last_direction != direction and packet.ack == conn.last_end:
        _resynchronise(conn, direction)
        tracker.reason = why.TCP_RESYNCHRONISED
        return GO_ON, SYN_SENT, SYN_RECV
    conn.last_index, conn.last_direction = index, direction
    conn.last_seq, conn.last_win = packet.seq, packet.window
    conn.last_end = window.segment_end(packet)
    if index == SYN and direction == ORIGINAL:
        seen = Side()
        window.read_options(packet, seen)
        conn.last_flags = seen.flags & (window.WINDOW_SCALE | window.SACK_PERM)
        conn.last_scale = seen.scale if seen.flags & window.WINDOW_SCALE else 0
        if old == LAST_ACK:
            conn.last_flags |= window.EXP_CHALLENGE_ACK
    if old == SYN_SENT and index == ACK and direction == REPLY:
        conn.last_ack = packet.ack
    tracker.log(6, f"packet (index {index}) in dir {direction} ignored, state {TCP_STATE_NAMES[old]}")
    return ACCEPT, old, new


def _resynchronise(conn: TcpConn, direction: i64) -> None:
    """Client and server agree on a new connection while we hold an old one: take over what the ignored SYN said."""
    starter, answerer = conn.side(conn.last_direction), conn.side(direction)
    starter.end = starter.maxend = conn.last_end
    starter.maxwin = conn.last_win or 1
    starter.scale = conn.last_scale
    conn.last_flags &= ~window.EXP_CHALLENGE_ACK
    starter.flags = conn.last_flags
    answerer.end = answerer.maxend = answerer.maxwin = answerer.maxack = answerer.scale = 0
    answerer.flags &= window.BE_LIBERAL


def _refuse(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64, old: i64, new: i64, now: i64
) -> Step:
    tracker.log(6, f"packet (index {index}) in dir {direction} invalid, state {TCP_STATE_NAMES[old]}")
    tracker.why = REASON_OF[(direction * SEGMENTS + index) * STATES + old]
    return INVALID, old, new


def _challenge(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64, old: i64, new: i64, now: i64
) -> Step:
    """RFC 5961 section 4: an ACK in answer to a stray SYN. It does not acknowledge the last FIN."""
    if (
        old == LAST_ACK and index == ACK and conn.last_direction != direction and conn.last_index == SYN
        and conn.last_flags & window.EXP_CHALLENGE_ACK
    ):  # fmt: skip
        conn.last_flags &= ~window.EXP_CHALLENGE_ACK
        tracker.log(6, "challenge-ack ignored")
        tracker.reason = why.TCP_CHALLENGE_ACK
        return ACCEPT, old, new
    return GO_ON, old, new


def _simultaneous(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64, old: i64, new: i64, now: i64
) -> Step:
    conn.last_flags |= window.SIMULTANEOUS_OPEN
    return GO_ON, old, new


def _answered(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64, old: i64, new: i64, now: i64
) -> Step:
    """In a simultaneous open an ACK from the replying side ends the handshake."""
    if direction == REPLY and index == ACK and conn.last_flags & window.SIMULTANEOUS_OPEN:
        tracker.reason = why.TCP_SIMULTANEOUS
        return GO_ON, old, ESTABLISHED
    return GO_ON, old, new


def _reset(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64, old: i64, new: i64, now: i64
) -> Step:
    """Which RST to believe: a blind attacker sends them too (RFC 5961 section 3)."""
    if index != RST:
        return GO_ON, old, new
    if old in EARLY_DROP:
        return IN_WINDOW, old, new
    other = conn.side(1 - direction)
    if other.flags & window.MAXACK_SET and conn.last_index != SYN:
        step = _exact_reset(tracker, conn, packet, direction, other.maxack, old)
        if step != KEEP:
            return step, old, new
        new = old
        tracker.reason = why.TCP_RST_INEXACT
    half_open = bool(conn.status & SEEN_REPLY) and conn.last_index == SYN and conn.last_direction != direction
    half_open = half_open or (not conn.status & ASSURED and conn.last_index == ACK)
    if half_open and packet.ack == conn.last_end:
        return IN_WINDOW, old, new
    if old == SYN_SENT and conn.last_index == ACK and conn.last_direction == REPLY and packet.seq == conn.last_ack:
        return IN_WINDOW, old, new
    return GO_ON, old, new


KEEP: Final = 9


def _exact_reset(tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, maxack: i64, old: i64) -> i64:
    """GO_ON: believe it as far as its window goes; INVALID: too old; KEEP: in window but not exact, the state stays."""
    established = old == ESTABLISHED and bool(conn.status & ASSURED)
    seq = packet.seq
    if seq == 0 and not established:
        return GO_ON
    if window.before(seq, maxack) and not tracker.settings.tcp_ignore_invalid_rst:
        tracker.log(6, "invalid rst")
        tracker.why = why.tcp_invalid_rst(seq, maxack)
        return INVALID
    if not established or seq == maxack:
        return GO_ON
    if conn.last_index == ACK and conn.last_direction == direction and seq == conn.last_end:
        return GO_ON
    return KEEP


SPECIAL: Final = bytes((0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1))
"""Which of the grid's words `special` looks at."""


def special(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64, old: i64, new: i64, now: i64
) -> Step:
    """By what the grid says."""
    if new == SYN_SENT:
        return _reopen_or_ignore(tracker, conn, packet, direction, index, old, new, now)
    if new == SYN_RECV:
        return _answered(tracker, conn, packet, direction, index, old, new, now)
    if new == TIME_WAIT:
        return _challenge(tracker, conn, packet, direction, index, old, new, now)
    if new == CLOSE:
        return _reset(tracker, conn, packet, direction, index, old, new, now)
    if new == SYN_SENT2:
        return _simultaneous(tracker, conn, packet, direction, index, old, new, now)
    if new == IV:
        return _refuse(tracker, conn, packet, direction, index, old, new, now)
    return _ignore(tracker, conn, packet, direction, index, old, new, now)
