"""Shadow: a firewall that is fed what is made, so that the next packet can stand exactly at an edge that the engine now has.

It only steers: what it says is compared with nothing, and where it is wrong, packets merely miss the edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

from sim.conntrack.conn import Conn, SctpConn, TcpConn
from sim.conntrack.expect import Expectation
from sim.conntrack.settings import Settings
from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import SCTP, TCP, Key
from sim.edges.replay.wall import Wall
from sim.edges.verify.measure import give_rules
from sim.edges.verify.plan import DEVICES, Load
from sim.errors import LanguageError, Malformed
from sim.netfilter.words import Hook
from sim.packet import Packet, Tuple
from sim.units import Address

M = 0xFFFFFFFF
WHOLE_ACK_WINDOW = 66000
ZONES: Final = (0, 1, 2)
"""Where entries are looked for."""
Left = tuple[str, bytes]


class Shadow:
    """The table as the firewall's must be by now. With `rules` that translate, help or divide, a whole firewall; else a tracker alone."""

    def __init__(self, rules: Load = Load(), sysctls: Mapping[str, str] | None = None) -> None:  # noqa: B008  (frozen)
        self._now = 0
        self.left: list[Left] = []
        self._wall = _wall(rules, sysctls or {})
        self._tracker = Tracker(Settings()) if self._wall is None else self._wall.ip.tracker

    def see(self, data: bytes, dev: str | None) -> None:
        """A packet was made, whole; it comes in `dev`, or the firewall sends it. `left` is then what left because of it."""
        self._now += 50
        if self._wall is not None:
            self._see_whole(self._wall, data, dev)
            return
        try:
            packet = Packet(data)
        except Malformed:
            return
        tracked = self._tracker.track(packet, Hook.OUTPUT if dev is None else Hook.PREROUTING, self._now)
        if tracked.conn is not None and tracked.verdict == 1:
            self._tracker.confirm(tracked.conn, packet, self._now, tracked.ctinfo)

    def _see_whole(self, wall: Wall, data: bytes, dev: str | None) -> None:
        wall.advance(self._now)
        try:
            outcome = wall.send(data, 1) if dev is None else wall.receive(data, dev, 1)
        except Exception:  # a mistake of ours is found where it is compared, with the case around it
            self.left = []
            return
        self.left = list(outcome.out)

    def entries(self) -> list[Conn]:
        """The table."""
        return list(self._tracker.entries())

    def expectations(self) -> list[Expectation]:
        """What helpers wait for."""
        return self._tracker.expectations.entries()

    def _find(self, key: Key) -> tuple[Conn, int] | None:
        for zone in ZONES if self._wall is not None else (0,):
            found = self._tracker.find(key, zone)
            if found is not None:
                return found
        return None

    def answers(self, key: Key) -> Tuple | None:
        """How answers to packets with that tuple are addressed, if it is an entry's."""
        if self._wall is None:
            return None
        found = self._find(key)
        return found[0].reply if found is not None and found[1] == 0 else None

    def sctp_tags(self, ends: tuple[Address, Address], ports: tuple[int, int]) -> tuple[int, int] | None:
        """The verification tags that each direction is to bear."""
        conn, way = self._find((*ends, *ports, SCTP)) or (None, 0)
        return (conn.vtag[way], conn.vtag[1 - way]) if isinstance(conn, SctpConn) else None

    def tcp_edges(
        self, ends: tuple[Address, Address], ports: tuple[int, int], size: int, random: Random
    ) -> tuple[int, int] | None:
        """(seq, ack) one of which stands at an edge of what TCP's window tracking would take, or one beside it."""
        conn, way = self._find((*ends, *ports, TCP)) or (None, 0)
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


def _wall(rules: Load, sysctls: Mapping[str, str]) -> Wall | None:
    if not any(word in "".join(rules) for word in STEERED_BY):
        return None
    wall = Wall(DEVICES)
    for key, value in sysctls.items():
        wall.ip.sysctls.set(key, value)
    try:
        give_rules(wall, rules)
    except LanguageError:  # then both refuse them, or it is found where they are compared
        return None
    return wall


STEERED_BY: Final = ("*nat", "type nat", "helper", "zone")
