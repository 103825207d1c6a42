"""How many ICMP errors a machine sends: a token bucket for each address it tells (inet_peer_xrlim_allow, net/ipv4/inetpeer.c, Linux 6.18).

Six at once, then one every net.ipv4.icmp_ratelimit ms. Not limited: packet too big, fragmentation needed, and what goes to lo. Not in
here: the limit over all addresses together (icmp_msgs_per_sec).
"""

from __future__ import annotations

from sim.units import MILLISECOND, Address

_BURST = 6  # XRLIM_BURST_FACTOR


class RateLimit:
    """The buckets of one machine; an address not heard of has a full one."""

    def __init__(self) -> None:
        self._buckets: dict[Address, tuple[int, int]] = {}

    def allow(self, to: Address, every: int, now: int) -> bool:
        """Whether an error may go to `to` at `now` (µs) when one every `every` ms may."""
        interval = every * MILLISECOND
        if not interval:
            return True
        tokens, last = self._buckets.get(to, (_BURST * interval, now))
        tokens = min(tokens + now - last, _BURST * interval)
        allowed = tokens >= interval
        self._buckets[to] = (tokens - interval if allowed else tokens, now)
        return allowed
