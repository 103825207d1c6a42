"""What a segment does to a connection: the state machine of RFC 9293 section 3.10.7, in the order in which Linux goes through it.

tcp_rcv_state_process, tcp_validate_incoming, tcp_rcv_synsent_state_process, tcp_fin (net/ipv4/tcp_input.c), tcp_check_req and
tcp_timewait_state_process (tcp_minisocks.c), Linux 6.18.
"""

from __future__ import annotations

from sim.machine.tcp.congestion import Congestion
from sim.machine.tcp.connection import Connection, distance_since_ack
from sim.machine.tcp.retry import RTO
from sim.machine.tcp.segment import ACK, FIN, PSH, RST, SYN, Options, Segment
from sim.machine.tcp.sequence import after, before, plus
from sim.units import SECOND

_READING = frozenset(("ESTAB", "FIN-WAIT-1", "FIN-WAIT-2"))
_RESET_ERROR = {"SYN-SENT": "ECONNREFUSED", "CLOSE-WAIT": "EPIPE"}


def arrive(conn: Connection, segment: Segment) -> None:
    """Give a segment to the connection that it belongs to."""
    conn.heard(segment)
    if conn.state == "SYN-SENT":
        _syn_sent(conn, segment)
    elif conn.state == "TIME-WAIT":
        _time_wait(conn, segment)
    elif conn.state == "SYN-RECV" and _repeated_syn(conn, segment):
        conn.sender.transmit(conn.sender.sent[0])
        conn.sender.retry.start(RTO, conn.sender.rtt.rto)
    elif _valid(conn, segment) and _acknowledge(conn, segment):
        _receive(conn, segment)
    conn.tell()


# ---- opening ----------------------------------------------------------------------------------------------------------


def _syn_sent(conn: Connection, segment: Segment) -> None:
    sender, flags = conn.sender, segment.flags
    if flags & ACK and not (after(segment.ack, sender.una) and not after(segment.ack, sender.nxt)):
        if not flags & RST:
            conn.stack.refuse(segment)
        return
    if flags & RST:
        if flags & ACK:
            conn.fail("ECONNREFUSED")
        return
    if not flags & SYN:
        return
    negotiate(conn, segment)
    if not flags & ACK:
        conn.become("SYN-RECV")  # both sides opened at once
        sender.sent[0].flags |= ACK
        conn.emit_segment(sender.isn, SYN | ACK)
        return
    sender.acked(segment)
    _established(conn, segment)
    conn.acknowledge()


def negotiate(conn: Connection, segment: Segment) -> None:
    """Take the peer's SYN: its number, and of each option what both sides want."""
    theirs, mine, sender, receiver = segment.options, conn.options, conn.sender, conn.receiver
    receiver.begin(segment.seq)
    sender.window_seq = segment.seq
    sender.window = sender.max_window = segment.window
    scaling = theirs.window_scale is not None and mine.window_scale is not None
    sender.window_scale = (theirs.window_scale or 0) if scaling else 0
    receiver.scale = receiver.scale if scaling else 0
    if not scaling:
        receiver.limit = min(receiver.limit, 65535)
    sender.sack = theirs.sack_permitted and mine.sack_permitted
    conn.timestamps_on = theirs.timestamps is not None and mine.timestamps is not None
    conn.recent_timestamp = theirs.timestamps[0] if theirs.timestamps else 0
    if segment.flags & ACK == 0:  # the options of the SYN-ACK: only what was asked for
        stamps = mine.timestamps if conn.timestamps_on else None
        conn.options = Options(mine.mss, mine.window_scale if scaling else None, sender.sack, stamps)
    largest = min(theirs.mss or 536, conn.stack.path_mss(conn.remote[0]))
    sender.mss = max(48, largest) - (12 if conn.timestamps_on else 0)


def _repeated_syn(conn: Connection, segment: Segment) -> bool:
    """The SYN again: our SYN-ACK did not arrive."""
    return segment.flags & (SYN | ACK | RST) == SYN and plus(segment.seq, 1) == conn.receiver.nxt and conn.listener is not None


def _established(conn: Connection, segment: Segment) -> None:
    sender = conn.sender
    sender.congestion = Congestion()
    if not sender.rtt.srtt8:
        sender.rtt.unknown()
    sender.retry.retransmits = sender.retry.timeouts = 0
    sender.retry.first_retry = None
    if not conn.connected.triggered:
        conn.connected.succeed(conn)
    conn.become("FIN-WAIT-1" if sender.fin_wanted else "ESTAB")
    if conn.listener is not None:
        conn.listener.established(conn)


# ---- the checks of tcp_validate_incoming ------------------------------------------------------------------------------


def _valid(conn: Connection, segment: Segment) -> bool:
    receiver, flags = conn.receiver, segment.flags
    if not receiver.acceptable(segment.seq, segment.end):
        if flags & SYN and not flags & RST:
            conn.challenge()
        elif not flags & RST:
            _outside(conn, segment)
        return False
    if flags & RST:
        if segment.seq == receiver.nxt:
            _was_reset(conn)
        else:
            conn.challenge()
        return False
    if flags & SYN and not (conn.state == "SYN-RECV" and flags & ACK):
        conn.challenge()
        return False
    stamps = segment.options.timestamps
    if stamps and conn.timestamps_on and not after(segment.seq, receiver.acked):
        conn.recent_timestamp = stamps[0]
    return bool(flags & ACK)


