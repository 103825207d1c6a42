"""The collector's early drop: once the table was full, closing and unassured entries go until less than 95 % of it is taken.

As gc_worker in nf_conntrack_core.c, Linux 6.18, which a packet dropped for a full table tells to do so at its next turn. Not here:
entries that expire (they end at their very instant, `timers`), and those that a new one pushes out itself (`Table.evictable`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.conntrack import why
from sim.conntrack.conn import UNSCHEDULED, Conn, SctpConn, TcpConn, Timed
from sim.conntrack.sctp import EARLY_DROP as SCTP_CLOSING
from sim.conntrack.tcp_grid import EARLY_DROP as TCP_CLOSING
from sim.conntrack.words import ASSURED
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.conntrack.entries import Entries

INTERVAL: Final = 60 * SECOND
"""GC_SCAN_INTERVAL_MAX: how long the kernel's collector sleeps at most. Ours has its turns on whole minutes."""
MOST: Final = 257
"""So many go in a turn: one more than GC_SCAN_EXPIRED_MAX, 64,000 / HZ, on a kernel of 250 Hz. For the rest it must be asked again."""


class Collector(Timed):
    """Waits among the timers for its next turn, when it was asked to take one."""

    def ask(self, tracker: Entries, now: int) -> None:
        """A packet was dropped, for the table is full."""
        if self.scheduled == UNSCHEDULED:
            self.expires = (now // INTERVAL + 1) * INTERVAL
            tracker.timers.set(self)

    def turn(self, tracker: Entries, now: int) -> None:
        """Take what may go, oldest first (the kernel: in the order of its hash), while the table is still nearly full."""
        enough = tracker.settings.max // 100 * 95
        too_many = len(tracker.table) - enough + 1 if enough else 0
        if too_many > 0:
            for conn in [conn for conn in tracker.entries() if may_go(conn)][: min(too_many, MOST)]:
                tracker.destroy(conn, now, why.COLLECTED)


def may_go(conn: Conn) -> bool:
    """Whether nothing is lost with it (gc_worker_can_early_drop)."""
    if not conn.status & ASSURED:
        return True
    if isinstance(conn, TcpConn):
        return conn.state in TCP_CLOSING
    return isinstance(conn, SctpConn) and conn.state in SCTP_CLOSING
