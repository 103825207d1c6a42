"""Judges that look at no byte of the packet: the time of day, cluster nodes, and what is the same for every packet here (fixed).

`time` depends on the clock; `cluster` is a pure function of the connection; `fixed` of nothing, `devgroup` of the devices.
Sources: net/netfilter/xt_time.c, xt_cluster.c, xt_devgroup.c, Linux 6.18.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sim.netfilter.nat.ranges import jhash2, spread
from sim.netfilter.skb import Skb
from sim.ruleset.parts import Judge

START = int(datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC).timestamp())
"""What a machine's clock shows when the scenario starts, in seconds since 1970: a Monday, nine o'clock, UTC."""

_DAY = 86400
ALL_MONTHDAYS, ALL_WEEKDAYS = 0xFFFFFFFE, 0xFE


class Time:
    """xt_time. The kernel's time zone is UTC."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._part = dict(part.arguments)
        self._start = getattr(asks, "clock_start", START)
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        stamp = self._start + skb.now // 1_000_000
        self.why = datetime.fromtimestamp(stamp, UTC).strftime("it is %a %Y-%m-%d %H:%M:%S UTC")
        return self._matches(stamp)

    def _matches(self, stamp: int) -> bool:
        part = self._part
        low, high = part["daytime"]
        if not part["dates"][0] <= stamp <= part["dates"][1]:
            return False
        second = stamp % _DAY
        if (second < low or second > high) if low < high else (second < low and second > high):
            return False
        if low >= high and part["contiguous"] and second <= high:
            stamp -= _DAY
        moment = datetime.fromtimestamp(stamp, UTC)
        return bool(part["weekdays"] >> moment.isoweekday() & 1 and part["monthdays"] >> moment.day & 1)


class Cluster:
    """xt_cluster: whether the connection's source falls to one of these nodes."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._nodes, self._mask, self._seed, self._negated = part["nodes"], part["mask"], part["seed"], part["negated"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        if skb.conn is None:
            self.why = "no entry"
            return False
        source = (skb.conn.master or skb.conn).original.src
        first = int.from_bytes(source[:4], "little")  # of an IPv6 address, too, no more than four bytes (NF_CT_TUPLE_L3SIZE / 4 is 1)
        node = spread(jhash2([first], self._seed), self._nodes)
        self.why = f"it falls to node {node + 1}"
        return bool((self._mask >> node & 1) != self._negated)


class Fixed:
    """A test that has one answer for every packet on a machine as they are here; `why` says which and why."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._answer: bool | None = part["answer"]
        self.why: str = part["why"]

    def test(self, skb: Skb) -> bool | None:
        return self._answer


class Owner:
    """xt_owner: the process whose socket sends the packet. `asks.socket_owner(skb)` is its (uid, gid); None: no socket sends it."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: Any) -> None:
        self._part, self._asks = dict(part.arguments), asks
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        part, owner = self._part, self._asks.socket_owner(skb)
        self.why = "no socket sends it" if owner is None else f"sent by uid {owner[0]}, gid {owner[1]}"
        if owner is None:
            return self._without()
        if part["socket"] is False:
            return False
        return _within(part["uid"], owner[0]) and _within(part["gid"], owner[1])

    def _without(self) -> bool:
        """owner_mt: without a socket the rule matches when all that it asks for is negated."""
        part = self._part
        asked = [part["socket"] is False] if part["socket"] is not None else []
        asked += [bounds[2] for bounds in (part["uid"], part["gid"]) if bounds is not None]
        return all(asked)


def _within(bounds: tuple[int, int, bool] | None, number: int) -> bool:
    return bounds is None or (bounds[0] <= number <= bounds[1]) != bounds[2]