def _outside(conn: Connection, segment: Segment) -> None:
    """tcp_send_dupack: what lies outside the window is answered with where we stand; empty segments at most twice a second."""
    if not segment.data:
        if conn.now - conn.last_challenge < SECOND // 2:
            return
        conn.last_challenge = conn.now
    elif before(segment.seq, conn.receiver.nxt):
        conn.acks.trouble()
        conn.receiver.duplicate = (segment.seq, plus(segment.seq, len(segment.data)))
    conn.acknowledge()


def _was_reset(conn: Connection) -> None:
    if conn.state == "SYN-RECV" and conn.listener is not None:
        conn.stack.forget(conn)
    else:
        conn.fail(_RESET_ERROR.get(conn.state, "ECONNRESET"))


# ---- the acknowledgment -----------------------------------------------------------------------------------------------


def _acknowledge(conn: Connection, segment: Segment) -> bool:
    """Give the ACK to the sender and follow with the state. False when the segment goes no further."""
    sender, ack = conn.sender, segment.ack
    if conn.state == "SYN-RECV":
        if not after(ack, sender.una) or after(ack, sender.nxt):
            conn.stack.refuse(segment)
            return False
        if conn.listener is not None and (conn.listener.full or conn.listener.state == "CLOSED"):
            return False
        sender.acked(segment)
        _established(conn, segment)
        sender.push()
    elif after(ack, sender.nxt):
        if conn.state != "ESTAB":
            conn.challenge()
        return False
    elif before(ack, sender.una):
        if before(ack, plus(sender.una, -max(sender.max_window, 1))):
            conn.challenge()
            return False
    else:
        sender.acked(segment)
    return _after_ack(conn, segment)


def _after_ack(conn: Connection, segment: Segment) -> bool:
    """Was it our FIN that was acknowledged?"""
    sender = conn.sender
    if sender.fin_sent and sender.una == sender.nxt:
        if conn.state == "FIN-WAIT-1":
            conn.become("FIN-WAIT-2")
            if conn.dead:
                conn.lifetime.start(conn.stack.number("tcp_fin_timeout") * SECOND)
        elif conn.state == "CLOSING":
            conn.wait_out()
            return False
        elif conn.state == "LAST-ACK":
            conn.stack.forget(conn)
            return False
    if conn.dead and conn.state in ("FIN-WAIT-1", "FIN-WAIT-2") and segment.data and after(segment.end, conn.receiver.nxt):
        conn.stack.refuse(segment)  # data for a program that has let go
        conn.stack.forget(conn)
        return False
    return True


# ---- data and FIN -----------------------------------------------------------------------------------------------------


def _receive(conn: Connection, segment: Segment) -> None:
    fin = bool(segment.flags & FIN)
    if conn.state not in _READING:
        if segment.data or fin:
            conn.acknowledge()
        return
    if not segment.data and not fin:
        return
    acks, receiver = conn.acks, conn.receiver
    had_gap, had_fin = bool(receiver.early), receiver.fin
    outcome = receiver.take(segment.seq, segment.data, fin)
    if outcome == "new":
        if segment.data:
            acks.data_came(conn.now, conn.sender.rtt.rto, max(2, receiver.limit // (2 * receiver.largest)))
            acks.pushed = acks.pushed or bool(segment.flags & PSH)
        acks.owed = True
    else:
        acks.trouble()
    if receiver.fin and not had_fin:
        _fin(conn)
    _acknowledge_data(conn, at_once=outcome != "new" or had_gap)
    conn.wake_reader()


def _fin(conn: Connection) -> None:
    """tcp_fin: the peer has nothing more to say."""
    if conn.state == "ESTAB":
        conn.acks.interactive = True  # the ACK may go with our own FIN
        conn.become("CLOSE-WAIT")
    elif conn.state == "FIN-WAIT-1":
        conn.acknowledge()
        conn.become("CLOSING")
    elif conn.state == "FIN-WAIT-2":
        conn.acknowledge()
        conn.wait_out()


def _acknowledge_data(conn: Connection, *, at_once: bool) -> None:
    """__tcp_ack_snd_check."""
    if not conn.acks.owed:
        return
    receiver = conn.receiver
    two_full = distance_since_ack(conn) > receiver.largest and (not receiver.buffer or receiver.wanted() >= receiver.window)
    if at_once or two_full or conn.acks.quick:
        conn.acknowledge()
    else:
        conn.acknowledge_soon()


# ---- TIME-WAIT --------------------------------------------------------------------------------------------------------


def _time_wait(conn: Connection, segment: Segment) -> None:
    flags = segment.flags
    inside = conn.receiver.acceptable(segment.seq, segment.end)
    if inside and segment.seq == conn.receiver.nxt and (segment.seq == segment.end or flags & RST):
        if flags & RST:
            conn.stack.forget(conn)  # net.ipv4.tcp_rfc1337 is 0
        else:
            conn.lifetime.start(60 * SECOND)
        return
    if flags & SYN and not flags & (RST | ACK) and after(segment.seq, conn.receiver.nxt):
        conn.stack.forget(conn)
        conn.stack.reopen(segment)
        return
    if not flags & RST:
        if flags & ACK:
            conn.lifetime.start(60 * SECOND)
        if segment.data or flags & FIN or conn.now - conn.last_challenge >= SECOND // 2:
            conn.last_challenge = conn.now
            conn.acknowledge()
