"""TCP window tracking: is this segment one that the far end could have sent now? After Guido van Rooij, as Linux 6.18 has it.

For each end we keep what it has sent (`end`), what it may send (`maxend`) and the window it offered (`maxwin`), see
`conn.Side`. A segment, with sender and receiver, is taken when

    I    seq      <= sender.maxend                      it does not start beyond the receiver's window
    II   seq+len  >= sender.end - receiver.maxwin       it is not older than a whole window
    III  sack     <= receiver.end                       it acknowledges only what we have seen
    IV   sack     >= receiver.end - MAXACKWINDOW        and nothing too old

where sack is the highest right edge of its SACK blocks, or its acknowledgement number (tcp_in_window,
net/netfilter/nf_conntrack_proto_tcp.c). All arithmetic is modulo 2**32. Not here: states (tcp.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from sim.conntrack.conn import Side, TcpConn
from sim.conntrack.words import REPLY, Segment
from sim.packet import Packet
from sim.trace import Reason

if TYPE_CHECKING:
    from sim.conntrack.tracker import Tracker

WINDOW_SCALE: Final = 0x01
SACK_PERM: Final = 0x02
CLOSE_INIT: Final = 0x04
BE_LIBERAL: Final = 0x08
UNACKNOWLEDGED: Final = 0x10
MAXACK_SET: Final = 0x20
EXP_CHALLENGE_ACK: Final = 0x40
SIMULTANEOUS_OPEN: Final = 0x80
"""include/uapi/linux/netfilter/nf_conntrack_tcp.h: IP_CT_TCP_FLAG_*."""

IGNORE: Final = 0
INVALID: Final = 1
TAKE: Final = 2
"""enum nf_ct_tcp_action."""

M: Final = 0xFFFFFFFF
HALF: Final = 0x80000000
MAXACKWINCONST: Final = 66000
MAX_SCALE: Final = 14
FIN: Final = 1
SYN: Final = 2
RST: Final = 4
ACK: Final = 16
SYN_SENT: Final = 1
SYN_RECV: Final = 2
ACK_SET: Final = int(Segment.ACK)
TIMESTAMP_ONLY: Final = b"\1\1\x08\x0a"


def before(a: i64, b: i64) -> bool:
    """Whether sequence number a comes before b, around the circle."""
    return (a - b) & HALF != 0


def segment_end(packet: Packet) -> i64:
    """seq + len: the sequence number behind the segment; SYN and FIN count one each (segment_seq_plus_len)."""
    flags = packet.flags
    return (packet.seq + len(packet.data) - packet.payload + (flags >> 1 & 1) + (flags & 1)) & M


def read_options(packet: Packet, side: Side) -> None:
    """Window scale and SACK-permitted of a SYN into `side` (tcp_options). No options at all leave it as it is."""
    options = packet.data[packet.l4 + 20 : packet.payload]
    if not options:
        return
    side.scale = 0
    side.flags &= BE_LIBERAL
    at, length = 0, len(options)
    while at < length:
        kind = options[at]
        if kind == 0:
            return
        if kind == 1:
            at += 1
            continue
        if length - at < 2 or options[at + 1] < 2 or options[at + 1] > length - at:
            return
        size = options[at + 1]
        if kind == 4 and size == 2:
            side.flags |= SACK_PERM
        elif kind == 3 and size == 3:
            side.scale = min(options[at + 2], MAX_SCALE)
            side.flags |= WINDOW_SCALE
        at += size


def highest_sack(packet: Packet, sack: i64) -> i64:
    """The highest right edge of the SACK blocks, or `sack` when none is higher (tcp_sack)."""
    if packet.payload - packet.l4 == 32 and packet.data.startswith(TIMESTAMP_ONLY, packet.l4 + 20):
        return sack
    options = packet.data[packet.l4 + 20 : packet.payload]
    at, length = 0, len(options)
    while at < length:
        kind = options[at]
        if kind == 0:
            return sack
        if kind == 1:
            at += 1
            continue
        if length - at < 2 or options[at + 1] < 2 or options[at + 1] > length - at:
            return sack
        size = options[at + 1]
        if kind == 5 and size >= 10 and (size - 2) % 8 == 0:
            for edge in range(at + 6, at + size, 8):
                right = int.from_bytes(options[edge : edge + 4])
                if (sack - right) & HALF:
                    sack = right
            return sack
        at += size
    return sack


def init_sender(packet: Packet, sender: Side, receiver: Side, end: i64, direction: i64) -> None:
    """SYN/ACK in answer to a SYN, or SYN of a simultaneous open (tcp_init_sender)."""
    sender.end = sender.maxend = end
    sender.maxwin = packet.window or 1
    read_options(packet, sender)
    # RFC 7323: both ends must send the option for either to scale
    if direction == REPLY and not sender.flags & receiver.flags & WINDOW_SCALE:
        sender.scale = receiver.scale = 0


def _pick_up(packet: Packet, sender: Side, receiver: Side, end: i64, sack: i64) -> None:
    """The middle of a connection whose history is lost: take what the segment says."""
    sender.end = end
    sender.maxwin = (packet.window << i64(sender.scale)) or 1
    sender.maxend = (end + sender.maxwin) & M
    if receiver.maxwin == 0:
        receiver.end = receiver.maxend = sack
    elif sack == (receiver.end + 1) & M:
        receiver.end = (receiver.end + 1) & M


def judge(tracker: Tracker, conn: TcpConn, packet: Packet, direction: i64, index: i64) -> int:
    """TAKE, IGNORE or INVALID; on TAKE both sides are updated. The reason and the kernel's words go to the tracker."""
    sender, receiver = conn.side(direction), conn.side(1 - direction)
    flags, seq = packet.flags, packet.seq
    ack = sack = packet.ack
    end = (seq + len(packet.data) - packet.payload + (flags >> 1 & 1) + (flags & 1)) & M
    if receiver.flags & SACK_PERM and packet.payload > packet.l4 + 20:
        sack = highest_sack(packet, sack)
    if conn.seqadj is not None:  # what is acknowledged, in the numbers of the one who sent it
        back: i64 = conn.seqadj[1 - direction].of((ack - 1) & M)
        ack, sack = (ack - back) & M, (sack - back) & M
    if (sender.maxwin == 0 or flags & SYN) and _begin(conn, packet, direction, end, sack):
        return TAKE
    if not flags & ACK or (flags & RST and ack == 0):
        # no acknowledgement, or a broken stack's RST with a zero one: as if it were right
        ack = sack = receiver.end
    if flags & RST and seq == 0 and conn.state == SYN_SENT:
        seq = end = sender.end
    maxack = sender.maxwin if sender.maxwin > MAXACKWINCONST else MAXACKWINCONST
    low_seq, low_ack = sender.end - receiver.maxwin - 1, receiver.end - maxack - 1
    if tracker.emit is not None and receiver.maxwin:  # before the far end has offered a window there are no bounds to tell
        tracker.numbers |= {
            "seq": seq, "end": end, "lowest": (low_seq + 1) & M, "highest": sender.maxend, "ack": ack, "sack": sack,
            "ack_lowest": (low_ack + 1) & M, "ack_highest": receiver.end, "window": packet.window,
        }  # fmt: skip
    if not (seq - sender.maxend - 1) & HALF:
        bad = _over(tracker, packet, sender, receiver, end, sack, low_ack)
    elif not (sack - receiver.end - 1) & HALF:
        bad = _tell(tracker, sender, INVALID, "ack-over", receiver.end + 1, packet, sack)
    elif receiver.maxwin and not (low_seq - end) & HALF:
        bad = _tell(tracker, sender, IGNORE, "seq-under", low_seq, packet, end)
    elif not (low_ack - sack) & HALF:
        bad = _tell(tracker, sender, IGNORE, "ack-under", low_ack, packet, sack)
    else:
        _update(conn, packet, sender, receiver, end, ack, sack)
        if index == ACK_SET:
            _count_retransmissions(conn, direction, seq, ack, end, packet.window)
        return TAKE
    return bad if tracker.why is not None else TAKE


