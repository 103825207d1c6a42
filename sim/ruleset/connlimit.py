"""xt_connlimit: how many connections there are with an address. Source: net/netfilter/nf_conncount.c, xt_connlimit.c, Linux 6.18.

A list of entries for each (masked) address: a packet adds its entry, and those that are gone or closed are taken out.
"""

from __future__ import annotations

from typing import Any

from sim.conntrack.conn import Conn, TcpConn
from sim.netfilter.skb import Skb
from sim.ruleset.parts import Judge

_CONFIRMED, _DYING = 8, 512
_TIME_WAIT, _CLOSE = 7, 8


class CtCount:
    """nft's `ct count` (net/netfilter/nft_connlimit.c): one list for the rule. What is behind a known entry is not tidied with it."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._above, self._negated = part["above"], part["negated"]
        self._list: list[Conn] = []
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        conn = skb.conn
        if conn is None and not skb.packet.complete:
            self.why = "no connection can be read from it: it is dropped"
            return None
        at = next((place for place, each in enumerate(self._list) if each is conn), len(self._list))
        rest = self._list[at:] if conn is None else self._list[at:] or [conn]
        self._list = [each for each in self._list[:at] if _alive(each, skb.now)] + rest
        count = len(self._list) + (conn is None)
        self.why = f"{count} connections"
        return bool((count > self._above) != self._negated)


class ConnLimit:
    """The judge of one rule."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._part = dict(part.arguments)
        self._lists: dict[tuple[bytes, int], list[Conn]] = {}
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        conn, part = skb.conn, self._part
        if conn is None:
            return self._untracked(skb)
        address = skb.packet.dst if part["daddr"] else skb.packet.src
        key = (bytes(a & m for a, m in zip(address, part["mask"], strict=True)), conn.zone)
        kept = [each for each in self._lists.get(key, ()) if each is not conn and _alive(each, skb.now)]
        kept.append(conn)
        self._lists[key] = kept
        self.why = f"{len(kept)} connections"
        return bool((len(kept) > part["above"]) != part["negated"])

    def _untracked(self, skb: Skb) -> bool | None:
        """Without an entry the tuple is read from the packet; it is in no table, so it counts for itself alone."""
        if not skb.packet.complete:
            self.why = "no connection can be read from it: iptables drops it at once"
            return None
        address = skb.packet.dst if self._part["daddr"] else skb.packet.src
        key = (bytes(a & m for a, m in zip(address, self._part["mask"], strict=True)), 0)
        count = 1 + sum(_alive(each, skb.now) for each in self._lists.get(key, ()))
        self.why = f"{count} connections"
        return bool((count > self._part["above"]) != self._part["negated"])


def _alive(conn: Conn, now: int) -> bool:
    """Whether the entry is in the table and open (find_or_evict, already_closed)."""
    if not conn.status & _CONFIRMED or conn.status & _DYING or conn.expires <= now:
        return False
    return not (isinstance(conn, TcpConn) and conn.state in (_TIME_WAIT, _CLOSE))
