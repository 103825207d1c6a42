"""xt_recent: lists of addresses by name, and when each was seen. Source: net/netfilter/xt_recent.c, Linux 6.18, HZ=250."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from sim.netfilter.skb import Skb
from sim.ruleset.parts import Judge
from sim.units import show_address

HZ = 250
_JIFFY = 1_000_000 // HZ
MOST_ADDRESSES = 100  # ip_list_tot


class _Entry:
    """One address: `stamps` (jiffies), the next `index` to write, the `ttl` it came with."""

    def __init__(self, ttl: int, now: int) -> None:
        self.ttl, self.stamps, self.index = ttl, [now], 1

    def update(self, now: int, most: int) -> None:
        self.index &= most - 1
        if self.index < len(self.stamps):
            self.stamps[self.index] = now
        else:
            self.stamps.append(now)
        self.index += 1


class RecentList:
    """One list. `most` stamps are kept for an address; the first rule's `mask` holds for all."""

    def __init__(self, mask: bytes) -> None:
        self.mask, self.most = mask, 0
        self.entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def grow(self, most: int) -> None:
        """A rule that needs more stamps starts the list anew."""
        if most > self.most:
            self.entries.clear()
            self.most = most


class Recent:
    """The judge of one rule."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._part = dict(part.arguments)
        if part.name not in shared:
            shared[part.name] = RecentList(self._part["mask"])
        self._list: RecentList = shared[part.name]
        self._list.grow(stamps_for(self._part["hitcount"]))
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        part, now = self._part, skb.now // _JIFFY
        address = skb.packet.src if part["side"] == "rsource" else skb.packet.dst
        key = bytes(a & m for a, m in zip(address, self._list.mask, strict=True))
        ttl = min(255, skb.packet.ttl + (1 if skb.outdev and skb.indev else 0))
        matched = self._look(key, ttl, now)
        return bool(matched != part["negated"])

    def _look(self, key: bytes, ttl: int, now: int) -> bool:
        part, entries, verb = self._part, self._list.entries, self._part["verb"]
        entry = entries.get(key)
        if entry is not None and part["rttl"] and ttl and entry.ttl and entry.ttl != ttl:
            entry = None
        self.why = f"{show_address(key)} is {'' if entry else 'not '}on the list"
        if entry is None:
            if verb == "set":
                self._add(key, ttl, now)
            return bool(verb == "set")
        if verb == "remove":
            del entries[key]
            return True
        matched = verb == "set" or self._seen(key, entry, now)
        if key in entries and (verb == "set" or (verb == "update" and matched != part["negated"])):
            entry.update(now, self._list.most)
            entry.ttl = ttl
            entries.move_to_end(key)
        return matched

    def _add(self, key: bytes, ttl: int, now: int) -> None:
        entries = self._list.entries
        if len(entries) >= MOST_ADDRESSES:
            entries.popitem(last=False)
        entries[key] = _Entry(ttl, now)
        entries.move_to_end(key)

    def _seen(self, key: bytes, entry: _Entry, now: int) -> bool:
        seconds, wanted = self._part["seconds"], self._part["hitcount"]
        since = now - seconds * HZ
        hits = sum(1 for stamp in entry.stamps if not seconds or stamp >= since)
        within = f" in {seconds} s" if seconds else ""
        self.why = f"{show_address(key)} was seen {hits} times{within}"
        matched = hits >= max(1, wanted)
        if self._part["reap"] and self._list.entries:
            oldest = next(iter(self._list.entries))
            held = self._list.entries[oldest]
            if held.stamps[held.index - 1] < since:
                del self._list.entries[oldest]
        return bool(matched)


def stamps_for(hitcount: int) -> int:
    """How many stamps a list keeps for a rule (nstamp_mask + 1)."""
    if not hitcount:
        return 32
    most = 1
    while most < hitcount:
        most *= 2
    return most