def _begin(conn: TcpConn, packet: Packet, direction: i64, end: i64, sack: i64) -> bool:
    """What a side's first segment tells of it, or a SYN that starts over. True for the bare SYN of a simultaneous open."""
    sender, receiver, flags = conn.side(direction), conn.side(1 - direction), packet.flags
    if sender.maxwin == 0:
        if not flags & SYN:
            _pick_up(packet, sender, receiver, end, sack)
            return False
        init_sender(packet, sender, receiver, end, direction)
        return not flags & ACK
    if (sender.end - end) & HALF and (conn.state == SYN_SENT or conn.state == SYN_RECV):
        init_sender(packet, sender, receiver, end, direction)
        return direction == REPLY and not flags & ACK
    return False


def _over(tracker: Tracker, packet: Packet, sender: Side, receiver: Side, end: i64, sack: i64, low_ack: i64) -> int:
    """Beyond the window. When only that is wrong, and by no more than a window, remember the data: its ACK will come."""
    overshot = (end - sender.maxend + 1) & M
    in_window = receiver.maxwin != 0 and before(sender.end - receiver.maxwin - 1, end)
    if in_window and before(low_ack, sack) and overshot <= receiver.maxwin and before(sack, receiver.end + 1):
        sender.end = end
        sender.flags |= UNACKNOWLEDGED
        return _tell(tracker, sender, IGNORE, "overshot", overshot, packet, end)
    return _tell(tracker, sender, INVALID, "seq-over", sender.maxend + 1, packet, packet.seq)


