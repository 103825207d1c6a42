"""When a connection tries again: the one timer of its sender, and for what it stands (`pending`).

RTO            nothing was acknowledged in time: the oldest segment goes out again, and the time-out doubles
PROBE          a tail loss probe (RFC 8985 section 7): before that, the last segment once more, to get an answer
REORDER        segments overtook each other, perhaps: soon the one in front counts as lost
WINDOW_PROBE   the peer takes nothing now: ask whether it does again

tcp_retransmit_timer (net/ipv4/tcp_timer.c), tcp_rearm_rto, tcp_set_xmit_timer, tcp_enter_loss (tcp_input.c), tcp_schedule_loss_probe,
tcp_send_loss_probe, tcp_send_probe0 (tcp_output.c), tcp_ld_RTO_revert (tcp_ipv4.c), Linux 6.18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.machine.tcp.segment import ACK
from sim.machine.tcp.sequence import distance, plus
from sim.machine.timer import Timer
from sim.units import MILLISECOND, SECOND

if TYPE_CHECKING:
    from sim.machine.tcp.sender import Sender

RTO, PROBE, REORDER, WINDOW_PROBE = "retransmission", "loss probe", "reordering", "window probe"


class Retry:
    """`retransmits`: RTOs since the last progress; `timeouts`: doublings of the RTO; `probes`: window probes without an answer.

    `first_retry` is when the first repetition went out (retrans_stamp), `probe_end` what a loss probe waits for (tlp_high_seq).
    """

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.retransmits = self.timeouts = self.probes = 0
        self.first_retry: int | None = None
        self.probe_end: int | None = None
        self.pending = ""
        self.timer = Timer(sender.conn.env, self._fired)

    def progress(self) -> None:
        """Something was acknowledged: what was backed off is so no more."""
        self.retransmits = self.timeouts = 0
        self.sender.rtt.reset(self.longest)

    @property
    def longest(self) -> int:
        return self.sender.conn.stack.number("tcp_rto_max_ms") * MILLISECOND

    def start(self, what: str, delay: int) -> None:
        self.pending = what
        self.timer.start(max(1, delay))

    def stop(self) -> None:
        self.pending = ""
        self.timer.stop()

    def _until_rto(self) -> int:
        """tcp_rto_delta_us: how far off the RTO of the oldest segment is."""
        return self.sender.sent[0].sent_at + self.sender.rtt.rto - self.sender.conn.now

    def rearm(self, *, offset: bool = True) -> None:
        """tcp_rearm_rto; `offset`: the time that a loss probe or reordering timer took counts."""
        if not self.sender.sent:
            self.stop()
        elif offset and self.pending in (PROBE, REORDER):
            self.start(RTO, self._until_rto())
        else:
            self.start(RTO, self.sender.rtt.rto)

    def schedule(self, *, advancing: bool) -> None:
        """tcp_set_xmit_timer: a loss probe where one makes sense, else the RTO."""
        if self.pending == REORDER:
            return
        if not self._probe_makes_sense():
            if advancing:
                self.rearm()
            return
        if self.sender.rtt.srtt8:
            delay = 2 * self.sender.rtt.srtt + (self.sender.rtt.minimum if len(self.sender.sent) == 1 else 2 * MILLISECOND)
        else:
            delay = SECOND
        until = self.sender.rtt.rto if advancing else self._until_rto()
        self.start(PROBE, min(delay, until) if until > 0 else delay)

    def _probe_makes_sense(self) -> bool:
        """tcp_schedule_loss_probe: only while nothing is known to be lost."""
        sender, conn = self.sender, self.sender.conn
        if conn.stack.number("tcp_early_retrans") not in (3, 4) or not sender.sent or not sender.sack or not conn.synchronized:
            return False
        calm = not sender.congestion.recovering and not self.retransmits
        return calm and not any(chunk.sacked or chunk.lost for chunk in sender.sent)

    def _fired(self) -> None:
        what, self.pending = self.pending, ""
        {RTO: self._timed_out, PROBE: self._probe_loss, REORDER: self._reordering_over, WINDOW_PROBE: self._probe_window}[what]()
        self.sender.conn.tell()

    def _reordering_over(self) -> None:
        self.sender.find_lost([])
        if self.pending != REORDER:
            self.rearm(offset=False)
        self.sender.push()

    def _probe_loss(self) -> None:
        """tcp_send_loss_probe: new data if there is any, else the last segment again."""
        if self.probe_end is None:
            if not ((self.sender.unsent.size and self._fits()) and self.sender.push(limit=1, nagle=False)):
                self.sender.send_again(self.sender.sent[-1], stamped=False)
            self.probe_end = self.sender.nxt
        self.pending = ""
        self.rearm()

    def _fits(self) -> bool:
        sender = self.sender
        return min(sender.segment_size, sender.unsent.size) <= distance(sender.nxt, plus(sender.una, sender.window))

    def _timed_out(self) -> None:
        """tcp_retransmit_timer."""
        if not self.sender.sent or self.sender.conn.gave_up():
            return
        self._enter_loss()
        self.retransmits += 1
        self.timeouts += 1
        self.sender.send_again(self.sender.sent[0])
        linear = self.sender.conn.stack.number("tcp_syn_linear_timeouts")
        if self.sender.conn.state != "SYN-SENT" or self.timeouts > linear:
            self.sender.rtt.back_off(self.longest)
        self.start(RTO, self.sender.rtt.rto)

    def _enter_loss(self) -> None:
        """All that was not acknowledged selectively counts as lost; start again with one segment."""
        flight = sum(chunk.in_flight for chunk in self.sender.sent)
        for chunk in self.sender.sent:
            if not chunk.sacked:
                chunk.lost, chunk.again = True, False
        self.sender.congestion.timed_out(flight, self.sender.nxt, again=bool(self.retransmits))
        self.probe_end = None

    def _probe_window(self) -> None:
        """tcp_send_probe0: the peer takes nothing; ask, with what fits or with a number it has acknowledged already."""
        if not self.sender.unsent.size or self.sender.sent or self.sender.conn.gave_up_probing():
            return
        self.probes += 1
        room = distance(self.sender.nxt, plus(self.sender.una, self.sender.window))
        if room > 0:
            self.sender.send_new(min(room, self.sender.segment_size, self.sender.unsent.size))
        else:
            self.sender.conn.emit_segment(plus(self.sender.una, -1), ACK, b"", about="window probe")
        if not self.sender.sent:
            self.start(WINDOW_PROBE, min(self.sender.rtt.rto << min(self.probes, 16), self.longest))

    def host_unreachable(self, seq: int) -> None:
        """tcp_ld_RTO_revert: a router says that it knows no way now; so nothing was congested, and one doubling is taken back."""
        if seq != self.sender.una or not self.retransmits or not self.timeouts or self.pending != RTO:
            return
        self.timeouts -= 1
        self.sender.rtt.rto = min(self.sender.rtt.unbacked << self.timeouts, self.longest)
        self.start(RTO, self._until_rto())
