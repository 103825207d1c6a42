"""TCP: the grid of states, and what a grid cannot say. As net/netfilter/nf_conntrack_proto_tcp.c, Linux 6.18.

We are the man in the middle: every segment passes here, but may still be lost behind us. From the segments we guess the
state of the connection. NONE: nothing yet; SYN_SENT: a SYN was seen; SYN_SENT2: one from the other side too (simultaneous
open); SYN_RECV: SYN/ACK seen; ESTABLISHED: the ACK that ends the handshake; FIN_WAIT: a FIN; CLOSE_WAIT: an ACK after it;
LAST_ACK: FINs from both; TIME_WAIT: the last ACK; CLOSE: a RST.

In the grid a row is a kind of segment, a column the state so far, a cell the state after: NO SS SR ES FW CW LA TW CL S2 as
above; IV: invalid, of no connection; IG: ignored, let through because whoever gets it may know better, but changing nothing.

What a grid cannot say, below it: `_reopen_or_ignore` (a SYN on a closed connection), `_ignore` (which also gets back in step
with ends that are ahead of us), `_refuse`, `_challenge` (RFC 5961's ACK to a SYN is not the last ACK), `_simultaneous`,
`_answered`, `_reset` (which RST to believe). Windows: tcp_window.py; the reasons: tcp_why.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sim.conntrack import checksums, why
from sim.conntrack import tcp_window as window
from sim.conntrack.conn import Side, TcpConn
from sim.conntrack.settings import RETRANS, UNACK
from sim.conntrack.tcp_why import REASONS
from sim.conntrack.words import (
    ACCEPT, ASSURED, CONFIRMED, HZ, INVALID, ORIGINAL, REPEAT, REPLY, SEEN_REPLY, TCP_STATE_NAMES, TOLD_ASSURED,
    TOLD_PROTOINFO, Segment,
)  # fmt: skip
from sim.packet import Packet
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.conntrack.tracker import Tracker

WORDS: Final = "NO SS SR ES FW CW LA TW CL S2 IV IG".split()
IV: Final = 10
IG: Final = 11
NONE, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2 = range(10)

GRID_TEXT: Final = """
original    NO SS SR ES FW CW LA TW CL S2
syn         SS SS IG IG IG IG IG SS SS S2
synack      IV IV SR IV IV IV IV IV IV SR
fin         IV IV FW FW LA LA LA TW CL IV
ack         ES IV ES ES CW CW TW TW CL IV
rst         IV CL CL CL CL CL CL CL CL CL
none        IV IV IV IV IV IV IV IV IV IV

