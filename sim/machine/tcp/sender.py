"""The sending half of a connection: what goes out, what an ACK tells, and what is lost. When to try again is retry.py's.

tcp_write_xmit, __tcp_retransmit_skb (net/ipv4/tcp_output.c), tcp_ack (tcp_input.c), tcp_rack_detect_loss (tcp_recovery.c), Linux 6.18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.machine.tcp.chunk import Chunk, Unsent
from sim.machine.tcp.congestion import Congestion
from sim.machine.tcp.retry import PROBE, REORDER, WINDOW_PROBE, Retry
from sim.machine.tcp.rtt import Rtt
from sim.machine.tcp.segment import ACK, FIN, PSH, SYN, Segment
from sim.machine.tcp.sequence import after, before, distance, plus
from sim.units import MILLISECOND

if TYPE_CHECKING:
    from sim.machine.tcp.connection import Connection

class Sender:
    """`una` oldest number not acknowledged, `nxt` next to send, `window` what the peer takes; `sent` in flight, `unsent` not yet.

    `fin_wanted`: a FIN follows the last byte. `retry` has the timer.
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
        self.retry = Retry(self)

    @property
    def segment_size(self) -> int:
        """How many bytes fit into a segment now: fewer while SACK blocks go along (tcp_current_mss)."""
        blocks = self.conn.receiver.sack_count() if self.sack else 0
        return self.mss - (4 + 8 * min(blocks, 3 if self.conn.timestamps_on else 4) if blocks else 0)

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
            self.send_new(min(self.segment_size, self.unsent.size))
            count += 1
        if count:
            self.retry.schedule(advancing=False)
        elif not self.sent and self.unsent.size and not self.retry.pending:
            self.retry.start(WINDOW_PROBE, self.rtt.rto)
        self.conn.tell()
        return count

    def _room(self) -> bool:
        return sum(chunk.in_flight for chunk in self.sent) < self.congestion.window

    def _may_send(self, nagle: bool) -> bool:
        """The peer's window, and Nagle's rule as Minshall mended it (tcp_nagle_check)."""
        size = min(self.segment_size, self.unsent.size)
        if size > distance(self.nxt, plus(self.una, self.window)):
            return False
        last = size == self.unsent.size and self.fin_wanted
        if size == self.segment_size or last or not nagle or self.conn.nodelay or not self.sent:
            return True
        return self.small is None or not after(self.small, self.una)

    def send_new(self, size: int) -> None:
        data, about = self.unsent.take(size)
        empty = not self.unsent.size
        chunk = Chunk(self.nxt, data, ACK | (PSH if data and empty else 0), about)
        if empty and self.fin_wanted:
            chunk.flags |= FIN
            self.fin_sent = True
        if size < self.segment_size:
            self.small = chunk.end
        self.first(chunk)
        self.conn.acks.data_sent(self.conn.now)

    def first(self, chunk: Chunk) -> None:
        """Send a segment for the first time."""
        idle = not self.sent
        self.sent.append(chunk)
        self.nxt = chunk.end
        self.transmit(chunk)
        if idle or self.retry.pending == PROBE:
            self.retry.rearm()

    def transmit(self, chunk: Chunk) -> None:
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
        self.find_lost(newly + sacked)
        if not self.sent:
            self.retry.stop()
            self.retry.probes = 0
        elif advanced or sacked:
            self.retry.schedule(advancing=True)
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
            self.rtt.reset(self.retry.longest)

    def _progress(self, newly: list[Chunk]) -> None:
        """The oldest byte was acknowledged: what was backed off is so no more (tcp_clean_rtx_queue, tcp_rearm_rto)."""
        self.retry.progress()
        self.congestion.acked(len(newly), self.una)
        if not self.congestion.recovering or not self.sent:
            self.retry.first_retry = None

    def _end_probe(self, segment: Segment) -> None:
        """tcp_process_tlp_ack: the loss probe was answered."""
        if self.retry.probe_end is not None and not before(segment.ack, self.retry.probe_end):
            self.retry.probe_end = None

    def find_lost(self, delivered: list[Chunk]) -> None:
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
            self.retry.start(REORDER, max(waits) + 2 * MILLISECOND)  # TCP_TIMEOUT_MIN

    def _rack(self, delivered: list[Chunk]) -> list[int]:
        """Mark what is lost; gives how long (µs) until what is not yet would be."""
        rack = self.congestion
        for chunk in delivered:
            if (chunk.sent_at, distance(self.isn, chunk.end)) > rack.delivered:
                rack.delivered, rack.trip = (chunk.sent_at, distance(self.isn, chunk.end)), self.conn.now - chunk.sent_at
        sacked = sum(chunk.sacked for chunk in self.sent)
        if not sacked:
            return []
        patience = 0 if rack.recovering or sacked >= 3 else min(self.rtt.shortest >> 2, self.rtt.srtt)
        waits = []
        for chunk in self.sent:
            if chunk.sacked or (chunk.lost and not chunk.again) or (chunk.sent_at, distance(self.isn, chunk.end)) >= rack.delivered:
                continue
            left = chunk.sent_at + rack.trip + patience - self.conn.now
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
                self.send_again(chunk)

    def send_again(self, chunk: Chunk, *, stamped: bool = True) -> None:
        """__tcp_retransmit_skb: with the neighbours behind it in one segment, where they fit."""
        if len(chunk.data) > self.segment_size:
            self.sent.insert(self.sent.index(chunk) + 1, chunk.cut(self.segment_size))
        self._collapse(chunk)
        chunk.again = chunk.lost
        self.transmit(chunk)
        if stamped and self.retry.first_retry is None:
            self.retry.first_retry = self.conn.now

    def _collapse(self, chunk: Chunk) -> None:
        if chunk.flags & SYN:
            return
        at = self.sent.index(chunk) + 1
        while at < len(self.sent):
            other = self.sent[at]
            if other.sacked or len(chunk.data) + len(other.data) > self.segment_size:
                return
            chunk.joined(self.sent.pop(at))

    # ---- outside news ------------------------------------------------------------------------------------------------

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
        self.retry.stop()
        self.sent.clear()
        self.unsent.clear()
