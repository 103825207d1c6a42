"""Whether an IPv4 packet that came in may come from where it says: fib_validate_source (net/ipv4/fib_frontend.c), Linux 6.18.

No packet from nobody, from many or from ourselves; with rp_filter, from where the way back leads. Not in here: the words (martians.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.machine.martians import martian_source, may_come_from_nobody
from sim.machine.routes import Kind
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.trace import Reason
from sim.units import Address, show_address

if TYPE_CHECKING:
    from sim.machine.ip import IpLayer

_MOST = 65536
_NOBODY = bytes(4)


class Sources:
    """The part of an IP layer that looks at source addresses; it remembers which were right."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._sane: dict[Address, bool] = {}
        self.changed()

    def changed(self) -> None:
        """Addresses, routes or sysctls are others now."""
        number = self._ip.sysctls.number
        self._accept_local = number("net.ipv4.conf.all.accept_local") != 0
        self._route_localnet = number("net.ipv4.conf.all.route_localnet") != 0
        self._rp_filter = self._ip.sysctls.reverse_path_filters()
        self._sane.clear()

    def good(self, skb: Skb) -> bool:
        """Whether the packet may go on; else it is dropped with its reason."""
        packet = skb.packet
        sane = self._sane.get(packet.src)
        if sane is None:
            if len(self._sane) > _MOST:
                self._sane.clear()
            sane = self._sane[packet.src] = self._why_martian(packet.src) is None
        if packet.dst == _NOBODY:
            self._ip.drop(skb, "routing", "routing", Reason("martian", "0.0.0.0 is nobody's address (martian destination)."))
            return False
        if not sane and not (packet.src == _NOBODY and may_come_from_nobody(packet.dst)):
            reason = Reason("martian", self._why_martian(packet.src) or "", {"source": show_address(packet.src)})
            self._ip.drop(skb, "routing", "routing", reason)
            return False
        return not self._rp_filter or self._passes_rp_filter(packet, skb)

    def _why_martian(self, src: Address) -> str | None:
        return martian_source(src, self._ip.routes, self._accept_local, self._route_localnet)

    def _passes_rp_filter(self, packet: Packet, skb: Skb) -> bool:
        mode = self._rp_filter.get(skb.indev, 0)
        back = self._ip.routes.decide(packet.src)
        if not mode or (back.kind == Kind.UNICAST and (mode == 2 or back.dev == skb.indev)):
            return True
        way = f"leads to {back.dev}, not back to {skb.indev}" if back.dev else "leads nowhere"
        text = f"rp_filter: the way to the source {show_address(packet.src)} {way}."
        self._ip.drop(skb, "routing", "rp_filter", Reason("rp_filter", text))
        return False