_WORDS: Final = {
    "overshot": "%u bytes more than expected",
    "seq-over": "SEQ is over upper bound %u (over the window of the receiver)",
    "ack-over": "ACK is over upper bound %u (ACKed data not seen yet)",
    "seq-under": "SEQ is under lower bound %u (already ACKed data retransmitted)",
    "ack-under": "ignored ACK under lower bound %u (possible overly delayed)",
}
_SENTENCES: Final = {
    "overshot": "The segment reaches {bound} bytes further than the receiver has allowed: it is let through, and remembered in case its"
    " acknowledgement comes, but moves nothing.",
    "seq-over": "The segment starts beyond the receiver's window: sequence number {value} is not below {bound}. The sender cannot have"
    " sent it yet.",
    "ack-over": "The segment acknowledges {value}, but the far end has sent nothing from {bound} on: nobody acknowledges what was never"
    " sent.",
    "seq-under": "The segment ends at {value}, a whole window below what was already sent (bound {bound}): old data again. It is let"
    " through and moves nothing.",
    "ack-under": "The acknowledgement {value} is older than {bound}: overly delayed. It is let through and moves nothing.",
}


def _tell(tracker: Tracker, sender: Side, action: int, code: str, bound: i64, packet: Packet, value: i64) -> int:
    """Say what is wrong, as nf_tcp_log_invalid does; `tracker.why` stays None when the sender is judged liberally."""
    if sender.flags & BE_LIBERAL or tracker.settings.tcp_be_liberal:
        return action
    bound &= M
    numbers = {"seq": packet.seq, "ack": packet.ack, "bound": bound, "value": value, "window": packet.window}
    sentence = _SENTENCES[code].format(bound=bound, value=value)
    tracker.why = Reason(f"tcp-window-{code}", sentence, numbers)
    tracker.log(6, _WORDS[code] % bound)
    return action


def _update(conn: TcpConn, packet: Packet, sender: Side, receiver: Side, end: i64, ack: i64, sack: i64) -> None:
    window = packet.window
    if not packet.flags & SYN:
        window <<= i64(sender.scale)
    reach = (window + sack - ack) & M
    if sender.maxwin < reach:
        sender.maxwin = reach
    if (sender.end - end) & HALF:
        sender.end = end
        sender.flags |= UNACKNOWLEDGED
    if packet.flags & ACK:
        if not sender.flags & MAXACK_SET:
            sender.maxack = ack
            sender.flags |= MAXACK_SET
        elif (sender.maxack - ack) & HALF:
            sender.maxack = ack
    if receiver.maxwin != 0 and (sender.maxend - end) & HALF:
        receiver.maxwin = (receiver.maxwin + end - sender.maxend) & M
    if (receiver.maxend - 1 - sack - window) & HALF:
        receiver.maxend = (sack + window + (window == 0)) & M
    if ack == receiver.end:
        receiver.flags &= ~UNACKNOWLEDGED


def _count_retransmissions(conn: TcpConn, direction: i64, seq: i64, ack: i64, end: i64, window: i64) -> None:
    """The same bare ACK segment again counts; any other starts anew."""
    if (
        conn.last_seq == seq and conn.last_end == end and conn.last_ack == ack and conn.last_direction == direction
        and conn.last_win == window
    ):  # fmt: skip
        conn.retrans = (conn.retrans + 1) & 0xFF
        return
    conn.last_direction, conn.last_seq, conn.last_ack = direction, seq, ack
    conn.last_end, conn.last_win, conn.retrans = end, window, 0
