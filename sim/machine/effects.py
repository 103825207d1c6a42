"""What rules do to a machine beyond a verdict: REJECT sends, LOG writes, and some matches ask what an address is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim import wire
from sim.netfilter.nat import Nat
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook
from sim.packet import Packet, Protocol
from sim.ruleset.iptables.names import FIRST_USER, GROUPS, USERS
from sim.ruleset.log import log_line
from sim.ruleset.model import Log
from sim.units import Address, is_link_local

if TYPE_CHECKING:
    from sim.conntrack.tracker import Tracker
    from sim.machine.ip import IpLayer

_ICMP_AT = {4: 9, 6: 6}
_UNTRACKED = 7
_DETAILS = frozenset(("tcp sequence", "tcp options", "ip options"))  # NF_LOG_DEFAULT_MASK, without what packets here do not know


class MachineEffects:
    """The Effects (sim/ruleset/evaluate.py) of one IP layer."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip, self._copying = ip, False

    def send(self, data: bytes, skb: Skb) -> None:
        """Send what REJECT made in answer to `skb`'s packet; ICMP errors keep within the rate limit."""
        protocol = data[_ICMP_AT[data[0] >> 4]]
        if protocol in (Protocol.ICMP, Protocol.ICMPV6) and (skb.pkt_type or not self._ip.complaints.allowed(data)):
            return
        if is_link_local(skb.packet.src) and skb.indev != self._ip.routes.decide(skb.packet.src).dev:
            return  # as in complaints.py: on its link there is no way to it
        if protocol == Protocol.TCP and skb.conn is not None:
            self._ip.tracker.set_closing(skb.conn, skb.now)
        self._ip.send(data, instead_of=skb)

    def kernel_log(self, text: str, skb: Skb) -> None:
        """Write a line into the kernel's log."""
        self._ip.kernel_log(text, skb.packet.id)

    def socket_owner(self, skb: Skb) -> tuple[int, int] | None:
        """(uid, gid) of the program whose socket sends a packet; None where no socket does, or a packet comes by."""
        user = self._ip.owner_of(skb.packet) if not skb.indev else None
        return None if user is None else (USERS.get(user, FIRST_USER), GROUPS.get(user, FIRST_USER))

    def find_socket(self, protonum: int, src: Address, sport: int, dst: Address, dport: int, *, connected: bool = False) -> bool | None:
        """Whether the socket that would take such a packet listens on every address; None where there is none. `connected`: no listener."""
        return self._ip.socket_for(protonum, (src, sport), (dst, dport), connected)

    def duplicate(self, skb: Skb, gateway: Address, device: str) -> None:
        """Send a copy of a packet by way of `gateway` (nf_dup_ipv4): UNTRACKED, not to be fragmented; a copy is not copied again."""
        decision = self._ip.routes.decide(gateway)
        if self._copying or decision.kind is None or (device and decision.dev != device):
            return
        data = skb.packet.data
        if data[0] >> 4 == 4:
            data = wire.with_ttl(data[:6] + bytes((data[6] | 0x40,)) + data[7:], data[8])
        if skb.indev and not skb.outdev:
            data = wire.with_ttl(data, max(0, skb.packet.ttl - 1))
        copy = Skb(Packet(data, self._ip.new_id()), skb.now, "", decision.dev)
        copy.ctinfo, copy.mark, copy.priority = _UNTRACKED, skb.mark, skb.priority
        self._copying = True
        try:
            if self._ip.passes(Hook.OUTPUT, copy):
                copy.held = copy.outdev
                if self._ip.passes(Hook.POSTROUTING, copy):
                    self._ip.output(copy, decision._replace(via=gateway))
        finally:
            self._copying = False

    @property
    def tracker(self) -> Tracker:
        """The machine's connection tracking."""
        return self._ip.tracker

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

    def source_address(self, to: Address, indev: str = "") -> Address | None:
        """The address from which the machine answers a packet of `to` that came in `indev`; None without a route."""
        return self._ip.complaints.speaker(to, indev, self._ip.routes.decide(to))

    def route_device(self, to: Address) -> str:
        """The device by which the machine would speak to an address, "" without a way."""
        return self._ip.routes.decide(to).dev

    def next_hop(self, to: Address) -> Address:
        """The router on the way to an address, or the address itself where it is on a link of this machine."""
        return self._ip.routes.decide(to).via or to

    def path_mtu(self, to: Address) -> int:
        """How large a packet to that address may be."""
        return self._ip.path_mtu(to)
