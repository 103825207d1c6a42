"""Judges of ip6tables that look at IPv6's extension headers: hbh, dst, frag, rt, ah, ipv6header, mh.

Of the packet's bytes alone. Sources: net/ipv6/netfilter/ip6t_*.c and ipv6_find_hdr in net/ipv6/exthdrs_core.c, Linux 6.18.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.parts import Judge

HOP, ROUTING, FRAGMENT, ESP, AUTH, NONE, DEST = 0, 43, 44, 50, 51, 59, 60
_WALKED = frozenset((HOP, ROUTING, FRAGMENT, AUTH, NONE, DEST))
MASKS = {"hop-by-hop": 128, "ipv6-opts": 64, "ipv6-route": 32, "ipv6-frag": 16, "ah": 8, "esp": 4, "ipv6-nonxt": 2, "protocol": 1}
_BIT = {HOP: 128, DEST: 64, ROUTING: 32, FRAGMENT: 16, AUTH: 8}
_NOT_THERE, _ANY = -1, -1
_CUT_SHORT = "its headers are cut short: ip6tables drops it at once"
_ABSENT = "it has no such header"


def find_header(data: bytes, target: int) -> int | None:
    """Where the header `target` starts: -1 when the packet has none, None when its headers are cut short (ipv6_find_hdr)."""
    kind, at = data[6], 40
    while kind != target or kind == NONE:
        if kind not in _WALKED or kind == NONE:
            return _NOT_THERE
        if at + (4 if kind in (FRAGMENT, ROUTING) else 2) > len(data):
            return None
        if kind == FRAGMENT and int.from_bytes(data[at + 2 : at + 4]) & ~7:
            return _NOT_THERE
        kind, at = data[at], at + _size(data, kind, at)
    return at if at + (4 if target == FRAGMENT else 2) <= len(data) else None


def headers_whole(packet: Packet) -> bool:
    """Whether an IPv6 packet's headers do not end before its transport: else rules see no protocol at all (ipv6_find_hdr fails)."""
    if packet.fragment:  # a later one bears the first header behind, and not what follows it
        return packet.protonum not in _BIT
    return find_header(packet.data, _ANY) is not None


def _size(data: bytes, kind: int, at: int) -> int:
    if kind == FRAGMENT:
        return 8
    return (data[at + 1] + 2) * 4 if kind == AUTH else (data[at + 1] + 1) * 8


class _Header(ABC):
    """What the judges of one header share: find it, be sure that its `least` bytes are there, look."""

    kind, least = HOP, 2

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._part = dict(part.arguments)
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        data = skb.packet.data
        at = find_header(data, self._part.get("kind", self.kind))
        if at is None or (at >= 0 and at + self.least > len(data)):
            self.why = _CUT_SHORT
            return None
        self.why = "it has the header" if at >= 0 else _ABSENT
        return self._looks(data, at) if at >= 0 else False

    @abstractmethod
    def _looks(self, data: bytes, at: int) -> bool | None:
        """Whether the header at `at` is as it is wanted; None drops the packet."""

    def _between(self, name: str, value: int) -> bool:
        """A range that was given, or not."""
        low, high, negated = self._part[name]
        return bool((low <= value <= high) != negated)


class Options(_Header):
    """hbh, dst: `length` of the header, `options` (type, length or 255 for any) that it begins with."""

    def _looks(self, data: bytes, at: int) -> bool | None:
        size = (data[at + 1] + 1) * 8
        if len(data) - at < size:
            self.why = "the header is longer than the packet: ip6tables drops it at once"
            return None
        return self._between("length", size) and self._has(data[at + 2 : at + size])

    def _has(self, body: bytes) -> bool:
        wanted = self._part["options"]
        for number, (kind, length) in enumerate(wanted):
            if not body or body[0] != kind or (kind and len(body) < 2):
                return False
            if kind and length not in (255, body[1]):
                return False
            size = body[1] + 2 if kind else 1
            if size > len(body) and number < len(wanted) - 1:
                return False
            body = body[size:]
        return True


class Fragment(_Header):
    """frag: id, reserved bits, first, more, last. The length is not looked at (frag_mt6)."""

    kind, least = FRAGMENT, 8

    def _looks(self, data: bytes, at: int) -> bool | None:
        word, flags = int.from_bytes(data[at + 2 : at + 4]), self._part["flags"]
        name = int.from_bytes(data[at + 4 : at + 8])
        self.why = f"fragment of {name} at {word & ~7}, {'more follow' if word & 1 else 'the last'}"
        bad = (
            ("fragres" in flags and (data[at + 1] or word & 6)) or ("fragfirst" in flags and word & ~7)
            or ("fragmore" in flags and not word & 1) or ("fraglast" in flags and word & 1)
        )  # fmt: skip
        return self._between("id", name) and not bad


