"""The sending half of a connection: what goes out when, what is sent again, and when TCP gives up.

tcp_write_xmit, tcp_send_loss_probe, __tcp_retransmit_skb (net/ipv4/tcp_output.c), tcp_ack, tcp_enter_loss (tcp_input.c), tcp_retransmit_timer
(tcp_timer.c), tcp_rack_detect_loss (tcp_recovery.c), Linux 6.18. One timer does all, as there: `pending` says for what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.machine.tcp.chunk import Chunk, Unsent
from sim.machine.tcp.congestion import Congestion
from sim.machine.tcp.rtt import Rtt
from sim.machine.tcp.segment import ACK, FIN, PSH, SYN, Segment
from sim.machine.tcp.sequence import after, before, distance, plus
from sim.machine.timer import Timer
from sim.units import MILLISECOND, SECOND

if TYPE_CHECKING:
    from sim.machine.tcp.connection import Connection

RTO, PROBE, REORDER, WINDOW_PROBE = "retransmission", "loss probe", "reordering", "window probe"


class Sender:
    """`una` oldest number not acknowledged, `nxt` next to send, `window` what the peer takes; `sent` in flight, `unsent` not yet.

    `retransmits`: RTOs since the last progress; `fin_wanted`: a FIN follows the last byte.
    """

    def __init__(self, conn: Connection, isn: int) -> None:
        self.conn = conn
        self.una = self.nxt = self.isn = isn
        self.window = 0
        self.window_scale = 0
        self.window_seq = self.window_ack = 0  # snd_wl1, and the ACK that brought `window`
        self.max_window = 0
        self.mss = 536
        self.sack = False
        self.unsent = Unsent()
        self.sent: list[Chunk] = []
        self.fin_wanted = self.fin_sent = False
        self.small: int | None = None  # snd_sml: the end of the last small segment sent
        self.rtt = Rtt(conn.stack.number("tcp_rto_min_us"))
        self.congestion = Congestion()
        self.retransmits = self.timeouts = self.probes = 0
        self.first_retry: int | None = None  # retrans_stamp
        self.probe_end: int | None = None  # tlp_high_seq
        self.pending = ""
        self.timer = Timer(conn.env, self._timer_fired)

    # ---- new data ----------------------------------------------------------------------------------------------------

    def write(self, data: bytes, about: str) -> None:
        """Take bytes from the program, send what may be sent."""
        self.unsent.add(data, about)
        self.push()

    def finish(self) -> None:
        """No more will be written: a FIN goes out behind the last byte."""
        self.fin_wanted = True
        self.push()

    def push(self, *, limit: int = 1 << 30, nagle: bool = True) -> int:
        """Send lost segments again and then new ones, as far as the two windows allow; gives the number of new segments sent."""
        count = 0
        if not self.conn.synchronized:
            return 0
        self._send_lost()
        while count < limit and (self.unsent.size or (self.fin_wanted and not self.fin_sent)):
            if not (self._room() and self._may_send(nagle)):
                break
            self._send_new(min(self.mss, self.unsent.size))
            count += 1
        if count:
            self._schedule(advancing=False)
        elif not self.sent and self.unsent.size and not self.pending:
            self._start(WINDOW_PROBE, self.rtt.rto)
        self.conn.tell()
        return count

    def _room(self) -> bool:
        return sum(chunk.in_flight for chunk in self.sent) < self.congestion.window

    def _may_send(self, nagle: bool) -> bool:
        """The peer's window, and Nagle's rule as Minshall mended it (tcp_nagle_check)."""
        size = min(self.mss, self.unsent.size)
        if size > distance(self.nxt, plus(self.una, self.window)):
            return False
        last = size == self.unsent.size and self.fin_wanted
        if size == self.mss or last or not nagle or self.conn.nodelay or not self.sent:
            return True
        return self.small is None or not after(self.small, self.una)

    def _send_new(self, size: int) -> None:
        data, about = self.unsent.take(size)
        empty = not self.unsent.size
        chunk = Chunk(self.nxt, data, ACK | (PSH if data and empty else 0), about)
        if empty and self.fin_wanted:
            chunk.flags |= FIN
            self.fin_sent = True
        if size < self.mss:
            self.small = chunk.end
        self.first(chunk)
        self.conn.acks.data_sent(self.conn.now)

    def first(self, chunk: Chunk) -> None:
        """Send a segment for the first time."""
        idle = not self.sent
        self.sent.append(chunk)
        self.nxt = chunk.end
        self._transmit(chunk)
        if idle or self.pending == PROBE:
            self._rearm()

    def _transmit(self, chunk: Chunk) -> None:
        chunk.sends += 1
        chunk.sent_at = self.conn.now
        self.conn.emit_segment(chunk.seq, chunk.flags, chunk.data, about=chunk.about, again=chunk.sends - 1)

    # ---- acknowledgments ---------------------------------------------------------------------------------------------

    def update_window(self, segment: Segment) -> bool:
        """tcp_may_update_window: take the peer's window from segments in order. True when it is another one."""
        window = segment.window << (0 if segment.flags & SYN else self.window_scale)
        newer = after(segment.ack, self.una) or after(segment.seq, self.window_seq)
        if not newer and not (segment.seq == self.window_seq and (window > self.window or not window)):
            return False
        changed, self.window, self.window_seq = window != self.window, window, segment.seq
        self.max_window = max(self.max_window, window)
        return changed

    def acked(self, segment: Segment) -> None:
        """An acceptable ACK came: forget what arrived, find what did not, send on."""
        opened = self.update_window(segment)
        advanced = after(segment.ack, self.una)
        newly = self._take_acked(segment.ack) if advanced else []
        sacked = self._take_sacked(segment) if self.sack else []
        self._measure(segment, newly, sacked)
        if advanced:
            self._progress(newly)
        elif not sacked and not opened and not segment.data and self.sent and not self.sack:
            self.congestion.duplicates += 1
        self._end_probe(segment)
        self._find_lost(newly + sacked)
        if not self.sent:
            self._stop()
            self.probes = 0
        elif advanced or sacked:
            self._schedule(advancing=True)
        self.push()

    def _take_acked(self, ack: int) -> list[Chunk]:
        """Drop what is acknowledged wholly; a part of a segment shortens it (tcp_trim_head)."""
        newly = []
        while self.sent and not after(self.sent[0].end, ack):
            newly.append(self.sent.pop(0))
        if self.sent and after(ack, self.sent[0].seq):
            head, size = self.sent[0], distance(self.sent[0].seq, ack)
            head.data, head.seq = head.data[size:], ack
        self.una = ack
        return newly

    def _take_sacked(self, segment: Segment) -> list[Chunk]:
        newly = []
        for left, right in segment.options.sack:
            for chunk in self.sent:
                if not chunk.sacked and not before(chunk.seq, left) and not after(chunk.end, right):
                    chunk.sacked = True
                    newly.append(chunk)
        return newly

    def _measure(self, segment: Segment, newly: list[Chunk], sacked: list[Chunk]) -> None:
        """Karn's rule: only segments sent once are measured, or else the timestamp that came back."""
        clean = [chunk for chunk in newly + sacked if chunk.sends == 1]
        if clean:
            sample = self.conn.now - clean[-1].sent_at if sacked else self.conn.now - clean[0].sent_at
        elif newly and segment.options.timestamps and segment.options.timestamps[1]:
            sample = self.conn.since_timestamp(segment.options.timestamps[1])
        else:
            return
        if sample >= 0:
            self.rtt.measured(sample, self.una, self.nxt)
            self.rtt.reset(self._rto_max)

    def _progress(self, newly: list[Chunk]) -> None:
        """The oldest byte was acknowledged: what was backed off is so no more (tcp_clean_rtx_queue, tcp_rearm_rto)."""
        self.retransmits = self.timeouts = 0
        self.rtt.reset(self._rto_max)
        self.congestion.acked(len(newly), self.una)
        if not self.congestion.recovering or not self.sent:
            self.first_retry = None

    def _end_probe(self, segment: Segment) -> None:
        """tcp_process_tlp_ack: the loss probe was answered."""
        if self.probe_end is not None and not before(segment.ack, self.probe_end):
            self.probe_end = None

    def _find_lost(self, delivered: list[Chunk]) -> None:
        """RACK: what was sent before something that has arrived is lost, once a reordering would have mended itself."""
        waits: list[int] = []
        if self.sack:
            waits = self._rack(delivered)
        elif self.congestion.duplicates >= 3 and self.sent and not self.congestion.recovering:
            self.sent[0].lost, self.sent[0].again = True, False
            self.congestion.duplicates = 0
        if any(chunk.lost and not chunk.again for chunk in self.sent) and not self.congestion.recovering:
            self.congestion.reduce(sum(chunk.in_flight for chunk in self.sent), self.nxt)
        if waits:
            self._start(REORDER, max(waits))

    def _rack(self, delivered: list[Chunk]) -> list[int]:
        """Mark what is lost; gives how long (µs) until what is not yet would be."""
        for chunk in delivered:
            self.congestion.delivered_at = max(self.congestion.delivered_at, chunk.sent_at)
        sacked = sum(chunk.sacked for chunk in self.sent)
        if not sacked:
            return []
        patience = 0 if self.congestion.recovering or sacked >= 3 else min(self.rtt.shortest >> 2, self.rtt.srtt)
        waits = []
        for chunk in self.sent:
            if chunk.sacked or (chunk.lost and not chunk.again) or chunk.sent_at >= self.congestion.delivered_at:
                continue
            left = chunk.sent_at + self.rtt.srtt + patience - self.conn.now
            if left > 0:
                waits.append(left)
            else:
                chunk.lost, chunk.again = True, False
        return waits

    # ---- sending again -----------------------------------------------------------------------------------------------

    def _send_lost(self) -> None:
        for chunk in list(self.sent):
            if chunk.lost and not chunk.again and not chunk.sacked and chunk in self.sent:
                if not self._room():
                    return
                self._send_again(chunk)

    def _send_again(self, chunk: Chunk, *, stamped: bool = True) -> None:
        """__tcp_retransmit_skb: with the neighbours behind it in one segment, where they fit."""
        if len(chunk.data) > self.mss:
            self.sent.insert(self.sent.index(chunk) + 1, chunk.cut(self.mss))
        self._collapse(chunk)
        chunk.again = chunk.lost
        self._transmit(chunk)
        if stamped and self.first_retry is None:
            self.first_retry = self.conn.now

    def _collapse(self, chunk: Chunk) -> None:
        if chunk.flags & SYN:
            return
        at = self.sent.index(chunk) + 1
        while at < len(self.sent):
            other = self.sent[at]
            if other.sacked or len(chunk.data) + len(other.data) > self.mss:
                return
            chunk.joined(self.sent.pop(at))

    # ---- the timer ---------------------------------------------------------------------------------------------------

    @property
    def _rto_max(self) -> int:
        return self.conn.stack.number("tcp_rto_max_ms") * MILLISECOND

    def _start(self, what: str, delay: int) -> None:
        self.pending = what
        self.timer.start(max(1, delay))

    def _stop(self) -> None:
        self.pending = ""
        self.timer.stop()

    def _until_rto(self) -> int:
        """tcp_rto_delta_us: how far off the RTO of the oldest segment is."""
        return self.sent[0].sent_at + self.rtt.rto - self.conn.now

    def _rearm(self, *, offset: bool = True) -> None:
        """tcp_rearm_rto; `offset`: the time that a loss probe or reordering timer took counts."""
        if not self.sent:
            self._stop()
        elif offset and self.pending in (PROBE, REORDER):
            self._start(RTO, self._until_rto())
        else:
            self._start(RTO, self.rtt.rto)

    def _schedule(self, *, advancing: bool) -> None:
        """tcp_set_xmit_timer: a loss probe where one makes sense, else the RTO."""
        if self.pending == REORDER:
            return
        if not self._probe_makes_sense():
            if advancing:
                self._rearm()
            return
        if self.rtt.srtt8:
            delay = 2 * self.rtt.srtt + (self.rtt.minimum if len(self.sent) == 1 else 2 * MILLISECOND)
        else:
            delay = SECOND
        until = self.rtt.rto if advancing else self._until_rto()
        self._start(PROBE, min(delay, until) if until > 0 else delay)

    def _probe_makes_sense(self) -> bool:
        """tcp_schedule_loss_probe: only while nothing is known to be lost."""
        if self.conn.stack.number("tcp_early_retrans") not in (3, 4) or not self.sent or not self.sack or not self.conn.synchronized:
            return False
        return not self.congestion.recovering and not self.retransmits and not any(chunk.sacked or chunk.lost for chunk in self.sent)

    def _timer_fired(self) -> None:
        what, self.pending = self.pending, ""
        {RTO: self._timed_out, PROBE: self._probe_loss, REORDER: self._reordering_over, WINDOW_PROBE: self._probe_window}[what]()
        self.conn.tell()

    def _reordering_over(self) -> None:
        self._find_lost([])
        if self.pending != REORDER:
            self._rearm(offset=False)
        self.push()

    def _probe_loss(self) -> None:
        """tcp_send_loss_probe: new data if there is any, else the last segment again."""
        if self.probe_end is None:
            if not ((self.unsent.size and self._fits()) and self.push(limit=1, nagle=False)):
                self._send_again(self.sent[-1], stamped=False)
            self.probe_end = self.nxt
        self.pending = ""
        self._rearm()

    def _fits(self) -> bool:
        return min(self.mss, self.unsent.size) <= distance(self.nxt, plus(self.una, self.window))

    def _timed_out(self) -> None:
        """tcp_retransmit_timer."""
        if not self.sent or self.conn.gave_up():
            return
        self._enter_loss()
        self.retransmits += 1
        self.timeouts += 1
        self._send_again(self.sent[0])
        linear = self.conn.stack.number("tcp_syn_linear_timeouts")
        if self.conn.state != "SYN-SENT" or self.timeouts > linear:
            self.rtt.back_off(self._rto_max)
        self._start(RTO, self.rtt.rto)

    def _enter_loss(self) -> None:
        """All that was not acknowledged selectively counts as lost; start again with one segment."""
        flight = sum(chunk.in_flight for chunk in self.sent)
        for chunk in self.sent:
            if not chunk.sacked:
                chunk.lost, chunk.again = True, False
        self.congestion.timed_out(flight, self.nxt, again=bool(self.retransmits))
        self.probe_end = None

    def _probe_window(self) -> None:
        """tcp_send_probe0: the peer takes nothing; ask, with what fits or with a number it has acknowledged already."""
        if not self.unsent.size or self.sent or self.conn.gave_up_probing():
            return
        self.probes += 1
        room = distance(self.nxt, plus(self.una, self.window))
        if room > 0:
            self._send_new(min(room, self.mss, self.unsent.size))
        else:
            self.conn.emit_segment(plus(self.una, -1), ACK, b"", about="window probe")
        if not self.sent:
            self._start(WINDOW_PROBE, min(self.rtt.rto << min(self.probes, 16), self._rto_max))

    # ---- outside news ------------------------------------------------------------------------------------------------

    def host_unreachable(self, seq: int) -> None:
        """tcp_ld_RTO_revert: a router says that it knows no way now; so nothing was congested, and one doubling is taken back."""
        if seq != self.una or not self.retransmits or not self.timeouts or self.pending != RTO:
            return
        self.timeouts -= 1
        self.rtt.rto = min(self.rtt.unbacked << self.timeouts, self._rto_max)
        self._start(RTO, self._until_rto())

    def smaller_mtu(self, mss: int) -> None:
        """tcp_v4_mtu_reduced, tcp_simple_retransmit: what was too big is lost, and goes out again in smaller pieces."""
        if mss >= self.mss:
            return
        self.mss = mss
        for chunk in self.sent:
            if len(chunk.data) > mss:
                chunk.lost, chunk.again = True, False
        self.push()

    def clear(self) -> None:
        """The connection is over: nothing will be sent any more."""
        self._stop()
        self.sent.clear()
        self.unsent.clear()
