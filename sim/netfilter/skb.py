"""Skb: one packet on its way through one machine. Lives for one traversal; hook functions read and write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn
    from sim.packet import Packet
    from sim.trace import Reason


class Template(NamedTuple):
    """What iptables' CT asks of conntrack: a helper's name or None for a new entry, the zone in which the packet is tracked, and
    which events of the entry and of its expectations are told (see Conn; both 0: all)."""

    helper: str | None = None
    zone: int = 0
    events: int = 0
    expected_events: int = 0


class Skb:
    """`packet`, `now` (µs), `indev`, `outdev` (device names, "" where there is none), `mark`, `priority` (a traffic class), and what
    conntrack wrote.

    `conn` is the entry or None; `ctinfo` a `sim.conntrack.words.Ctinfo` or None before conntrack has seen the packet;
    `frag_max` is the size of the largest fragment that it was put together from, 0 for one that came whole; `frag_sizes` is
    what each of them brought; `pulled` how many bytes behind the IP header the kernel has moved into the first of them since.
    `reason` why that label; `template` is what a rule ahead of conntrack wants for a new entry (iptables' CT), or None.
    `held` is the device that has it (skb->dev): that by which it came, and in POSTROUTING that by which the machine's own packet goes.
    `routed`: it is known that the packet is for this machine itself.
    `way` is the route found anew where NAT sent a packet of the machine's own elsewhere, else None.
    `traced`: each rule that it meets is to be told (nf_trace).
    `pkt_type`: HOST, 0, for all that comes: links have no link layer; nft may call it otherwise (skb->pkt_type).
    `drawn` is the last number that nft's `numgen inc` gave.
    `dropped` is set by whoever drops it: the event's text ("filter INPUT policy") and reason.
    """

    __slots__ = (
        "conn", "ctinfo", "drawn", "dropped", "frag_max", "frag_sizes", "held", "indev", "mark", "now", "outdev", "packet",
        "pkt_type", "priority", "pulled", "reason", "routed", "template", "traced", "way",
    )  # fmt: skip

    def __init__(self, packet: Packet, now: int, indev: str = "", outdev: str = "") -> None:
        self.packet = packet
        self.now = now
        self.indev = indev
        self.outdev = outdev
        self.held = indev
        self.routed = False
        self.mark = 0
        self.drawn = 0
        self.pkt_type = 0
        self.priority = 0
        self.frag_max = 0
        self.frag_sizes: tuple[int, ...] = ()
        self.pulled = 0
        self.way: Any = None
        self.conn: Conn | None = None
        self.ctinfo: int | None = None
        self.reason: Reason | None = None
        self.template: Template | None = None
        self.dropped: tuple[str, Reason] | None = None
        self.traced = False