class Routing(_Header):
    """rt: type, segments left, length; of type 0 its addresses."""

    kind, least = ROUTING, 4

    def _looks(self, data: bytes, at: int) -> bool | None:
        size = (data[at + 1] + 1) * 8
        if len(data) - at < size:
            self.why = "the header is longer than the packet: ip6tables drops it at once"
            return None
        self.why = f"routing type {data[at + 2]}, {data[at + 3]} segments left"
        plain = self._between("type", data[at + 2]) and self._between("segsleft", data[at + 3]) and self._between("length", size)
        if plain and self._part["reserved"] and any(data[at + 4 : at + 8]):
            return False
        return plain and self._addresses(data[at + 8 : at + size])

    def _addresses(self, body: bytes) -> bool:
        wanted = self._part["addresses"]
        if not wanted:
            return True
        there = tuple(body[place : place + 16] for place in range(0, len(body) - 15, 16))
        if not self._part["loose"]:
            return there == tuple(wanted)
        at = 0
        for each in there:
            if at < len(wanted) and each == wanted[at]:
                at += 1
        return at == len(wanted)


class Auth(_Header):
    """ah of IPv6: SPI, length, reserved."""

    kind, least = AUTH, 12

    def _looks(self, data: bytes, at: int) -> bool | None:
        spi, size = int.from_bytes(data[at + 4 : at + 8]), (data[at + 1] + 2) * 4
        self.why = f"SPI {spi}"
        low, _, negated = self._part["length"]
        fits = low == 0 or (low == size) != negated
        return self._between("spi", spi) and fits and not (self._part["reserved"] and any(data[at + 2 : at + 4]))


class Headers:
    """ipv6header: which headers there are, as bits of MASKS."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._wanted, self._soft, self._negated = part["headers"], part["soft"], part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        found = self._walk(skb.packet.data)
        if found is None:
            return False
        names = [name for name, bit in MASKS.items() if found & bit]
        self.why = "headers " + ",".join(names)
        if self._soft:
            inverted = self._wanted if self._negated else 0
            return not (found ^ self._wanted ^ inverted) & self._wanted
        return bool((found == self._wanted) != self._negated)

    def _walk(self, data: bytes) -> int | None:
        kind, at, bits = data[6], 40, 0
        while kind in _BIT or kind in (NONE, ESP):
            if kind == NONE:
                return bits | MASKS["ipv6-nonxt"]
            if len(data) - at < 2:
                self.why = "its headers are cut short"
                return None
            if kind == ESP:
                return bits | MASKS["esp"]
            bits |= _BIT[kind]
            kind, at = data[at], at + _size(data, kind, at)
            if at > len(data):
                break
        return bits if kind in (NONE, ESP) else bits | MASKS["protocol"]


class Mobility:
    """mh: the type of a mobility header, which nothing may follow."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._low, self._high, self._negated = part["low"], part["high"], part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        packet = skb.packet
        if packet.fragment:
            self.why = "a later fragment, without a header to look at"
            return False
        if len(packet.data) < packet.l4 + 6 or packet.data[packet.l4] != NONE:
            self.why = _CUT_SHORT
            return None
        kind = packet.data[packet.l4 + 2]
        self.why = f"mobility type {kind}"
        return bool((self._low <= kind <= self._high) != self._negated)


_ORDERED: dict[str, Callable[[int, int], bool]] = {"eq": operator.eq, "gt": operator.gt, "lt": operator.lt}
_PLACES = {"next-hdr": 0, "hdr-len": 1, "segs-left": 3, "last-entry": 4}


class Segments(_Header):
    """srh: `tests` (name, number or network, negated) of a segment routing header (srh1_mt6)."""

    kind, least = ROUTING, 8

    def test(self, skb: Skb) -> bool | None:
        return bool(super().test(skb))  # what is cut short is not dropped here

    def _looks(self, data: bytes, at: int) -> bool | None:
        size = (data[at + 1] + 1) * 8
        if len(data) - at < size or data[at + 2] != 4 or data[at + 3] > data[at + 4]:
            self.why = "it has no sound segment routing header"
            return False
        header = data[at:]
        self.why = f"{header[3]} segments left, the last entry is {header[4]}"
        return all(self._fits(header, *test) for test in self._part["tests"])

    def _fits(self, header: bytes, name: str, wanted: Any, negated: bool) -> bool:
        if name in ("psid", "nsid", "lsid"):
            return self._segment_fits(header, name, wanted, negated)
        if name == "tag":  # compared as it lies in memory
            return bool((int.from_bytes(header[6:8], "little") == wanted) != negated)
        field, op = (name, "eq") if name == "next-hdr" else (name[:-3], name[-2:])
        return _ORDERED[op](header[_PLACES[field]], wanted) != negated

    def _segment_fits(self, header: bytes, name: str, net: Any, negated: bool) -> bool:
        left, last = header[3], header[4]
        if (name == "psid" and left == last) or (name == "nsid" and not left):
            return False
        at = 8 + 16 * {"psid": left + 1, "nsid": left - 1, "lsid": 0}[name]
        segment = header[at : at + 16]
        if len(segment) < 16:
            return False
        same = all((a ^ b) & mask == 0 for a, b, mask in zip(segment, net.address, net.mask, strict=True))
        return same != negated
