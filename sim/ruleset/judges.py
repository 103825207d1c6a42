"""Judges: tests with a memory or a search of their own, by kind: statistic, quota, string, connbytes, tcpmss, physdev, rpfilter.

`judge(part, shared, effects)` makes the one that a rule keeps. It answers True or False, or None: the packet is dropped at once (hotdrop).
Those that count by address have files of their own: hashlimit.py, recent.py, connlimit.py. Source: net/netfilter/xt_*.c, Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from sim.netfilter.skb import Skb
from sim.ruleset import acts, beyond, circumstances, deeds, headers6, payload
from sim.ruleset.connlimit import ConnLimit, CtCount
from sim.ruleset.hashlimit import HashLimit
from sim.ruleset.ipset.packets import ChangeSet, InSet
from sim.ruleset.parts import AssignMap, Judge, Judged, SetStatement, UseObject
from sim.ruleset.recent import Recent
from sim.ruleset.stateful import ByObject, SetByMap
from sim.ruleset.stateful import ChangeSet as ChangeSets

LIVE = "live"
Shared = dict[str, Any]  # what rules of one family share, by name
_UPPER = bytes(code - 32 if 97 <= code <= 122 or (0xE0 <= code <= 0xFE and code != 0xF7) else code for code in range(256))


class Asks(Protocol):
    """What judges ask of the machine: `route_device(to)` is the device by which it would speak to an address, "" without a way."""

    def route_device(self, to: bytes) -> str: ...
    def address_type(self, address: bytes, dev: str) -> int: ...


class Judging(Protocol):
    """`test` answers for one packet; `why` words the last answer."""

    why: str

    def test(self, skb: Skb) -> bool | None: ...


class Statistic:
    """xt_statistic. The kernel's random numbers are its own; here they come from the rule's number, the same in every run."""

    def __init__(self, part: Judge, shared: Shared, asks: Asks) -> None:
        self._arguments = dict(part.arguments)
        self._count = self._arguments.get("every", 0) - self._arguments.get("packet", 0)
        self._random = Random(repr(part))
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        settings = self._arguments
        if settings["mode"] == "random":
            drawn = self._random.getrandbits(31)
            hit = drawn < settings["probability"]
            self.why = f"drew {drawn / 2**31:.3f}, {'below' if hit else 'not below'} {settings['probability'] / 2**31:g}"
        else:
            self._count = 0 if self._count == settings["every"] else self._count + 1
            hit = self._count == 0
            self.why = f"packet {self._count} of each {settings['every'] + 1}, counted from 0"
        return bool(hit != settings["negated"])


class Quota:
    """xt_quota: matches until so many bytes have passed; what does not fit empties it."""

    def __init__(self, part: Judge, shared: Shared, asks: Asks) -> None:
        self._left, self._negated = part["quota"], part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        size = len(skb.packet.data)
        fits = self._left >= size
        self._left = self._left - size if fits else 0
        self.why = f"{self._left} bytes of the quota left"
        return bool(fits != self._negated)


class String:
    """xt_string: the pattern lies wholly between two offsets, counted from the IP header.

    A packet put together of fragments is in pieces for Linux: kmp looks across their ends, bm does not (lib/ts_bm.c).
    """

    def __init__(self, part: Judge, shared: Shared, asks: Asks) -> None:
        self._part = dict(part.arguments)
        self._pattern = part["pattern"].translate(_UPPER) if part["icase"] else part["pattern"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        data, start, end = skb.packet.data, self._part["from"], self._part["to"]
        text = data.translate(_UPPER) if self._part["icase"] else data
        places = (text.find(self._pattern, max(start, low), min(end, high)) for low, high in self._pieces(skb, len(data)))
        found = next((place for place in places if place >= 0), -1)
        self.why = f"the text is at byte {found}" if found >= 0 else "the text is not in it"
        return bool((found >= 0) != self._part["negated"])

    def _pieces(self, skb: Skb, size: int) -> list[tuple[int, int]]:
        """Where the pieces begin and end that are searched one by one."""
        if not skb.frag_sizes or self._part["algo"] != "bm":
            return [(0, size)]
        ends = [size - sum(skb.frag_sizes[number:]) for number in range(1, len(skb.frag_sizes) + 1)]
        return list(zip([0, *ends], ends, strict=False))


class ConnBytes:
    """xt_connbytes: accounting of the entry, between two numbers; a low above the high turns it round."""

    def __init__(self, part: Judge, shared: Shared, asks: Asks) -> None:
        self._part = dict(part.arguments)
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        if skb.conn is None or skb.conn.acct is None:
            self.why = "no entry" if skb.conn is None else "its entry was made before accounting was on"
            return False
        what, low, high = self._value(skb.conn.acct), self._part["low"], self._part["high"]
        self.why = f"{what} {self._part['mode']} in direction {self._part['dir']}"
        return bool(low <= what <= high if high >= low else what < high or what > low)

    def _value(self, acct: list[int]) -> int:
        rows = {"original": acct[:2], "reply": acct[2:], "both": [acct[0] + acct[2], acct[1] + acct[3]]}
        packets, size = rows[self._part["dir"]]
        if self._part["mode"] == "avgpkt":
            return size // packets if packets else 0
        return packets if self._part["mode"] == "packets" else size


class ConnLabel:
    """xt_connlabel: whether the entry bears a label; with `set` it gets it, and does."""

    def __init__(self, part: Judge, shared: Shared, asks: Asks) -> None:
        self._bit, self._set, self._negated = part["bit"], part["set"], part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        conn = skb.conn
        if conn is None or conn.labels is None:
            self.why = "no entry" if conn is None else "its entry was made before a rule asked for labels"
            return bool(self._negated)
        there = conn.labels >> self._bit & 1
        self.why = f"its entry has {'' if there else 'not '}label {self._bit}" + (" and gets it" if self._set and not there else "")
        if self._set:
            conn.set_labels(conn.labels | 1 << self._bit)
        return bool(there or self._set) is not bool(self._negated)


class TcpMss:
    """xt_tcpmss: the MSS option of a segment; a header cut short drops the packet."""

    def __init__(self, part: Judge, shared: Shared, asks: Asks) -> None:
        self._low, self._high, self._negated = part["low"], part["high"], part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        packet = skb.packet
        start = packet.l4
        size = (packet.data[start + 12] >> 4) * 4 if packet.complete else 0
        if size < 20 or len(packet.data) - start < size:
            self.why = "its TCP header is cut short: iptables drops it at once"
            return None
        mss = _mss(packet.data[start + 20 : start + size])
        self.why = "no MSS option" if mss is None else f"MSS {mss}"
        return bool(self._negated) if mss is None else bool((self._low <= mss <= self._high) != self._negated)


def _mss(options: bytes) -> int | None:
    at = 0
    while at < len(options):
        if options[at] == 2 and len(options) - at >= 4 and options[at + 1] == 4:
            return int.from_bytes(options[at + 2 : at + 4])
        at += options[at + 1] or 1 if options[at] >= 2 and at < len(options) - 1 else 1
    return None


class PhysDev:
    """xt_physdev on a machine without bridges: what asks for a bridge port is false, its negation true."""

    def __init__(self, part: Judge, shared: Shared, asks: Asks) -> None:
        self._answer: bool = part["answer"]
        self.why = "no bridge here: the packet came by no bridge port"

    def test(self, skb: Skb) -> bool | None:
        return self._answer


class RpFilter:
    """xt_rpfilter: would an answer leave by the device the packet came in on?"""

    def __init__(self, part: Judge, shared: Shared, asks: Asks) -> None:
        self._loose, self._local, self._invert = part["loose"], part["accept-local"], part["invert"]
        self._asks = asks
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        return bool(self._good(skb) != self._invert)

    def _good(self, skb: Skb) -> bool:
        source, four = skb.packet.src, skb.packet.version == 4
        if skb.indev == "lo" or (four and skb.packet.dst[0] & 0xF0 == 0xE0 and source == bytes(4)):
            self.why = "comes from the machine itself" if skb.indev == "lo" else "no address yet, to many"
            return True
        kind = self._asks.address_type(source, "")
        device = self._asks.route_device(source)
        self.why = f"an answer would leave by {device}" if device else "no way back"
        if kind == 2:
            return bool(self._local)
        return kind == 1 and bool(device) and (bool(self._loose) or device == skb.indev)


KINDS: dict[str, Callable[[Judge, Shared, Asks], Judging]] = {
    **acts.KINDS,
    "statistic": Statistic, "quota": Quota, "string": String, "connbytes": ConnBytes, "connlabel": ConnLabel, "tcpmss": TcpMss,
    "physdev": PhysDev, "rpfilter": RpFilter, "recent": Recent, "hashlimit": HashLimit, "connlimit": ConnLimit, "ct count": CtCount,
    "u32": payload.U32, "spi": payload.Spi, "chunks": payload.Chunks, "dccp type": payload.DccpType, "dccp option": payload.DccpOption,
    "ip6 options": headers6.Options, "ip6 frag": headers6.Fragment, "ip6 rt": headers6.Routing, "ip6 ah": headers6.Auth,
    "ip6 headers": headers6.Headers, "mh": headers6.Mobility, "time": circumstances.Time, "cluster": circumstances.Cluster,
    "fixed": circumstances.Fixed, "owner": circumstances.Owner, "trace": deeds.Trace, "tee": deeds.Tee, "strip options": deeds.Strip,
    "set": InSet, "set change": ChangeSet, "socket": beyond.Socket, "cgroup": beyond.Cgroup, "queue": beyond.Queue, "tproxy": beyond.Proxy,
    "proxy": beyond.ProxyOfNft, "bpf": beyond.Bpf, "ip6 srh": headers6.Segments,
}  # fmt: skip


def judge(part: Judged, shared: Shared, asks: Asks) -> Judging:
    """The judge of one rule. `shared`: what rules share, nft's live sets and objects under LIVE."""
    match part:
        case SetStatement():
            return ChangeSets(part, shared[LIVE], asks)
        case UseObject():
            return ByObject(part, shared[LIVE], asks)
        case AssignMap():
            return SetByMap(part, shared[LIVE], asks)
        case Judge():
            return KINDS[part.kind](part, shared, asks)
    raise TypeError(f"nobody judges {part!r}")
