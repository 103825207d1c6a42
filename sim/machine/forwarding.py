"""What is not for this machine: passed on, one hop further, or sent back with an ICMP error.

ip_forward (net/ipv4/ip_forward.c), ip_error (net/ipv4/route.c), ip6_forward (net/ipv6/ip6_output.c), ip6_pkt_discard (net/ipv6/route.c),
Linux 6.18. Not in here: redirects, multicast forwarding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.machine import icmp_errors, ip_options
from sim.machine.routes import Decision, Kind
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook
from sim.packet import Packet
from sim.trace import Reason, Routed
from sim.units import Address, is_link_local, show_address

if TYPE_CHECKING:
    from sim.machine.ip import IpLayer

NOT_FOR_ONE: Final = Reason("pkttype", "A rule has called it a packet to many: such are not forwarded, and TCP does not hear them.")


class Forwarding:
    """The part of an IP layer that forwards."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._options = ip_options.Options()

    def forward(self, skb: Skb, decision: Decision) -> None:
        """Pass a packet on, unless something speaks against it."""
        packet = skb.packet
        if not self._ip.forwarding[packet.version]:
            text = f"{show_address(packet.dst)} is not an address of this machine, and it forwards nothing (ip_forward is 0)."
            self._ip.drop(skb, "routing", "routing", Reason("not-forwarding", text))
            return
        if skb.pkt_type:
            self._ip.drop(skb, "routing", "routing", NOT_FOR_ONE)
            return
        if self._ip.emit is not None:
            self._ip.emit(Routed(packet.id, "forward", decision.dev, show_address(decision.via) if decision.via else None))
        if packet.ttl <= 1:
            self._ttl_ran_out(skb)
            return
        if packet.version == 6 and not self._may_leave(skb, decision):
            return
        if len(packet.data) > decision.mtu and not 0 < skb.frag_max <= decision.mtu and (packet.version == 6 or packet.data[6] & 0x40):
            self._too_big(skb, decision)
            return
        lower_ttl(packet)
        skb.outdev = decision.dev
        if not self._ip.passes(Hook.FORWARD, skb):
            return
        if packet.version == 4 and packet.data[0] != 0x45:
            ip_options.pass_on(packet, self._options, self._leaving(decision))
        if self._ip.passes(Hook.POSTROUTING, skb):
            self._ip.output(skb, decision)

    def options_fit(self, skb: Skb, decision: Decision) -> bool:
        """IPv4 options: whether the packet may go on with them (ip_rcv_options)."""
        packet, routes = skb.packet, self._ip.routes
        own = packet.dst if decision.kind == Kind.LOCAL else routes.decide(packet.src).source or bytes(4)
        found = self._options = ip_options.read(packet, own, lambda address: not routes.is_local(address), skb.now)
        if found.wrong:
            text = f"Its IP options make no sense at byte {found.wrong}."
            self._ip.drop(skb, "ip", "IP options", Reason("ip-options", text, {"byte": found.wrong}))
            self._ip.complaints.about(skb, icmp_errors.PARAMETER, 0, found.wrong << 24)
        elif found.source_routed:
            self._ip.drop(skb, "ip", "IP options", Reason("source-route", "It wants a way of its own choice (source routing): refused."))
        return not found.wrong and not found.source_routed

    def _leaving(self, decision: Decision) -> Address:
        interface = self._ip.interfaces.get(decision.dev)
        return (interface.address(4) if interface is not None else None) or bytes(4)

    def _may_leave(self, skb: Skb, decision: Decision) -> bool:
        """ip6_forward: nobody's packets go nowhere, those of a link-local source not to another link."""
        src = skb.packet.src
        if decision.dev == skb.indev or (src[0] and not is_link_local(src)):
            return True
        if is_link_local(src):
            self._ip.drop(skb, "routing", "routing", Reason("scope", f"{show_address(src)} means something on its own link only."))
            self._ip.complaints.about(skb, icmp_errors.UNREACHABLE6, icmp_errors.NOT_NEIGHBOUR6)
            return False
        if src == bytes(16):
            self._ip.drop(skb, "routing", "routing", Reason("martian", "A packet from nobody (::) is not passed on."))
            return False
        return True

    def _ttl_ran_out(self, skb: Skb) -> None:
        four = skb.packet.version == 4
        word = "TTL" if four else "hop limit"
        self._ip.drop(skb, "ip", word, Reason("ttl", f"Its {word} of {skb.packet.ttl} allows no further hop.", {"ttl": skb.packet.ttl}))
        self._ip.complaints.about(skb, icmp_errors.TIME_EXCEEDED if four else icmp_errors.TIME_EXCEEDED6, 0)

    def _too_big(self, skb: Skb, decision: Decision) -> None:
        four, size = skb.packet.version == 4, len(skb.packet.data)
        text = f"{size} bytes do not fit into {decision.dev}'s MTU of {decision.mtu}, and it must not be cut."
        self._ip.drop(skb, "ip", "MTU", Reason("mtu", text, {"size": size, "mtu": decision.mtu}))
        if four:
            self._ip.complaints.about(skb, icmp_errors.UNREACHABLE, icmp_errors.FRAGMENTATION_NEEDED, decision.mtu)
        else:
            self._ip.complaints.about(skb, icmp_errors.TOO_BIG6, 0, max(decision.mtu, 1280))

    def no_route(self, skb: Skb, decision: Decision) -> None:
        """ip_error and ip6_pkt_discard: a router says so, an IPv4 host keeps silent."""
        packet, forwarding = skb.packet, self._ip.forwarding[skb.packet.version]
        text = f"There is no way to {show_address(packet.dst)}."
        self._ip.drop(skb, "routing", "routing", Reason("no-route", text if forwarding else f"{text} It is not for this machine."))
        if packet.version == 6:
            code = icmp_errors.PROHIBITED6 if decision.kind == Kind.PROHIBIT else icmp_errors.NO_ROUTE6
            if decision.kind != Kind.BLACKHOLE:
                self._ip.complaints.about(skb, icmp_errors.UNREACHABLE6, code)
        elif forwarding and decision.kind != Kind.BLACKHOLE and self._ip.complaints.about_routes(packet.src):
            codes = {Kind.UNREACHABLE: icmp_errors.HOST_UNREACHABLE, Kind.PROHIBIT: icmp_errors.FILTERED}
            code = codes.get(decision.kind, icmp_errors.NET_UNREACHABLE) if decision.kind else icmp_errors.NET_UNREACHABLE
            self._ip.complaints.about(skb, icmp_errors.UNREACHABLE, code)


def lower_ttl(packet: Packet) -> None:
    """One hop less in the packet's own bytes, the checksum mended as ip_decrease_ttl does (include/net/ip.h; RFC 1141)."""
    data = packet.data
    packet.ttl -= 1
    if packet.version == 6:
        packet.data = data[:7] + bytes((packet.ttl,)) + data[8:]
        return
    total = (data[10] << 8 | data[11]) + 0x100
    total = (total + (total >= 0xFFFF)) & 0xFFFF
    packet.data = b"%b%c%c%c%c%b" % (data[:8], packet.ttl, data[9], total >> 8, total & 255, data[12:])
