"""How many ICMP errors a machine sends: a token bucket for each address it tells (inet_peer_xrlim_allow, net/ipv4/inetpeer.c, Linux 6.18).

Six at once, then one every net.ipv4.icmp_ratelimit ms. An IPv4 router without a way asks the same bucket twice (ip_error in route.c,
then icmp_send): two at once. Not limited: packet too big, fragmentation needed, and what goes to lo. Not in here: the limit over all
addresses together (icmp_msgs_per_sec).
"""

from __future__ import annotations

from sim.units import MILLISECOND, SECOND, Address

_BURST = 6  # XRLIM_BURST_FACTOR
_ROUTE_BURST, _ROUTE_COST = 5 * SECOND, SECOND  # net.ipv4.route.error_burst, error_cost
_LONG_AGO = 60 * SECOND  # what an address not heard of has saved up (inet_getpeer)


class RateLimit:
    """The buckets of one machine."""

    def __init__(self) -> None:
        self._buckets: dict[Address, tuple[int, int]] = {}

    def allow(self, to: Address, every: int, now: int) -> bool:
        """Whether an error may go to `to` at `now` (µs) when one every `every` ms may."""
        return not every or self._spend(to, every * MILLISECOND, _BURST * every * MILLISECOND, now)

    def allow_no_route(self, to: Address, now: int) -> bool:
        """Whether `to` may be told again that there is no way."""
        return self._spend(to, _ROUTE_COST, _ROUTE_BURST, now)

    def _spend(self, to: Address, cost: int, most: int, now: int) -> bool:
        tokens, last = self._buckets.get(to, (_LONG_AGO, now))
        tokens = min(tokens + now - last, most)
        allowed = tokens >= cost
        self._buckets[to] = (tokens - cost if allowed else tokens, now)
        return allowed
