"""The ICMP errors that an IP layer sends of its own: to whom, from which address, and not too many.

icmp_send (net/ipv4/icmp.c), icmp6_send (net/ipv6/icmp.c), Linux 6.18. Their bytes are made in icmp_errors.py; REJECT makes its own,
and asks here whether it may send them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.machine import icmp_errors
from sim.machine.limits import RateLimit
from sim.machine.routes import Decision, Kind
from sim.netfilter.nat.addresses import to_speak_from
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.trace import Reason
from sim.units import Address, is_link_local

if TYPE_CHECKING:
    from sim.machine.ip import IpLayer


class Complaints:
    """The part of an IP layer that complains."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._limits = RateLimit()

    def about(self, skb: Skb, kind: int, code: int, rest: int = 0, *, attach: bool = True, even_to_many: bool = False) -> None:
        """Send an ICMP (or, about an IPv6 packet, ICMPv6) error about `skb`'s packet to its source, where that is allowed.

        `even_to_many`: also about a packet to a group.
        """
        packet = skb.packet
        if skb.pkt_type and not even_to_many:
            return
        own = self._ip.routes.decide(packet.dst)
        if not icmp_errors.may_answer(packet, own.kind in (Kind.BROADCAST, Kind.MULTICAST) and not even_to_many):
            return
        back = self._ip.routes.decide(packet.src)
        if is_link_local(packet.src) and back.dev != skb.indev:
            return  # nobody can be told on a link that has no way there
        speaker = packet.dst if own.kind == Kind.LOCAL else self.speaker(packet.src, skb.indev, back)
        if speaker is None:
            return
        data = icmp_errors.error(packet, speaker, kind, code, rest)
        if self.allowed(data):
            self._ip.send(data, instead_of=skb if attach else None)

    def speaker(self, to: Address, indev: str, back: Decision) -> Address | None:
        """IPv6: an address of the device in which the packet came, where it has one (icmp6_send, 6.18); else the route's choice."""
        interface = self._ip.interfaces.get(indev) if len(to) == 16 and back.kind == Kind.UNICAST else None
        if interface is None or interface.address(16) is None:
            return back.source
        return to_speak_from({interface.name: interface.addresses}, interface.name, to)

    def allowed(self, data: bytes) -> bool:
        """Whether the ICMP error `data` goes to one machine alone (icmpv6_route_lookup), and keeps within the rate limit.

        Not limited: errors that tell an MTU, and what goes to lo.
        """
        packet = Packet(data)
        if self._ip.routes.is_anycast(packet.dst):
            return False
        if self._ip.routes.decide(packet.dst).dev == "lo":
            return True
        kind, code = packet.data[packet.l4], packet.data[packet.l4 + 1]
        if packet.version == 4:
            limited = self._ip.sysctls.number("net.ipv4.icmp_ratemask") >> kind & 1 and (kind, code) != (3, 4)
            every = self._ip.sysctls.number("net.ipv4.icmp_ratelimit")
        else:
            limited, every = kind != icmp_errors.TOO_BIG6, self._ip.sysctls.number("net.ipv6.icmp.ratelimit")
        return not limited or self._limits.allow(packet.dst, every, self._ip.clock())

    def about_routes(self, to: Address) -> bool:
        """Whether an IPv4 sender may be told again that there is no way: a limit ahead of the other, of the same bucket."""
        return self._limits.allow_no_route(to, self._ip.clock())

    def unknown_protocol(self, skb: Skb) -> None:
        """A packet for this machine that no protocol here takes (ip_protocol_deliver_rcu, ip6_protocol_deliver_rcu)."""
        packet = skb.packet
        text = f"No protocol here has the number {packet.protonum}. It is answered with an ICMP error."
        self._ip.drop(skb, "socket", "protocol", Reason("no-protocol", text, {"protocol": packet.protonum}))
        if packet.version == 4:
            self.about(skb, icmp_errors.UNREACHABLE, icmp_errors.PROTOCOL_UNREACHABLE, attach=False)
        else:
            self.about(skb, icmp_errors.PARAMETER6, 1, 6, attach=False)
