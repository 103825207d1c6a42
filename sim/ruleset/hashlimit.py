"""xt_hashlimit: a token bucket for each source, destination or port. Source: net/netfilter/xt_hashlimit.c, Linux 6.18, HZ=250.

The kernel's collector takes an idle bucket away at the next turn after its time is over; here that turn comes on time.
"""

from __future__ import annotations

from typing import Any

from sim.netfilter.skb import Skb
from sim.ruleset.parts import Judge
from sim.units import show_address

SCALE = 1_000_000
_HZ = 250
_JIFFY = 1_000_000 // _HZ
_U64 = (1 << 64) - 1
_CREDITS_PER_JIFFY = 1 << 39  # the power of two below 2**64 / (HZ * 60 * 60 * 24)
_BYTE_CREDITS_PER_JIFFY = 1 << 24  # the same below 2**32 / HZ
_BYTE_CAP = _BYTE_CREDITS_PER_JIFFY * _HZ
_PORTS_AT = {6: 0, 17: 0, 33: 0, 50: 0, 51: 4, 132: 0, 136: 0}
"""Where the kernel reads ports in what follows the IP header, by protocol; of IPsec's it is the SPI (proto_ports_offset)."""
_HEADERS = frozenset((0, 43, 44, 51, 59, 60))
"""IPv6's own headers: where one of them is the protocol, what comes after it is missing."""


def credits(user: int) -> int:
    """user2credits, in 64 bits."""
    return (user & _U64) * (_HZ * _CREDITS_PER_JIFFY // SCALE) & _U64


def overflows(average: int, burst: int) -> bool:
    """Whether the kernel refuses it (ERANGE)."""
    return burst == 0 or credits(average * burst) < credits(average)


class _Bucket:
    """One dsthash_ent: `credit`, its `cap` (for bytes: how many bursts are left), `last` refill and end of life in jiffies."""

    def __init__(self, credit: int, cap: int, now: int) -> None:
        self.credit, self.cap, self.last, self.expires = credit, cap, now, 0
        self.seen, self.before = 0, False  # of a rate that is measured: in this interval, and whether the one before was over it


class HashLimit:
    """The judge of one rule; rules with one name share buckets and the first rule's settings."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._above: bool = part["above"]
        self._settings, self._buckets = shared.setdefault(part.name, (dict(part.arguments), {}))
        self._bytes: bool = self._settings["bytes"]
        self._cost = self._settings["average"] * _BYTE_CAP >> 32 if self._bytes else credits(self._settings["average"])
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        key = self._key(skb)
        if key is None:
            self.why = "it has no ports to look at: iptables drops it at once"
            return None
        bucket, now = self._bucket(key, skb.now // _JIFFY), skb.now // _JIFFY
        bucket.expires = now + self._settings["expire"] * _HZ // 1000
        below = self._measured(bucket, len(skb.packet.data)) if self._settings["rate"] else self._pays(bucket, len(skb.packet.data))
        self.why = f"{self._name(key)} is {'within' if below else 'over'} its rate"
        return below != self._above

    def _pays(self, bucket: _Bucket, size: int) -> bool:
        cost = self._byte_cost(bucket, size) if self._bytes else self._cost
        if bucket.credit < cost:
            return False
        bucket.credit -= cost
        return True

    def _measured(self, bucket: _Bucket, size: int) -> bool:
        """--hashlimit-rate-match: what came in this interval and whether the one before was over the rate."""
        bucket.seen += size if self._bytes else 1
        return not bucket.before and bucket.seen <= self._burst()

    def _rate(self) -> int:
        """user2rate, user2rate_bytes."""
        average = self._settings["average"]
        if self._bytes:
            return (((1 << 32) - 1) // average - 1) << 4 if average else ((1 << 32) - 2) << 4
        return SCALE // average if average else 0

    def _burst(self) -> int:
        rate, burst = self._rate(), self._settings["burst"]
        return burst * rate or rate if self._bytes else burst + rate

    def _next_interval(self, bucket: _Bucket, now: int) -> None:
        interval, gone = (self._settings["interval"] or 1) * _HZ, now - bucket.last
        if gone >= interval:
            bucket.before, bucket.seen, bucket.last = bucket.seen * interval > gone * self._rate(), 0, now

    def _name(self, key: tuple[bytes | int, ...]) -> str:
        return " ".join(show_address(each) if isinstance(each, bytes) else str(each) for each in key) or "all traffic"

    def _key(self, skb: Skb) -> tuple[bytes | int, ...] | None:
        """hashlimit_init_dst."""
        packet, settings = skb.packet, self._settings
        found: list[bytes | int] = []
        for mode, address, mask in (("srcip", packet.src, "srcmask"), ("dstip", packet.dst, "dstmask")):
            if mode in settings["mode"]:
                found.append(_masked(address, settings[mask]))
        if not settings["mode"] & {"srcport", "dstport"}:
            return tuple(found)
        if packet.version == 6 and packet.protonum in _HEADERS and not packet.fragment:
            return None
        start = _PORTS_AT.get(packet.protonum)
        if start is not None and len(packet.data) < packet.l4 + start + 4:
            return None
        for mode, offset in (("srcport", 0), ("dstport", 2)):
            if mode in settings["mode"]:
                at = packet.l4 + offset + (start or 0)
                found.append(int.from_bytes(packet.data[at : at + 2]) if start is not None else 0)
        return tuple(found)

    def _bucket(self, key: tuple[bytes | int, ...], now: int) -> _Bucket:
        bucket: _Bucket | None = self._buckets.get(key)
        if bucket is None or now >= bucket.expires:
            settings = self._settings
            cap = settings["burst"] if self._bytes else credits(settings["average"] * settings["burst"])
            bucket = self._buckets[key] = _Bucket(_BYTE_CAP if self._bytes else cap, cap, now)
        elif self._settings["rate"]:
            self._next_interval(bucket, now)
        elif now > bucket.last:
            gained = (now - bucket.last) * (_BYTE_CREDITS_PER_JIFFY if self._bytes else _CREDITS_PER_JIFFY)
            bucket.credit = min(bucket.credit + gained, _BYTE_CAP if self._bytes else bucket.cap)
            bucket.last = now
        return bucket

    def _byte_cost(self, bucket: _Bucket, size: int) -> int:
        """hashlimit_byte_cost: a packet too dear takes one of the bursts, if there is one."""
        cost = min(((size >> 4) + 1) * self._cost, _BYTE_CAP)
        if bucket.credit < cost and bucket.cap:
            bucket.cap -= 1
            bucket.credit = _BYTE_CAP
        return cost


def _masked(address: bytes, length: int) -> bytes:
    host = len(address) * 8 - length
    return (int.from_bytes(address) >> host << host).to_bytes(len(address))