reply       NO SS SR ES FW CW LA TW CL S2
syn         IV S2 IV IV IV IV IV SS IV S2
synack      IV SR IG IG IG IG IG IG IG SR
fin         IV IV FW FW LA LA LA TW CL IV
ack         IV IG SR ES CW CW TW TW CL IG
rst         IV CL CL CL CL CL CL CL CL CL
none        IV IV IV IV IV IV IV IV IV IV
"""
Grid = tuple[tuple[tuple[int, ...], ...], ...]


def parse_grid(text: str) -> Grid:
    """GRID[direction][segment][state] of the drawing above."""
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    rows = ([row.split() for row in block[1:]] for block in blocks)
    return tuple(tuple(tuple(WORDS.index(cell) for cell in row[1:]) for row in block) for block in rows)


GRID: Final = parse_grid(GRID_TEXT)


def _kind(flags: int) -> int:
    if flags & 4:
        return Segment.RST
    if flags & 2:
        return Segment.SYNACK if flags & 16 else Segment.SYN
    if flags & 1:
        return Segment.FIN
    return Segment.ACK if flags & 16 else Segment.NONE


SEGMENT_OF: Final = tuple(int(_kind(flags)) for flags in range(256))
"""What conntrack takes a segment for, by its flags (get_conntrack_index)."""
VALID_FLAGS: Final = tuple((flags & 0x37) in (2, 34, 18, 4, 20, 17, 49, 16, 48) for flags in range(256))
"""SYN, SYN+URG, SYN+ACK, RST, RST+ACK, FIN+ACK, FIN+ACK+URG, ACK, ACK+URG; PSH, ECE and CWR are always valid (tcp_valid_flags)."""
SYN, SYNACK, FIN, ACK, RST = 0, 1, 2, 3, 4
EARLY_DROP: Final = (FIN_WAIT, LAST_ACK, TIME_WAIT, CLOSE, CLOSE_WAIT)

GO_ON: Final = 0
IN_WINDOW: Final = 2
"""What a special case answers besides a verdict: judge the window, or take the segment without."""
Step = tuple[int, int, int]


def handle(tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, prerouting: bool, now: int) -> int:
    """Judge one segment of `conn`; returns ACCEPT, INVALID or REPEAT (nf_conntrack_tcp_packet)."""
    if not packet.complete:
        tracker.why = why.TCP_SHORT
        return INVALID
    if _malformed(tracker, packet, prerouting):
        return INVALID
    index = SEGMENT_OF[packet.flags]
    if not conn.status & CONFIRMED and not _start(tracker, conn, packet, index):
        return INVALID
    old = conn.state
    new = GRID[direction][index][old]
    tracker.reason = REASONS[direction][index][old]
    in_window = False
    special = SPECIAL[new]
    if special is not None:
        step, old, new = special(tracker, conn, packet, direction, index, old, new, now)
        if step == IN_WINDOW:
            in_window = True
        elif step != GO_ON:
            return step
    if not in_window:
        found = window.judge(tracker, conn, packet, direction, index)
        if found == window.INVALID:
            _lower_timeout(tracker, conn, direction, index, now)
            return INVALID
        if found == window.IGNORE:
            return ACCEPT
    return _take(tracker, conn, packet, direction, index, old, new, now)


def _malformed(tracker: Tracker, packet: Packet, prerouting: bool) -> bool:
    """tcp_error: lengths, checksum (of what arrives only), flags."""
    if packet.payload < packet.l4 + 20 or packet.payload > len(packet.data):
        return tracker.malformed(6, "truncated packet", why.TCP_TRUNCATED)
    if prerouting and tracker.settings.checksum and not checksums.transport_ok(packet):
        return tracker.malformed(6, "bad checksum", why.BAD_CHECKSUM)
    if not VALID_FLAGS[packet.flags]:
        return tracker.malformed(6, "invalid tcp flag combination", why.TCP_FLAGS)
    return False


def _start(tracker: Tracker, conn: TcpConn, packet: Packet, index: int) -> bool:
    """The first segment of an entry (tcp_new): a SYN, or the middle of a connection when tcp_loose allows to pick it up."""
    new = GRID[ORIGINAL][index][NONE]
    if new == IV:
        tracker.log(6, "invalid new")
        tracker.why = REASONS[ORIGINAL][index][NONE]
        return False
    sender = conn.sides[ORIGINAL]
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


# ---- what a grid cannot say ----------------------------------------------------------------------------------------


def _reopen_or_ignore(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, index: int, old: int, new: int, now: int
) -> Step:
    """A SYN on a closed connection starts a new one (RFC 9293 section 3.6.1), if we saw it close or be reset from there."""
    if old < TIME_WAIT:
        return GO_ON, old, new
    closed = (conn.sides[0].flags | conn.sides[1].flags) & window.CLOSE_INIT
    if closed or (conn.last_direction == direction and conn.last_index == RST):
        tracker.destroy(conn, now, why.TCP_REOPENED)
        return REPEAT, old, new
    return _ignore(tracker, conn, packet, direction, index, old, new, now)


def _ignore(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, index: int, old: int, new: int, now: int
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


def _resynchronise(conn: TcpConn, direction: int) -> None:
    """Client and server agree on a new connection while we hold an old one: take over what the ignored SYN said."""
    starter, answerer = conn.sides[conn.last_direction], conn.sides[direction]
    starter.end = starter.maxend = conn.last_end
    starter.maxwin = conn.last_win or 1
    starter.scale = conn.last_scale
    conn.last_flags &= ~window.EXP_CHALLENGE_ACK
    starter.flags = conn.last_flags
    answerer.end = answerer.maxend = answerer.maxwin = answerer.maxack = answerer.scale = 0
    answerer.flags &= window.BE_LIBERAL


def _refuse(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, index: int, old: int, new: int, now: int
) -> Step:
    tracker.log(6, f"packet (index {index}) in dir {direction} invalid, state {TCP_STATE_NAMES[old]}")
    tracker.why = REASONS[direction][index][old]
    return INVALID, old, new


def _challenge(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, index: int, old: int, new: int, now: int
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
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, index: int, old: int, new: int, now: int
) -> Step:
    conn.last_flags |= window.SIMULTANEOUS_OPEN
    return GO_ON, old, new


def _answered(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, index: int, old: int, new: int, now: int
) -> Step:
    """In a simultaneous open an ACK from the replying side ends the handshake."""
    if direction == REPLY and index == ACK and conn.last_flags & window.SIMULTANEOUS_OPEN:
        tracker.reason = why.TCP_SIMULTANEOUS
        return GO_ON, old, ESTABLISHED
    return GO_ON, old, new


def _reset(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, index: int, old: int, new: int, now: int
) -> Step:
    """Which RST to believe: a blind attacker sends them too (RFC 5961 section 3)."""
    if index != RST:
        return GO_ON, old, new
    if old in EARLY_DROP:
        return IN_WINDOW, old, new
    other = conn.sides[1 - direction]
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


def _exact_reset(tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, maxack: int, old: int) -> int:
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


Special = Callable[["Tracker", TcpConn, Packet, int, int, int, int, int], Step]
SPECIAL: Final[tuple[Special | None, ...]] = (
    None, _reopen_or_ignore, _answered, None, None, None, None, _challenge, _reset, _simultaneous, _refuse, _ignore,
)  # fmt: skip
"""By what the grid says."""


# ---- the segment is taken ------------------------------------------------------------------------------------------


def _lower_timeout(tracker: Tracker, conn: TcpConn, direction: int, index: int, now: int) -> None:
    """A FIN or RST that was INVALID, answered by one from the other end: do not hold the entry for days (nf_tcp_handle_invalid)."""
    if not conn.status & ASSURED or index not in (RST, FIN):
        return
    if conn.last_direction == direction or conn.last_index not in (FIN, RST):
        conn.last_index, conn.last_direction = index, direction
        return
    left, timeout = conn.expires - now, tracker.settings.tcp[UNACK]
    if left >= 120 * SECOND and left > timeout:
        ticks = timeout * HZ // SECOND
        tracker.log(6, f"packet (index {index}, dir {direction}) response for index {conn.last_index} lower timeout to {ticks}")
        tracker.refresh(conn, timeout, now)


def _timeout(tracker: Tracker, conn: TcpConn, index: int, new: int) -> int:
    """How long the entry may stay without a further segment."""
    settings = tracker.settings
    usual = settings.tcp[new]
    if conn.retrans >= settings.tcp_max_retrans and usual > settings.tcp[RETRANS]:
        return settings.tcp[RETRANS]
    if index == RST:
        return settings.tcp[CLOSE]
    sides = conn.sides
    if (sides[0].flags | sides[1].flags) & window.UNACKNOWLEDGED and usual > settings.tcp[UNACK]:
        return settings.tcp[UNACK]
    if conn.last_win == 0 and usual > settings.tcp[RETRANS]:
        return settings.tcp[RETRANS]
    return usual


def _take(
    tracker: Tracker, conn: TcpConn, packet: Packet, direction: int, index: int, old: int, new: int, now: int
) -> int:
    """From here on the segment is in the window: new state, new time-out, ASSURED."""
    conn.last_index, conn.last_direction = index, direction
    conn.state = new
    if old != new:
        conn.cache |= TOLD_PROTOINFO
        if new == FIN_WAIT:
            conn.sides[direction].flags |= window.CLOSE_INIT
    timeout = _timeout(tracker, conn, index, new)
    if not conn.status & SEEN_REPLY:
        if packet.flags & 4:
            tracker.count(conn, packet, direction)
            tracker.destroy(conn, now, why.TCP_REFUSED)
            return ACCEPT
        if index == SYN and old == SYN_SENT:
            return ACCEPT
        if new == ESTABLISHED and timeout > tracker.settings.tcp[UNACK]:
            timeout = tracker.settings.tcp[UNACK]
    elif new == ESTABLISHED and not conn.status & ASSURED and old in (SYN_RECV, ESTABLISHED):
        conn.status |= ASSURED
        conn.cache |= TOLD_ASSURED
    tracker.refresh(conn, timeout, now)
    if conn.acct is not None:
        tracker.count(conn, packet, direction)
    return ACCEPT
