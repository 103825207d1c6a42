"""What rules do to a machine beyond a verdict: REJECT sends, LOG writes, and some matches ask what an address is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.netfilter.nat import Nat
from sim.netfilter.skb import Skb
from sim.packet import Protocol
from sim.ruleset.log import log_line
from sim.ruleset.model import Log
from sim.units import Address, is_link_local

if TYPE_CHECKING:
    from sim.machine.ip import IpLayer

_ICMP_AT = {4: 9, 6: 6}
_DETAILS = frozenset(("tcp sequence", "tcp options", "ip options"))  # NF_LOG_DEFAULT_MASK, without what packets here do not know


class MachineEffects:
    """The Effects (sim/ruleset/evaluate.py) of one IP layer."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def send(self, data: bytes, skb: Skb) -> None:
        """Send what REJECT made in answer to `skb`'s packet; ICMP errors keep within the rate limit."""
        protocol = data[_ICMP_AT[data[0] >> 4]]
        if protocol in (Protocol.ICMP, Protocol.ICMPV6) and not self._ip.complaints.allowed(data):
            return
        if is_link_local(skb.packet.src) and skb.indev != self._ip.routes.decide(skb.packet.src).dev:
            return  # as in complaints.py: on its link there is no way to it
        if protocol == Protocol.TCP and skb.conn is not None:
            self._ip.tracker.set_closing(skb.conn, skb.now)
        self._ip.send(data, instead_of=skb)

    def kernel_log(self, text: str, skb: Skb) -> None:
        """Write a line into the kernel's log."""
        self._ip.kernel_log(text, skb.packet.id)

    @property
    def nat(self) -> Nat:
        """The machine's translations."""
        return self._ip.nat

    def log_invalid(self, text: str, skb: Skb) -> None:
        """A line of nf_conntrack_log_invalid, with all details (nf_ct_l4proto_log_invalid, net/netfilter/nf_conntrack_proto.c)."""
        self._ip.kernel_log(log_line(Log(text, flags=_DETAILS), skb), skb.packet.id)

    def log_helper(self, text: str, skb: Skb) -> None:
        """A line about a packet that a helper drops: it names no devices (nf_ct_helper_log, net/netfilter/nf_conntrack_helper.c)."""
        self.log_invalid(text, Skb(skb.packet, skb.now))

    def address_type(self, address: Address, dev: str) -> int:
        """The kernel's RTN_ number of an address."""
        return self._ip.routes.address_type(address, dev)

    def source_address(self, to: Address) -> Address | None:
        """The address from which the machine speaks to another; None without a route."""
        return self._ip.routes.decide(to).source

    def route_device(self, to: Address) -> str:
        """The device by which the machine would speak to an address, "" without a way."""
        return self._ip.routes.decide(to).dev

    def path_mtu(self, to: Address) -> int:
        """How large a packet to that address may be."""
        return self._ip.path_mtu(to)
