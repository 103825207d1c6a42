"""Judges that read bytes which no selector names: u32, SPIs of IPsec, chunks of SCTP, types and options of DCCP.

Of the packet's bytes alone: no memory, but not of the connection either. Sources: net/netfilter/xt_u32.c, xt_esp.c, xt_ipcomp.c,
xt_sctp.c, xt_dccp.c, net/ipv4/netfilter/ipt_ah.c, Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.parts import Judge

_U32 = 0xFFFFFFFF
_CUT_SHORT = "its header is cut short: iptables drops it at once"


class U32:
    """xt_u32: numbers read, shifted and masked. `tests` are (location, values); a location is (operator, number) pairs."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._tests, self._negated = part["tests"], part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        return bool(self._all(skb.packet.data) != self._negated)

    def _all(self, data: bytes) -> bool:
        for location, values in self._tests:
            found = _located(data, location)
            self.why = "the packet is too short" if found is None else f"found {found:#x}"
            if found is None or not any(low <= found <= high for low, high in values):
                return False
        return True


def _located(data: bytes, location: tuple[tuple[str, int], ...]) -> int | None:
    """u32_match_it: the number that a location stands for, None beyond the packet's end."""
    base, value = 0, 0
    for operator, number in location:
        if operator in ("", "@"):
            base += value
            if base > _U32 or base + number + 4 > len(data):
                return None
            value = int.from_bytes(data[base + number : base + number + 4])
        elif operator == "&":
            value &= number
        elif operator == "<<":
            value = value << (number & 31) & _U32
        else:
            value >>= number & 31
    return value


class Spi:
    """ah, esp, ipcomp of IPv4 (and esp of IPv6): a number `at` an offset of a header of `size` bytes lies between two."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._part = dict(part.arguments)
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        packet, part = skb.packet, self._part
        if packet.fragment:
            self.why = "a later fragment, without a header to look at"
            return False
        if len(packet.data) < packet.l4 + part["size"]:
            self.why = _CUT_SHORT
            return None
        at = packet.l4 + part["at"]
        found = int.from_bytes(packet.data[at : at + part["bytes"]])
        self.why = f"SPI {found}"
        return bool((part["low"] <= found <= part["high"]) != part["negated"])


class Chunks:
    """xt_sctp's --chunk-types: `wanted` types, `flags` (type, mask, bits), `how`: any, all or only."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._wanted, self._flags, self._how = part["wanted"], {kind: (mask, bits) for kind, mask, bits in part["flags"]}, part["how"]
        self._negated = part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        seen: list[tuple[int, int]] = []
        for chunk in _chunks(skb.packet):
            if chunk is None:
                self.why = "a chunk is cut short: iptables drops it at once"
                return None
            seen.append(chunk)
            early = self._early(*chunk)
            if early is not None:
                break
        else:
            early = self._at_end(seen)
        self.why = "chunks " + ", ".join(str(kind) for kind, _ in seen)
        return bool(early != self._negated)

    def _fits(self, kind: int, flags: int) -> bool:
        mask, bits = self._flags.get(kind, (0, 0))
        return kind in self._wanted and flags & mask == bits

    def _early(self, kind: int, flags: int) -> bool | None:
        """The answer that is there already with this chunk, if it is."""
        if self._how == "any" and self._fits(kind, flags):
            return True
        if self._how == "only" and not self._fits(kind, flags):
            return False
        return None

    def _at_end(self, seen: list[tuple[int, int]]) -> bool:
        if self._how == "all":
            return bool(self._wanted <= {kind for kind, flags in seen if self._fits(kind, flags)})
        return bool(self._how == "only")


def _chunks(packet: Packet) -> Iterator[tuple[int, int] | None]:
    """(type, flags) of each chunk; None where one is cut short or has no length."""
    data, at = packet.data, packet.l4 + 12
    while True:
        size = int.from_bytes(data[at + 2 : at + 4]) if at + 4 <= len(data) else 0
        if not size:
            yield None
            return
        yield data[at], data[at + 1]
        at += (size + 3) & ~3
        if at >= len(data):
            return


class DccpType:
    """xt_dccp's --dccp-types: one of `types`."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._types, self._negated = part["types"], part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        kind = skb.packet.data[skb.packet.l4 + 8] >> 1 & 15
        self.why = f"DCCP type {kind}"
        return bool((kind in self._types) != self._negated)


class DccpOption:
    """xt_dccp's --dccp-option: behind a header whose length depends on the type and on long sequence numbers."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._option, self._negated = part["option"], part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        packet = skb.packet
        header = packet.data[packet.l4 :]
        start, end = _dccp_header_size(header), header[4] * 4
        if end < start or len(header) < end:
            self.why = "its options are cut short: iptables drops it at once"
            return None
        there = _has_option(header[start:end], self._option)
        self.why = f"option {self._option} is {'' if there else 'not '}there"
        return bool(there != self._negated)


_DCCP_MORE = {0: 4, 1: 12, 2: 0, 3: 8, 4: 8, 5: 8, 6: 8, 7: 12, 8: 8, 9: 8}


def _dccp_header_size(header: bytes) -> int:
    """__dccp_hdr_len: the generic header, long or short, and what the type adds."""
    return 12 + 4 * (header[8] & 1) + _DCCP_MORE.get(header[8] >> 1 & 15, 12)


def _has_option(options: bytes, wanted: int) -> bool:
    at = 0
    while at < len(options):
        if options[at] == wanted:
            return True
        at += 1 if options[at] < 2 else (options[at + 1] if at + 1 < len(options) else 1) or 1
    return False
