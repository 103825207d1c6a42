"""What NAT asks of the machine that it stands on: addresses, next hops, a new way in OUTPUT; and telling it of addresses that go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.machine.interfaces import Interface
from sim.machine.routes import REFUSING
from sim.netfilter.nat.addresses import Devices
from sim.netfilter.skb import Skb
from sim.trace import Reason
from sim.units import Address, show_address

if TYPE_CHECKING:
    from sim.machine.ip import IpLayer


class Translation:
    """Ties `ip.nat` to its machine."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._known: dict[str, tuple[bool, frozenset[Address]]] = {}
        ip.nat.devices, ip.nat.next_hop, ip.nat.reroute, ip.nat.log = self._devices, self._next_hop, self._reroute, ip.kernel_log

    def _devices(self) -> Devices:
        """lo is the first of a kernel's devices, whenever it was added here."""
        ordered = sorted(self._ip.interfaces.values(), key=lambda interface: not interface.loopback)
        return {interface.name: interface.addresses for interface in ordered}

    def _next_hop(self, dst: Address) -> Address:
        return self._ip.routes.decide(dst).via or dst

    def _reroute(self, skb: Skb) -> bool:
        """ip_route_me_harder, ip6_route_me_harder: the packet's destination is another one now. False without a way there."""
        dst = skb.packet.dst
        decision = self._ip.routes.decide(dst)
        if decision.kind is None or decision.kind in REFUSING:
            skb.dropped = ("routing", Reason("no-route", f"There is no way to {show_address(dst)}, where NAT sends it."))
            return False
        skb.way = decision
        return True

    def addresses_changed(self) -> None:
        """Connections masqueraded with an address that is gone, or on a device that is down, end."""
        now = {interface.name: _state(interface) for interface in self._ip.interfaces.values()}
        for dev, (up, held) in self._known.items():
            still_up, left = now.get(dev, (False, frozenset[Address]()))
            if up and not still_up:
                self._ip.nat.addresses_gone(dev, None)
            elif held - left:
                self._ip.nat.addresses_gone(dev, tuple(held - left))
        self._known = now


def _state(interface: Interface) -> tuple[bool, frozenset[Address]]:
    return interface.up, frozenset(address for address, _ in interface.addresses)
