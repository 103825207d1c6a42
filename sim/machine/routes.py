"""Routes: which way to an address. Longest prefix first, then the lowest metric; local addresses and broadcasts before all.

`Routes.decide(dst)` is what the IP layer asks for every packet: one dict lookup once an address is known. Not in here: policy
routing (`ip rule`), more than one table, multipath.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from sim.machine.errors import SocketError
from sim.machine.interfaces import Interface, broadcast_of, network_of
from sim.netfilter.nat.addresses import to_speak_from
from sim.units import Address, in_prefix, parse_address, parse_interface

ANYCAST: Final = 4
"""RTN_ANYCAST: to whatever router is nearest, so to this one."""


class Kind(IntEnum):
    """enum rtn_type (include/uapi/linux/rtnetlink.h)."""

    UNICAST = 1
    LOCAL = 2
    BROADCAST = 3
    MULTICAST = 5
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8


REFUSING = {Kind.BLACKHOLE: "EINVAL", Kind.UNREACHABLE: "EHOSTUNREACH", Kind.PROHIBIT: "EACCES"}


_ALL_HOSTS = frozenset((b"\xe0\0\0\1", b"\xff\2" + bytes(13) + b"\1", b"\xff\1" + bytes(13) + b"\1"))
_ALL_ROUTERS = b"\xff\2" + bytes(13) + b"\2"


def in_group(group: Address, router: bool) -> bool:
    """Whether a machine listens to a multicast group: that of all hosts and, as an IPv6 router, that of all routers."""
    return group in _ALL_HOSTS or (group == _ALL_ROUTERS and router)


@dataclass(frozen=True, slots=True)
class Route:
    """One row of `ip route`. `protocol`: kernel, boot (typed by a person), static. `source`: the address to speak from, if given."""

    prefix: Address
    length: int
    dev: str
    via: Address | None = None
    metric: int = 0
    source: Address | None = None
    protocol: str = "boot"
    kind: Kind = Kind.UNICAST

    @classmethod
    def through(cls, prefix: str, via: str, dev: str = "") -> Route:
        """The route to "10.0.0.0/8" or "default" by way of a next hop. Raises UsageError."""
        hop = parse_address(via)
        network, length = (bytes(len(hop)), 0) if prefix == "default" else parse_interface(prefix)
        return cls(network_of(network, length), length, dev, hop)

    @property
    def family(self) -> int:
        """4 or 16: the length of an address."""
        return len(self.prefix)

    @property
    def scope_link(self) -> bool:
        """Whether what it leads to is a direct neighbour."""
        return self.via is None


class Decision(NamedTuple):
    """The answer for one address. `kind` None: no route. `dev` where it leaves, `via` the next hop, `source` to speak from."""

    kind: Kind | None
    dev: str
    via: Address | None
    source: Address | None
    mtu: int


NO_ROUTE = Decision(None, "", None, None, 0)


class Routes:
    """A machine's table. Connected networks come and go with the interfaces' addresses; the rest is added and deleted.

    `generation` is another number after every change.
    """

    def __init__(self, interfaces: dict[str, Interface]) -> None:
        self._interfaces = interfaces
        self._given: list[Route] = []
        self._cache: dict[Address, Decision] = {}
        self._router6 = False
        self.generation = 0
        self._refresh()

    def changed(self) -> None:
        """Interfaces have changed: routes that lead through what is gone go too (fib_sync_down_dev)."""
        alive = {name for name, interface in self._interfaces.items() if interface.up}
        self._given = [route for route in self._given if route.dev in alive or route.kind in REFUSING]
        self._refresh()

    def be_router(self, ipv6: bool) -> None:
        """Whether the machine forwards IPv6: then each network's lowest address is its own, too (addrconf_join_anycast, RFC 4291)."""
        if ipv6 != self._router6:
            self._router6 = ipv6
            self._refresh()

    def _refresh(self) -> None:
        self._local: dict[Address, str] = {}
        self._broadcasts: dict[Address, str] = {}
        rows: list[Route] = []
        for interface in self._interfaces.values():
            for address, length in interface.addresses:
                self._local.setdefault(address, interface.name)
                rows += self._connected(interface, address, length)
        self._anycast = self._all_routers() if self._router6 else frozenset()
        self._rows = sorted([*rows, *self._given], key=lambda route: (-route.length, route.metric))
        self._cache.clear()
        self.generation += 1

    def _all_routers(self) -> frozenset[Address]:
        networks = (
            network_of(address, length)
            for interface in self._interfaces.values() if interface.up and not interface.loopback
            for address, length in interface.addresses if len(address) == 16 and length < 127
        )  # fmt: skip
        return frozenset(network for network in networks if any(network))

    def _connected(self, interface: Interface, address: Address, length: int) -> list[Route]:
        if not interface.up or interface.loopback:
            return []
        broadcast = broadcast_of(address, length)
        if broadcast is not None:
            self._broadcasts[broadcast] = interface.name
        if len(address) == 4 and length == 32:
            return []
        metric = 0 if len(address) == 4 else 256
        source = address if len(address) == 4 else None
        return [Route(network_of(address, length), length, interface.name, None, metric, source, "kernel")]

    def rows(self, family: int = 4) -> list[Route]:
        """The rows as `ip route` orders them: shortest prefix first, within it by address."""
        rows = {(route.prefix, route.length, route.metric, route.dev): route for route in self._rows if route.family == family}
        return sorted(rows.values(), key=lambda route: (route.length != 0, route.prefix, route.metric))

    def add(self, route: Route) -> None:
        """Add a row. Raises SocketError: EEXIST, ENODEV, ENETUNREACH (device down, or no way to the next hop), EINVAL."""
        if route.kind is Kind.UNICAST:
            route = self._checked(route)
        if any(_same(route, other) for other in self._rows):
            raise SocketError("EEXIST")
        self._given.append(route)
        self._refresh()

    def _checked(self, route: Route) -> Route:
        """fib_check_nh (net/ipv4/fib_semantics.c): the next hop must be a direct neighbour, and no address of ours."""
        if route.via is not None:
            near = self._neighbour(route.via, route.dev)
            if near is None:
                raise SocketError("EHOSTUNREACH" if len(route.via) == 16 else "ENETUNREACH")
            if route.via in self._local:
                raise SocketError("EINVAL")
            route = Route(route.prefix, route.length, near, route.via, route.metric, route.source, route.protocol)
        interface = self._interfaces.get(route.dev)
        if interface is None:
            raise SocketError("ENODEV")
        if not interface.up:
            raise SocketError("ENETUNREACH")
        return route

    def _neighbour(self, via: Address, dev: str) -> str | None:
        """The device behind which `via` is a direct neighbour."""
        for route in self._rows:
            if route.via is None and route.dev and in_prefix(via, route.prefix, route.length) and dev in ("", route.dev):
                return route.dev
        return None

    def delete(self, prefix: Address, length: int, *, via: Address | None = None, dev: str = "", metric: int | None = None) -> Route:
        """Take out the first row that fits. Raises SocketError ESRCH when none does."""
        for route in self._rows:
            if (route.prefix, route.length) != (prefix, length) or (via is not None and via != route.via):
                continue
            if (dev and dev != route.dev) or (metric is not None and metric != route.metric):
                continue
            if route not in self._given:
                raise SocketError("EOPNOTSUPP")
            self._given.remove(route)
            self._refresh()
            return route
        raise SocketError("ESRCH")

    # ---- asked for every packet ---------------------------------------------------------------------------------------

    def decide(self, dst: Address) -> Decision:
        """Which way to `dst`."""
        found = self._cache.get(dst)
        if found is None:
            if len(self._cache) > 65536:
                self._cache.clear()
            found = self._cache[dst] = self._find(dst)
        return found

    def _find(self, dst: Address) -> Decision:
        dev = self._local.get(dst)
        if dev is not None or dst in self._anycast or (len(dst) == 4 and dst[0] == 127 and "lo" in self._interfaces):
            return Decision(Kind.LOCAL, "lo", None, dst, self._mtu("lo"))
        if dst in self._broadcasts:
            dev = self._broadcasts[dst]
            return Decision(Kind.BROADCAST, dev, None, self._source(dev, 4), self._mtu(dev))
        multicast = dst[0] == 255 if len(dst) == 16 else 224 <= dst[0] < 240
        if multicast or dst == b"\xff\xff\xff\xff":
            return self._to_many(dst, Kind.MULTICAST if multicast else Kind.BROADCAST)
        for route in self._rows:
            if in_prefix(dst, route.prefix, route.length):
                return self._along(route, dst)
        return NO_ROUTE

    def _along(self, route: Route, dst: Address) -> Decision:
        if route.kind in REFUSING:
            return Decision(route.kind, "", None, None, 0)
        source = route.source or self._best_source(route.dev, (route.via or dst) if len(dst) == 4 else dst)
        return Decision(Kind.UNICAST, route.dev, route.via, source, self._mtu(route.dev))

    def _to_many(self, dst: Address, kind: Kind) -> Decision:
        """Multicast and 255.255.255.255 leave by the default route's device; IPv6's, or without one, by the first that is up."""
        for route in self._rows:
            if route.length == 0 and route.family == len(dst) == 4:
                return Decision(kind, route.dev, None, self._source(route.dev, len(dst)), self._mtu(route.dev))
        dev = next((name for name, interface in self._interfaces.items() if interface.up and not interface.loopback), "")
        return Decision(kind, dev, None, self._source(dev, len(dst)), self._mtu(dev)) if dev else NO_ROUTE

    def _mtu(self, dev: str) -> int:
        interface = self._interfaces.get(dev)
        return interface.mtu if interface else 1500

    def _source(self, dev: str, family: int) -> Address | None:
        interface = self._interfaces.get(dev)
        own = interface.address(family) if interface else None
        return own or next((found for other in self._interfaces.values() if (found := other.address(family)) and not other.loopback), None)

    def _best_source(self, dev: str, neighbour: Address) -> Address | None:
        """The address on `dev` in whose network the next hop lies, else its first, else one of another device; IPv6: by RFC 6724."""
        if len(neighbour) == 16:
            return to_speak_from({name: each.addresses for name, each in self._interfaces.items()}, dev, neighbour)
        interface = self._interfaces.get(dev)
        for address, length in interface.addresses if interface else ():
            if in_prefix(neighbour, address, length):
                return address
        return self._source(dev, len(neighbour))

    def is_local(self, address: Address) -> bool:
        """Whether `address` is one of the machine's own."""
        return self.decide(address).kind is Kind.LOCAL

    def is_anycast(self, address: Address) -> bool:
        """Whether an IPv6 address is a whole network's: each router's there (ipv6_anycast_destination, include/net/ip6_route.h)."""
        if len(address) == 4 or address in self._anycast:
            return len(address) == 16
        return any(row.prefix == address and row.length < 127 and row.via is None for row in self._rows)

    def address_type(self, address: Address, dev: str = "") -> int:
        """The kernel's RTN_ number of an address (inet_addr_type, net/ipv4/fib_frontend.c); with `dev`, looked up there alone.

        Of IPv6 the way there is asked, too (nft_fib6_eval_type).
        """
        if address in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
            return Kind.BROADCAST
        if address in self._anycast:
            return ANYCAST
        kind = self.decide(address).kind
        if len(address) == 16 and (kind is None or kind in REFUSING):
            return int(kind or Kind.UNREACHABLE)
        if kind is Kind.LOCAL and dev and self._local.get(address, "lo") != dev:
            return Kind.UNICAST
        if kind is Kind.BROADCAST and dev and self._broadcasts.get(address) != dev:
            return Kind.UNICAST
        return int(kind) if kind in (Kind.LOCAL, Kind.BROADCAST, Kind.MULTICAST) else int(Kind.UNICAST)

    def local_addresses(self) -> Iterable[Address]:
        """All addresses of the machine."""
        return self._local.keys()


def _same(one: Route, other: Route) -> bool:
    """What makes `ip route add` answer File exists: the same prefix at the same metric."""
    return (one.prefix, one.length, one.metric) == (other.prefix, other.length, other.metric)
