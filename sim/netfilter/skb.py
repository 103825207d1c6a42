"""Skb: one packet on its way through one machine. Lives for one traversal; hook functions read and write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn
    from sim.packet import Packet
    from sim.trace import Reason


class Skb:
    """`packet`, `now` (µs), `indev`, `outdev` (device names, "" where there is none), `mark`, and what conntrack wrote.

    `conn` is the entry or None; `ctinfo` a `sim.conntrack.words.Ctinfo` or None before conntrack has seen the packet;
    `frag_max` is the size of the largest fragment that it was put together from, 0 for one that came whole.
    `reason` why that label. `dropped` is set by whoever drops it: the event's text ("filter INPUT policy") and reason.
    """

    __slots__ = ("conn", "ctinfo", "dropped", "frag_max", "indev", "mark", "now", "outdev", "packet", "reason")

    def __init__(self, packet: Packet, now: int, indev: str = "", outdev: str = "") -> None:
        self.packet = packet
        self.now = now
        self.indev = indev
        self.outdev = outdev
        self.mark = 0
        self.frag_max = 0
        self.conn: Conn | None = None
        self.ctinfo: int | None = None
        self.reason: Reason | None = None
        self.dropped: tuple[str, Reason] | None = None
