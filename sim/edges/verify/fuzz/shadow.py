"""Shadow: a tracker that is fed what is made, so that the next packet can stand exactly at an edge that the engine now has.

It only steers: what it says is compared with nothing, and where it is wrong, packets merely miss the edge.
"""

from __future__ import annotations

from random import Random

from sim.conntrack.conn import SctpConn, TcpConn
from sim.conntrack.settings import Settings
from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import SCTP, TCP
from sim.errors import Malformed
from sim.netfilter.words import Hook
from sim.packet import Packet
from sim.units import Address

M = 0xFFFFFFFF
WHOLE_ACK_WINDOW = 66000


class Shadow:
    """The table as the firewall's must be by now."""

    def __init__(self) -> None:
        self._tracker = Tracker(Settings())
        self._now = 0

    def see(self, data: bytes, own: bool) -> None:
        """A packet was made, whole."""
        try:
            packet = Packet(data)
        except Malformed:
            return
        self._now += 50
        tracked = self._tracker.track(packet, Hook.OUTPUT if own else Hook.PREROUTING, self._now)
        if tracked.conn is not None and tracked.verdict == 1:
            self._tracker.confirm(tracked.conn, packet, self._now, tracked.ctinfo)

    def sctp_tags(self, ends: tuple[Address, Address], ports: tuple[int, int]) -> tuple[int, int] | None:
        """The verification tags that each direction is to bear."""
        conn, way = self._tracker.find((*ends, *ports, SCTP)) or (None, 0)
        return (conn.vtag[way], conn.vtag[1 - way]) if isinstance(conn, SctpConn) else None

    def tcp_edges(
        self, ends: tuple[Address, Address], ports: tuple[int, int], size: int, random: Random
    ) -> tuple[int, int] | None:
        """(seq, ack) one of which stands at an edge of what TCP's window tracking would take, or one beside it."""
        conn, way = self._tracker.find((*ends, *ports, TCP)) or (None, 0)
        if not isinstance(conn, TcpConn):
            return None
        sender, receiver = conn.sides[way], conn.sides[1 - way]
        near = random.choice((-2, -1, -1, 0, 0, 0, 1, 1, 2))
        seqs = (
            sender.maxend, sender.maxend - size, sender.end, sender.end - receiver.maxwin - size, sender.end - receiver.maxwin,
            receiver.maxack, receiver.maxack, conn.last_end, conn.last_ack, conn.last_seq,
        )  # fmt: skip
        acks = (
            receiver.end, receiver.end - max(sender.maxwin, WHOLE_ACK_WINDOW), receiver.end - WHOLE_ACK_WINDOW, conn.last_end,
            conn.last_ack, conn.last_seq, sender.maxack,
        )  # fmt: skip
        seq, ack = random.choice(seqs) + near, random.choice(acks) + near
        at = random.random()
        if at < 0.4:
            ack = receiver.end
        elif at < 0.8:
            seq = sender.end
        return seq & M, ack & M
