"""Judges that act and always let the rule go on: what iptables' TRACE, TEE and TCPOPTSTRIP do.

None is a pure function: each does something with every packet. Sources: net/netfilter/xt_TRACE.c, xt_TEE.c, nf_dup_ipv4.c,
xt_TCPOPTSTRIP.c, Linux 6.18.
"""

from __future__ import annotations

from typing import Any

from sim.netfilter.skb import Skb
from sim.ruleset.parts import Judge
from sim.ruleset.rewrite import mended


class Trace:
    """Every rule that matches the packet from here on is told in the kernel's log."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self.why = "it is traced from here on"

    def test(self, skb: Skb) -> bool | None:
        skb.traced = True
        return True


class Tee:
    """A copy of the packet goes to another machine; what is a copy is not copied again."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: Any) -> None:
        self._gateway, self._device, self._asks = part["gateway"], part["oif"], asks
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        self.why = "a copy is sent"
        self._asks.duplicate(skb, self._gateway, self._device)
        return True


class Strip:
    """TCP options of these kinds become no-operations, and the sum is mended. A header cut short drops the packet."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._kinds = part["kinds"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        packet = skb.packet
        if packet.fragment:
            return True
        size = (packet.data[packet.l4 + 12] >> 4) * 4 if packet.complete else 0
        if size < 20 or len(packet.data) < packet.l4 + size:
            self.why = "its TCP header is cut short: it is dropped"
            return None
        header = packet.data[packet.l4 : packet.l4 + size]
        stripped = self._stripped(header)
        if stripped != header:
            packet.rewrite(packet.data[: packet.l4] + stripped + packet.data[packet.l4 + size :])
        return True

    def _stripped(self, header: bytes) -> bytes:
        at = 20
        while at < len(header) - 1:
            length = 1 if header[at] < 2 else header[at + 1] or 1
            if at + length > len(header):
                break
            if header[at] in self._kinds:
                header = _blanked(header, at, length)
            at += length
        return header


def _blanked(header: bytes, at: int, length: int) -> bytes:
    """`length` bytes from `at` become 1 (NOP); the sum is mended byte by byte, as the kernel does it."""
    total = int.from_bytes(header[16:18])
    for place in range(at, at + length):
        old, new = bytes((header[place],)), b"\1"
        pair = (old + b"\0", new + b"\0") if place % 2 == 0 else (b"\0" + old, b"\0" + new)
        total = int.from_bytes(mended(total, *pair))
    header = header[:at] + b"\1" * length + header[at + length :]
    return header[:16] + total.to_bytes(2) + header[18:]
