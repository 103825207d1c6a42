"""IpLayer: what happens to a packet between devices and sockets. IPv4 and IPv6, the five hooks, routing, forwarding, ICMP errors.

    receive ─> checks ─> PREROUTING ─> route ─┬─ local ───> INPUT ──> deliver
                                              └─ forward ─> FORWARD ──┐
    send ────> route ──> OUTPUT ──────────────────────────────────────┴─> POSTROUTING ─> transmit (or lo: round to PREROUTING)

As net/ipv4/ip_{input,forward,output}.c, route.c and net/ipv6/ip6_{input,output}.c have it, Linux 6.18. No SimPy here: replay
drives it with a clock of its own. With `emit` None nothing is built for the trace. Neighbours are always known: no ARP, no NDP.
Not in here: sockets (tcp, udp, icmp), links (network.py), redirects, source routing, multicast forwarding, policy routing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import GRE
from sim.errors import Malformed, UsageError
from sim.machine import icmp_errors
from sim.machine.complaints import Complaints
from sim.machine.effects import MachineEffects
from sim.machine.errors import SocketError
from sim.machine.forwarding import Forwarding
from sim.machine.fragments import Fragmentation
from sim.machine.interfaces import Interface
from sim.machine.loopback import LoopQueue
from sim.machine.martians import UNKNOWN_OPTION, refused_by_ipv6
from sim.machine.routes import NO_ROUTE, REFUSING, Decision, Kind, Routes, in_group
from sim.machine.sources import Sources
from sim.machine.sysctl import Sysctls
from sim.machine.translation import Translation
from sim.netfilter.hooks import Hooks
from sim.netfilter.nat import Nat
from sim.netfilter.skb import Skb
from sim.netfilter.tracking import Tracking
from sim.netfilter.words import Hook
from sim.packet import Packet
from sim.ruleset.state import RuleState
from sim.trace import Dropped, Emit, HookEntered, KernelLogged, Reason, Routed
from sim.units import LOOPBACK6, Address, parse_interface, show_address

Transmit = Callable[[str, "Address | None", Packet], None]
End = tuple[Address, int]
SocketFor = Callable[[int, End, End, bool], bool | None]
_ACCEPT = 1


class IpLayer:
    """One machine's IP layer, with its netfilter.

    `clock()` is the time in µs. `transmit(dev, via, packet)` takes what leaves a device, `deliver(skb)` what is for this machine
    (for IPv6 also a fragment: `fragments.together6` is for whoever delivers).
    `loop(skb)` takes what goes to lo and must give it to `loop_in` later; None: as soon as the layer is done with the packet before.
    `path_in(skb, decision)`, if set, may choose another way for what came in (policy routing by device: replay's).
    `new_id()` names a packet made here; `name(packet_id, about, again)` hears what its maker calls it.
    """

    def __init__(
        self, name: str, clock: Callable[[], int], transmit: Transmit, deliver: Callable[[Skb], None], emit: Emit | None = None, *,
        loop: Callable[[Skb], None] | None = None, new_id: Callable[[], int] | None = None,
        named: Callable[[int, str, int], None] | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.clock, self.transmit, self.deliver, self.emit = clock, transmit, deliver, emit
        self.loop = loop or LoopQueue(self.loop_in).put
        self.new_id = new_id or partial(next, count(1))
        self.named = named
        self.interfaces: dict[str, Interface] = {}
        self.routes = Routes(self.interfaces)
        self.hooks = Hooks()
        self.tracker = Tracker(emit=emit)
        self.tracking = Tracking(self.tracker, self.hooks, emit)
        self.nat = Nat(self.hooks, self.tracker, emit)
        self._translation = Translation(self)
        effects = MachineEffects(self)
        self.rules = RuleState(self.hooks, effects, emit, self.nat)
        self.rules.clock = clock
        self.sysctls = Sysctls(self.tracker.settings, emit)
        self.kernel_log_lines: list[tuple[int, str]] = []
        self.track_always = False
        self.path_in: Callable[[Skb, Decision], Decision] | None = None
        self.rules.on_load.append(self.arrange_conntrack)
        self._sources = Sources(self)
        self._path_mtu: dict[Address, int] = {}
        self.settled: Callable[[], None] = _nothing
        self.acting: str | None = None  # the user of the program that acts at the moment, "" for one without a name
        self.owner_of: Callable[[Packet], str | None] = lambda packet: None
        self.socket_for: SocketFor = lambda protonum, other, own, connected: None
        self.tracker.on_warning = self.kernel_log
        self.tracker.netmask = lambda dev, dst: self.interfaces[dev].netmask(dst) if dev in self.interfaces else None
        self.tracking.log_invalid, self.tracking.log_helper = effects.log_invalid, effects.log_helper
        self.sysctls.on_change.append(self._sysctl_changed)
        self._sysctl_changed("")
        self.complaints = Complaints(self)
        self._forward = Forwarding(self)
        self.fragments = Fragmentation(self)
        self._stolen = False

    # ---- settings ----------------------------------------------------------------------------------------------------

    def add_interface(self, dev: str, addresses: list[str], mtu: int = 1500) -> Interface:
        """Add a device with its addresses ("192.168.1.20/24"). Raises UsageError."""
        if dev in self.interfaces:
            raise UsageError(f"{self.name} has an interface '{dev}' already")
        interface = Interface(dev, len(self.interfaces) + 1, 65536 if dev == "lo" else mtu)
        interface.addresses += [parse_interface(address) for address in addresses]
        self.interfaces[dev] = interface
        self.sysctls.add_device(dev)
        self.addresses_changed()
        return interface

    def addresses_changed(self) -> None:
        """Read the interfaces anew: an address came or went, a device went up or down."""
        self.routes.changed()
        self._translation.addresses_changed()
        self._sources.changed()

    def forward(self, on: bool) -> None:
        """Be a router from the start (ip_forward and its IPv6 counterpart), without a word in the trace."""
        self.sysctls.preset("net.ipv4.ip_forward", int(on))
        self.sysctls.preset("net.ipv6.conf.all.forwarding", int(on))
        self._sysctl_changed("")

    def _sysctl_changed(self, key: str) -> None:
        number = self.sysctls.number
        self.forwarding = {4: number("net.ipv4.ip_forward") != 0, 6: number("net.ipv6.conf.all.forwarding") != 0}
        self.routes.be_router(self.forwarding[6])
        self._sources.changed()

    def arrange_conntrack(self) -> None:
        """Put conntrack into the hooks where a rule needs it, or always (`track_always`); take it out where none does."""
        wanted = frozenset(("ip", "ip6")) if self.track_always else self.rules.needs_conntrack
        if self.rules.needs_accounting:
            self.tracker.settings.set("net.netfilter.nf_conntrack_acct", "1")
        self.tracker.labelled = self.rules.needs_labels
        self.tracking.use(wanted)
        self.fragments.defrag.use(wanted)

    # ---- in ----------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, dev: str, packet_id: int = 0) -> None:
        """A packet came out of the wire into `dev`."""
        try:
            packet = Packet(data, packet_id)
        except Malformed as error:
            self._drop_malformed(packet_id, error)
            return
        self.take(packet, dev)

    def take(self, packet: Packet, dev: str) -> None:
        """The same, for a packet whose bytes were read already."""
        skb = Skb(packet, self.clock(), dev)
        if packet.version == 6 and (refused := refused_by_ipv6(packet)) is not None:
            self.drop(skb, "ip", "ipv6_rcv", refused.reason)
            if refused.problem is not None:
                self.complaints.about(skb, icmp_errors.PARAMETER6, *refused.problem, even_to_many=refused.problem[0] == UNKNOWN_OPTION)
                self.settled()
            return
        if self.passes(Hook.PREROUTING, skb):
            self._route_in(skb)
        if skb.conn is not None and skb.conn.protonum == GRE:
            self.tracking.let_go(skb.conn)
        self.settled()

    def comes_rightly(self, skb: Skb) -> bool:
        """Whether an IPv4 packet may come from where it says; else it is dropped."""
        return self._sources.good(skb)

    def _drop_malformed(self, packet_id: int, error: Malformed) -> None:
        if self.emit is not None:
            self.emit(Dropped(packet_id, "ip", "the IP header's checks", Reason(error.code, str(error))))

    def passes(self, hook: Hook, skb: Skb) -> bool:
        """Through one hook. True when the packet may go on."""
        if self.emit is not None:
            self.emit(HookEntered(skb.packet.id, hook.name, skb.indev or None, skb.outdev or None))
        for function in self.hooks.functions[hook]:
            verdict = function(skb)
            if verdict != _ACCEPT:
                self._stolen = bool(verdict)
                if verdict:
                    self.fragments.waits(skb)
                elif self.emit is not None:
                    by, reason = skb.dropped or (hook.name, Reason("hook", f"A function in {hook.name} dropped it."))
                    self.emit(Dropped(skb.packet.id, hook.name, by, reason))
                return False
        return True

    def _route_in(self, skb: Skb) -> None:
        packet = skb.packet
        decision = self.routes.decide(packet.dst)
        if self.path_in is not None:
            decision = self.path_in(skb, decision)
        if packet.version == 4 and not self._sources.good(skb):
            return
        if packet.version == 4 and packet.data[0] != 0x45 and not self._forward.options_fit(skb, decision):
            return
        kind = decision.kind
        if kind == Kind.LOCAL:
            if packet.version == 4 and packet.dst[0] == 127:
                self.drop(skb, "routing", "routing", Reason("martian", "127.0.0.0/8 never comes in from a wire (martian destination)."))
                return
            if packet.dst == LOOPBACK6 and skb.indev != "lo":
                self._forward.no_route(skb, NO_ROUTE)
                return
            self._deliver_locally(skb)
        elif kind == Kind.UNICAST:
            self._forward.forward(skb, decision)
        elif kind == Kind.BROADCAST or kind == Kind.MULTICAST:
            self._deliver_to_many(skb, decision)
        else:
            self._forward.no_route(skb, decision)

    # ---- for this machine --------------------------------------------------------------------------------------------

    def _deliver_locally(self, skb: Skb) -> None:
        packet = skb.packet
        if self.emit is not None:
            self.emit(Routed(packet.id, "local", None, None))
        skb.routed = True
        whole = not packet.fragment and not packet.more
        if (whole or packet.version == 6 or self.fragments.together(skb)) and self.passes(Hook.INPUT, skb):
            self.deliver(skb)

    def _deliver_to_many(self, skb: Skb, decision: Decision) -> None:
        """Broadcasts of our networks, and the groups to which every host belongs (224.0.0.1, ff02::1)."""
        dst = skb.packet.dst
        if decision.kind == Kind.MULTICAST and not in_group(dst, self.forwarding[6]):
            self.drop(skb, "routing", "routing", Reason("multicast", f"This machine is not in the group {show_address(dst)}."))
            return
        self._deliver_locally(skb)

    # ---- from this machine -------------------------------------------------------------------------------------------

    def route_to(self, dst: Address) -> Decision:
        """Where what is sent to `dst` goes. Raises SocketError: ENETUNREACH without a route, or what the route says."""
        decision = self.routes.decide(dst)
        if decision.kind is None or decision.kind in REFUSING:
            raise SocketError(REFUSING[decision.kind] if decision.kind else "ENETUNREACH")
        if decision.kind == Kind.LOCAL and not self.interfaces.get("lo"):
            raise SocketError("ENETUNREACH")
        return decision

    def source_for(self, dst: Address) -> Address:
        """The address from which this machine speaks to `dst`. Raises SocketError: ENETUNREACH, EADDRNOTAVAIL."""
        decision = self.route_to(dst)
        if decision.source is None:
            raise SocketError("EADDRNOTAVAIL" if len(dst) == 16 else "ENETUNREACH")
        return decision.source

    def send(self, data: bytes, *, about: str = "", again: int = 0, instead_of: Skb | None = None) -> bool:
        """Send a packet of this machine's own: OUTPUT, POSTROUTING, out. False: a hook dropped it (EPERM); True: it left, or waits in part.

        `about` and `again` are what the trace calls it and how often it was sent before. `instead_of`: the packet that this one is an
        error about, or the reset for; it takes over that one's entry as RELATED (nf_ct_attach), whatever that one's own fate.
        """
        packet = Packet(data, self.new_id())
        if self.named is not None and (about or again):
            self.named(packet.id, about, again)
        skb = Skb(packet, self.clock())
        if instead_of is not None and instead_of.conn is not None:
            self.tracking.attach(skb, instead_of)
        left = self._send(skb)
        if skb.conn is not None and skb.conn.protonum == GRE:
            self.tracking.let_go(skb.conn)
        self.settled()
        return left

    def _send(self, skb: Skb) -> bool:
        packet = skb.packet
        decision = self.routes.decide(packet.dst)
        if decision.kind is None or decision.kind in REFUSING:
            self.drop(skb, "routing", "routing", Reason("no-route", f"There is no way to {show_address(packet.dst)}."))
            return False
        skb.outdev = decision.dev
        if self.emit is not None:
            self.emit(Routed(packet.id, "output", decision.dev, show_address(decision.via) if decision.via else None))
        if not self.passes(Hook.OUTPUT, skb):
            return self._stolen
        if skb.way is not None:
            decision = self._another_way(skb, skb.way)
        skb.held = skb.outdev
        if not self.passes(Hook.POSTROUTING, skb):
            return False
        self.output(skb, decision)
        if decision.kind != Kind.UNICAST and decision.kind != Kind.LOCAL:
            self._hear_itself(skb, decision)
        return True

    def _another_way(self, skb: Skb, decision: Decision) -> Decision:
        """NAT has sent it elsewhere."""
        skb.outdev = decision.dev
        if self.emit is not None:
            self.emit(Routed(skb.packet.id, "output", decision.dev, show_address(decision.via) if decision.via else None))
        return decision

    def _hear_itself(self, skb: Skb, decision: Decision) -> None:
        """Who sends to many is one of them: a copy comes in again (ip_mc_output, ip6_finish_output2; the skb keeps its entry)."""
        if decision.kind != Kind.BROADCAST and not in_group(skb.packet.dst, self.forwarding[6]):
            return
        again = Skb(skb.packet, skb.now, decision.dev)
        again.conn, again.ctinfo, again.reason = skb.conn, skb.ctinfo, skb.reason
        again.pkt_type = 1 if decision.kind == Kind.BROADCAST else 2  # PACKET_LOOPBACK, as rules see it
        if self.passes(Hook.PREROUTING, again):
            self._deliver_locally(again)

    def output(self, skb: Skb, decision: Decision) -> None:
        """Behind the last hook: out, in pieces where the way takes no more at once."""
        packet = skb.packet
        if decision.dev == "lo":
            self.loop(skb)
        elif len(packet.data) > decision.mtu or skb.frag_max:
            self.fragments.send(skb, decision)
        else:
            self.transmit(decision.dev, decision.via, packet)

    # ---- lo ----------------------------------------------------------------------------------------------------------

    def loop_in(self, skb: Skb) -> None:
        """What went out on lo comes in again: the same skb, so that conntrack sees it once; its route is known already."""
        again = Skb(skb.packet, self.clock(), "lo")
        again.conn, again.ctinfo, again.reason, again.mark = skb.conn, skb.ctinfo, skb.reason, skb.mark
        if self.passes(Hook.PREROUTING, again):
            if again.packet.dst == skb.packet.dst:
                self._deliver_locally(again)
            else:
                self._route_in(again)
        self.settled()

    # ---- time --------------------------------------------------------------------------------------------------------

    def next_expiry(self) -> int | None:
        """When the next entry expires, or the next incomplete packet is given up (µs); None when nothing waits."""
        entry, fragment = self.tracker.next_expiry(), self.fragments.next_expiry()
        return entry if fragment is None else fragment if entry is None else min(entry, fragment)

    def expire(self, now: int) -> None:
        """Let expire what is due at `now`."""
        self.tracker.expire(now)
        self.fragments.expire(now)

    # ---- ICMP errors, drops, log -------------------------------------------------------------------------------------

    def drop(self, skb: Skb, where: str, by: str, reason: Reason) -> None:
        """Say that this is the packet's end."""
        if self.emit is not None:
            self.emit(Dropped(skb.packet.id, where, by, reason))

    def kernel_log(self, text: str, packet_id: int | None = None) -> None:
        """A line in the kernel's log (dmesg)."""
        self.kernel_log_lines.append((self.clock(), text))
        if self.emit is not None:
            self.emit(KernelLogged(packet_id, text))

    def learn_mtu(self, dst: Address, mtu: int) -> None:
        """An ICMP error told that the way to `dst` takes no more than `mtu` bytes (at least 552, or 1280 in IPv6)."""
        self._path_mtu[dst] = max(mtu, 552 if len(dst) == 4 else 1280)

    def path_mtu(self, dst: Address) -> int:
        """The MTU of the way to `dst`, as far as is known; 1500 without a way."""
        decision = self.routes.decide(dst)
        first = decision.mtu if decision is not NO_ROUTE else 1500
        return min(first, self._path_mtu.get(dst, first))


def _nothing() -> None:
    """Nobody wants to know when the layer is done with a packet."""
