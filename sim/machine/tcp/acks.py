"""When to acknowledge: at once, or up to 40 ms later on the back of an answer. As Linux decides it.

Quick mode: the first 16 ACKs of a connection, and some after trouble, go at once. Interactive ("pingpong") mode, once a program answers
what it received: ACKs wait for the answer. tcp_event_data_recv, __tcp_ack_snd_check (net/ipv4/tcp_input.c), tcp_cleanup_rbuf (tcp.c),
tcp_send_delayed_ack, tcp_event_data_sent (tcp_output.c), tcp_delack_timer_handler (tcp_timer.c), Linux 6.18.
"""

from __future__ import annotations

from sim.units import MILLISECOND

ATO_MIN = 40 * MILLISECOND  # TCP_ATO_MIN = TCP_DELACK_MIN
DELAY_MAX = 200 * MILLISECOND  # TCP_DELACK_MAX
_QUICK = 16  # TCP_MAX_QUICKACKS


class Acks:
    """One connection's way of acknowledging. `owed`: data came that has not been acknowledged."""

    __slots__ = ("_ato", "_last", "_quick", "interactive", "owed", "pushed")

    def __init__(self) -> None:
        self._ato = self._quick = 0
        self._last = -(1 << 60)
        self.interactive = self.owed = self.pushed = False

    @property
    def quick(self) -> bool:
        """Whether ACKs go at once (tcp_in_quickack_mode)."""
        return self._quick > 0 and not self.interactive

    def data_came(self, now: int, rto: int, quick_limit: int) -> None:
        """In-order data arrived at `now`; `quick_limit` is how many segments of the window one ACK each may have."""
        if not self._ato:
            self._hurry(min(quick_limit, _QUICK))
            self._ato = ATO_MIN
        else:
            gap = now - self._last
            if gap <= ATO_MIN // 2:
                self._ato = self._ato // 2 + ATO_MIN // 2
            elif gap < self._ato:
                self._ato = min(self._ato // 2 + gap, rto)
            elif gap > rto:
                self._hurry(min(quick_limit, _QUICK))
        self._last = now
        self.owed = True

    def _hurry(self, count: int) -> None:
        self._quick = max(self._quick, count)

    def trouble(self) -> None:
        """Something came twice or out of order: tell the sender without delay (tcp_enter_quickack_mode)."""
        self._hurry(_QUICK)
        self.interactive = False
        self._ato = ATO_MIN
        self.owed = True

    def data_sent(self, now: int) -> None:
        """This side sent data; soon after receiving some, that was an answer."""
        if now - self._last < self._ato:
            self.interactive = True

    def sent(self) -> None:
        """An acknowledgment went out."""
        if self._quick:
            self._quick -= 1
            if not self._quick:
                self._ato = ATO_MIN
        self.owed = self.pushed = False

    def delay(self, srtt: int) -> int:
        """How long (µs) the ACK that is owed may wait."""
        if self._ato <= ATO_MIN:
            return ATO_MIN
        longest = min(DELAY_MAX, max(srtt, ATO_MIN)) if srtt else DELAY_MAX
        return min(self._ato, longest)

    def waited_in_vain(self, rto: int) -> None:
        """The delay ran out without an answer."""
        if self.interactive:
            self.interactive = False
            self._ato = ATO_MIN
        else:
            self._ato = min(self._ato * 2, rto)
