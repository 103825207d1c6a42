"""When TCP gives up: how often, and how long, it sends again what nobody acknowledges.

tcp_write_timeout, retransmits_timed_out, tcp_model_timeout, tcp_orphan_retries (net/ipv4/tcp_timer.c), Linux 6.18: a number of
tries, and the time that they would take had each waited twice as long as the one before, whichever is over first. By default a SYN goes
out at 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 s, and connect fails at 131 s; a SYN-ACK at 0, 1, 3, 7, 15, 31 s, and is forgotten at 63 s; data
is tried for 924.6 s after the first repetition, up to the time-out that comes then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.machine.tcp.rtt import INITIAL
from sim.units import MILLISECOND

if TYPE_CHECKING:
    from sim.machine.tcp.connection import Connection
    from sim.machine.tcp.stack import TcpStack

_RTO_MIN = 200 * MILLISECOND


class Patience:
    """The limits of one machine, from its sysctls."""

    def __init__(self, stack: TcpStack) -> None:
        self._number = stack.number

    def exhausted(self, conn: Connection) -> bool:
        """Whether the time-out that has just come is the end of `conn`."""
        tries = conn.sender.retry.retransmits
        if conn.state == "SYN-SENT":
            retries = self._number("tcp_syn_retries")
            too_many = tries >= retries + self._number("tcp_syn_linear_timeouts")
            return too_many or (tries > 0 and conn.now - conn.begun >= self.model(retries, INITIAL))
        if conn.state == "SYN-RECV":
            return tries >= self._number("tcp_synack_retries" if conn.listener else "tcp_syn_retries")
        return self.too_long(conn, self._orphan_retries(conn) if conn.dead else self._number("tcp_retries2"))

    def _orphan_retries(self, conn: Connection) -> int:
        alive = conn.sender.rtt.rto < self._longest
        retries = self._number("tcp_orphan_retries")
        if conn.soft_error and not alive:
            return 0
        return 8 if not retries and alive else retries

    @property
    def _longest(self) -> int:
        return self._number("tcp_rto_max_ms") * MILLISECOND

    def too_long(self, conn: Connection, boundary: int) -> bool:
        """Whether `boundary` tries would have been made since the first one, had the RTO been 200 ms at the start."""
        first = conn.sender.retry.first_retry
        return conn.sender.retry.retransmits > 0 and first is not None and conn.now - first >= self.model(boundary)

    def model(self, boundary: int, first: int = _RTO_MIN) -> int:
        """How long `boundary` doublings of `first` take, the RTO's upper bound kept (µs)."""
        doublings = (self._longest // first).bit_length() - 1
        if boundary <= doublings:
            return ((2 << boundary) - 1) * first
        return ((2 << doublings) - 1) * first + (boundary - doublings) * self._longest
