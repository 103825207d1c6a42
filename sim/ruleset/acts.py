"""What nft's `set` statements do beyond marks and headers, by kind: traffic class, trace, packet type, zone; TCP options taken out.

None of it is a pure function of the connection: each changes the packet or what is known of it, `numgen` its own memory. An Act
answers like a Judge: True and the rule goes on, False and it ends there.
Sources: net/netfilter/nft_meta.c, nft_ct.c, nft_exthdr.c, nft_numgen.c, Linux 6.18.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from sim import wire
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.headers import OPTIONAL
from sim.ruleset.parts import Judge
from sim.ruleset.putting import PUT

_NOP = 1
_TCP_HEADER = 20
_OTHERHOST = 3  # the last that skb_pkt_type_ok has


class Numgen:
    """numgen inc: 0, 1 ... mod - 1, and again; what it gave stands in `skb.drawn`, where the selector reads it."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._mod, self._last = part["mod"], part["mod"] - 1
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        self._last = skb.drawn = (self._last + 1) % self._mod
        self.why = f"its number is {self._last}"
        return True


class _Set(ABC):
    """What sets a value that is always there."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._part = dict(part.arguments)
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        return self._do(skb) is not False

    @abstractmethod
    def _do(self, skb: Skb) -> bool | None:
        """Do it. False: it could not be done, and the rule does not match."""


class Priority(_Set):
    """meta priority set: the traffic class."""

    def _do(self, skb: Skb) -> bool | None:
        PUT["meta priority"](skb, self._part["value"])
        return None


class Trace(_Set):
    """meta nftrace set."""

    def _do(self, skb: Skb) -> bool | None:
        skb.traced = bool(self._part["value"])
        return None


class PacketType(_Set):
    """meta pkttype set: what is not HOST any more is not forwarded, and heard by no TCP (nft_meta_set_eval, skb_pkt_type_ok)."""

    def _do(self, skb: Skb) -> bool | None:
        if self._part["value"] <= _OTHERHOST:
            skb.pkt_type = self._part["value"]
        return None


class Zone(_Set):
    """ct zone set: ahead of conntrack, the zone in which the packet is tracked."""

    def _do(self, skb: Skb) -> bool | None:
        PUT[self._part.get("selector", "ct zone")](skb, self._part["value"])
        return None


class Event(_Set):
    """ct event set: which events of the entry are told; one made while nobody listened tells none anyway."""

    def _do(self, skb: Skb) -> bool | None:
        if skb.conn is not None:
            skb.conn.events = self._part["value"]
        return None


class Label(_Set):
    """ct label set: the entry gets these labels, too, where it has room for some."""

    def _do(self, skb: Skb) -> bool | None:
        conn = skb.conn
        if conn is None or conn.labels is None:
            self.why = "no entry" if conn is None else "its entry was made before a rule set labels"
            return None
        conn.set_labels(conn.labels | self._part["value"])
        return None


class ResetOption(_Set):
    """reset tcp option: its bytes become no-operations (nft_exthdr_tcp_strip_eval)."""

    def _do(self, skb: Skb) -> bool | None:
        packet = skb.packet
        if packet.protonum != 6 or not packet.complete or packet.payload > len(packet.data):
            return False
        skb.pulled = max(skb.pulled, packet.payload - packet.l4)  # skb_ensure_writable, whether the option is there or not
        found = _option(packet, self._number())
        if found is not None:
            start, end = found
            _put(packet, start, bytes((_NOP,)) * (end - start))
        return None

    def _number(self) -> int:
        name = self._part["name"]
        return int(name) if name.isdecimal() else OPTIONAL["tcp option", name].number


def _option(packet: Packet, number: int) -> tuple[int, int] | None:
    data, at, end = packet.data, packet.l4 + _TCP_HEADER, packet.payload
    while at < end - 1:
        size = 1 if data[at] < 2 else max(1, data[at + 1])
        if data[at] == number:
            return (at, at + size) if at + size <= end else None
        at += size
    return None


def _put(packet: Packet, start: int, new: bytes) -> None:
    """Other bytes at `start` of a TCP header, its sum mended."""
    data, sum_at = packet.data, packet.l4 + 16
    old = data[start : start + len(new)]
    odd = (start - packet.l4) % 2
    pad = (b"\0" * odd, b"\0" * ((odd + len(new)) % 2))
    words = bytes(byte ^ 255 for byte in pad[0] + old + pad[1]) + pad[0] + new + pad[1]
    total = wire.ones_sum((int.from_bytes(data[sum_at : sum_at + 2]) ^ 0xFFFF).to_bytes(2) + words) ^ 0xFFFF
    data = data[:start] + new + data[start + len(new) :]
    packet.rewrite(data[:sum_at] + total.to_bytes(2) + data[sum_at + 2 :])


KINDS: dict[str, Any] = {
    "numgen": Numgen, "set priority": Priority, "set nftrace": Trace, "set pkttype": PacketType, "set zone": Zone, "set event": Event,
    "set label": Label, "reset option": ResetOption,
}  # fmt: skip
