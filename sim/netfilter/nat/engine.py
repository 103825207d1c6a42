"""Nat: the translations of one machine. nf_nat_core.c, nf_nat_proto.c, nf_nat_masquerade.c and nf_nat_redirect.c, Linux 6.18.

    PREROUTING, OUTPUT   at -100: destinations        POSTROUTING, INPUT   at 100: sources

While a family has a nat chain, one function stands at each of these hooks. The first packet of a connection goes through the nat
chains there; where none of them binds it, it gets a null binding (its own addresses, another port if its own is taken). A binding
changes the entry's reply tuple before it is confirmed; every later packet is rewritten by that tuple alone, without the chains.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from sim import wire
from sim.conntrack import checksums
from sim.conntrack.conn import Conn
from sim.conntrack.seqadj import Shift
from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import ICMP, ICMPV6, invert
from sim.conntrack.words import CONFIRMED, DYING, Ctinfo, Status
from sim.netfilter.hooks import HookFunction, Hooks
from sim.netfilter.nat import addresses
from sim.netfilter.nat.choice import DST, SRC, Chooser
from sim.netfilter.nat.dice import Dice
from sim.netfilter.nat.helpers import hooks as helpers_hooks
from sim.netfilter.nat.ranges import NatRange, single
from sim.netfilter.nat.rewrite import icmp_summed_anew, rewritten, writable
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook, Priority, Verdict
from sim.packet import Packet, Tuple, describe
from sim.trace import Emit, Reason, Translated
from sim.units import Address

ACCEPT: Final = int(Verdict.ACCEPT)
DROP: Final = int(Verdict.DROP)
MANIP: Final = {Hook.PREROUTING: DST, Hook.OUTPUT: DST, Hook.POSTROUTING: SRC, Hook.INPUT: SRC}
PRIORITY: Final = (Priority.SRCNAT, Priority.DSTNAT)
_DONE: Final = (int(Status.SRC_NAT_DONE), int(Status.DST_NAT_DONE))
_NAT: Final = (int(Status.SRC_NAT), int(Status.DST_NAT))
_WHAT: Final = {_NAT[SRC]: "snat", _NAT[DST]: "dnat"}
_BOTH_DONE: Final = _DONE[0] | _DONE[1]
_NEW: Final = int(Ctinfo.NEW)
_RELATED: Final = frozenset((int(Ctinfo.RELATED), int(Ctinfo.RELATED_REPLY)))
_REPLIES: Final = frozenset((int(Ctinfo.ESTABLISHED_REPLY), int(Ctinfo.RELATED_REPLY)))
_REDIRECTS: Final = {4: 5, 6: 137}
QUOTED: Final = {4: 28, 6: 48}
"""How much of an ICMP error the kernel makes writable, and so moves into the first of the fragments: its header and the quoted packet's."""

CUT_SHORT: Final = Reason("nat-cut-short", "NAT has to change a header that is cut short, so the packet is dropped.")
OTHER_DEVICE: Final = Reason("nat-device", "Masqueraded connections belong to the device they left by, and this packet leaves by another.")
NO_ADDRESS: Final = Reason("nat-no-address", "The device has no address to put in its place.")
MADE_WAY: Final = Reason("nat-made-way", "No port was free, and this finished connection had one: it makes way.")
ADDRESS_GONE: Final = Reason("nat-address-gone", "It was masqueraded with an address that the device has no longer.")
BAD_ERROR: Final = Reason("nat-bad-error", "An ICMP error with a wrong checksum, or a redirect: NAT lets none through.")


class Nat:
    """`tracker` is the machine's conntrack. What the machine tells, by fields: `devices()` its addresses, `next_hop(dst)` the neighbour
    that leads there, `reroute(skb)` after OUTPUT changed a destination (False: no way), `log(text)` the kernel's log; `chooser.throw`
    gives it dice of a seed.
    """

    def __init__(self, hooks: Hooks, tracker: Tracker | None = None, emit: Emit | None = None) -> None:
        self.tracker = tracker or Tracker()
        self.tracker.unbound = self._unbind
        self.tracker.nat_helpers = helpers_hooks(self)
        self.chooser = Chooser(self.tracker.table, Dice(""), self._make_way)
        self.chooser.stats = self.tracker.stats
        self.devices: Callable[[], addresses.Devices] = dict
        self.next_hop: Callable[[Address], Address] = _itself
        self.reroute: Callable[[Skb], bool] = _no_need
        self.log: Callable[[str], None] = _nobody
        self.hook = Hook.PREROUTING
        self._hooks, self._emit = hooks, emit
        self._chains = {4: Hooks(), 6: Hooks()}
        self._by_source: dict[tuple[Address, int, int], list[Conn]] = {}
        self._pending: Conn | None = None

    # ---- the nat chains ----------------------------------------------------------------------------------------------

    def place(self, versions: tuple[int, ...], hook: Hook, priority: int, name: str, function: HookFunction) -> None:
        """Put a nat chain into the list that new connections go through at `hook`."""
        for version in versions:
            if not self._in_use(version):
                self._register(version)
            self._chains[version].register(hook, priority, name, function)

    def replace(self, name: str, function: HookFunction) -> None:
        """Put another function in a chain's place."""
        for chains in self._chains.values():
            chains.replace(name, function)

    def remove(self, name: str) -> None:
        """Take a nat chain out; with the last one NAT leaves the hooks, and translated connections are translated no longer."""
        for version, chains in self._chains.items():
            before = self._in_use(version)
            chains.unregister(name)
            if before and not self._in_use(version):
                self._hooks.unregister(_name(version))

    def _in_use(self, version: int) -> bool:
        return any(self._chains[version].functions)

    def _register(self, version: int) -> None:
        for hook, manip in MANIP.items():
            self._hooks.register(hook, PRIORITY[manip], _name(version), partial(self._pass, version, hook, manip))

    # ---- a packet at one of the hooks ---------------------------------------------------------------------------------

    def _pass(self, version: int, hook: Hook, manip: int, skb: Skb) -> int:
        """nf_nat_ipv4_fn, nf_nat_ipv6_fn, and what goes round them in OUTPUT."""
        conn = skb.conn
        if conn is None or skb.packet.version != version:
            return ACCEPT
        if skb.ctinfo in _RELATED and skb.packet.protonum == (ICMP if version == 4 else ICMPV6):
            verdict = self._translate_error(skb, conn, hook, manip)
        else:
            verdict = self._inet(skb, conn, hook, manip)
        if verdict == ACCEPT and hook == Hook.OUTPUT and _destination_differs(skb, conn) and not self.reroute(skb):
            return DROP
        return verdict

    def _inet(self, skb: Skb, conn: Conn, hook: Hook, manip: int) -> int:
        """nf_nat_inet_fn."""
        first = skb.ctinfo == _NEW or skb.ctinfo in _RELATED
        if first and not conn.status & _DONE[manip]:
            verdict = self._consult(skb, conn, hook, manip)
            if verdict != ACCEPT:
                return verdict
        elif conn.nat and hook == Hook.POSTROUTING and skb.ctinfo not in _REPLIES and conn.nat != skb.outdev:
            self.tracker.destroy(conn, skb.now, OTHER_DEVICE)
            skb.dropped = ("nat", OTHER_DEVICE)
            return DROP
        return self._translate(skb, conn, hook, manip)

    def _consult(self, skb: Skb, conn: Conn, hook: Hook, manip: int) -> int:
        """The nat chains, until one has bound the connection; else the null binding."""
        for function in self._chains[skb.packet.version].functions[hook]:
            self.hook = hook
            verdict = function(skb)
            if verdict != ACCEPT:
                return verdict
            if conn.status & _DONE[manip]:
                return ACCEPT
        return self.bind(conn, single(conn.reply.dst if manip == SRC else conn.reply.src), manip)

    # ---- bindings ----------------------------------------------------------------------------------------------------

    def bind(self, conn: Conn, wanted: NatRange, manip: int) -> int:
        """Settle what becomes of a new connection's source or destination (nf_nat_setup_info). An entry in the table stays as it is."""
        if conn.status & CONFIRMED:
            return ACCEPT
        now = invert(conn.reply)
        if now is not None:
            key = (now.src, now.sport, now.protonum)  # of an ICMP question another rule may have changed the id already
            mapped = [other for other in reversed(self._by_source.get(key, ())) if other is not conn and _alive(other)]
            new = self.chooser.choose(conn, wanted, manip, mapped)
            if new != now:
                conn.reply = invert(new) or conn.reply
                conn.status |= _NAT[manip]
                if conn.helper is not None and conn.seqadj is None:
                    conn.seqadj = (Shift(), Shift())
        conn.status |= _DONE[manip]
        if manip == SRC:
            self._remember(conn)
        return ACCEPT

    def _remember(self, conn: Conn) -> None:
        """By its source, so that the next connection from there gets the same mapping (nf_nat_bysource)."""
        if self._pending is not None and not self._pending.status & CONFIRMED:
            self._unbind(self._pending)
        self._pending = conn
        if conn.nat is None:
            conn.nat = ""
        self._by_source.setdefault((conn.original.src, conn.original.sport, conn.original.protonum), []).append(conn)

    def _unbind(self, conn: Conn) -> None:
        key = (conn.original.src, conn.original.sport, conn.original.protonum)
        held = self._by_source.get(key)
        if held is not None and conn in held:
            held.remove(conn)
            if not held:
                del self._by_source[key]

    def _make_way(self, conn: Conn) -> None:
        self.tracker.destroy(conn, self.tracker.now, MADE_WAY)

    # ---- what rules ask for -------------------------------------------------------------------------------------------

    def masquerade(self, skb: Skb, wanted: NatRange) -> int:
        """MASQUERADE: the address of the device by which it leaves. DROP when there is none."""
        conn = skb.conn
        if conn is None or (not any(conn.original.src) and skb.packet.version == 4):
            return ACCEPT
        near = skb.packet.dst if skb.packet.version == 6 else self.next_hop(skb.packet.dst)
        own = addresses.to_speak_from(self.devices(), skb.outdev, near)
        if own is None:
            if skb.packet.version == 4:
                self.log(f"{skb.outdev} ate my IP address")
            return self._no_address(skb)
        if not conn.status & CONFIRMED:
            conn.nat = skb.outdev
        return self.bind(conn, NatRange(own, own, wanted.ports, None, wanted.random, wanted.persistent), SRC)

    def redirect(self, skb: Skb, wanted: NatRange) -> int:
        """REDIRECT: to this machine itself, by the device's address; what it sent itself goes to loopback. DROP without an address."""
        version = skb.packet.version
        own: Address | None = addresses.LOOPBACK[version]
        if self.hook != Hook.OUTPUT:
            own = addresses.to_redirect_to(self.devices(), skb.indev, version, skb.packet.dst)
        if own is None or skb.conn is None:
            return self._no_address(skb)
        return self.bind(skb.conn, NatRange(own, own, wanted.ports, None, wanted.random, wanted.persistent), DST)

    def netmap(self, skb: Skb, network: Address, mask: bytes) -> int:
        """NETMAP: the network part changes, the host part stays (xt_NETMAP.c)."""
        manip = MANIP[self.hook]
        old = skb.packet.src if manip == SRC else skb.packet.dst
        new = bytes(a & ~m & 255 | b & m for a, b, m in zip(old, network, mask, strict=True))
        return ACCEPT if skb.conn is None else self.bind(skb.conn, single(new), manip)

    def _no_address(self, skb: Skb) -> int:
        skb.dropped = ("nat", NO_ADDRESS)
        return DROP

    def addresses_gone(self, dev: str, gone: tuple[Address, ...] | None) -> None:
        """A device lost addresses (None: it went down): connections masqueraded with them end (masq_inet_event, masq_device_event)."""
        for conn in self.tracker.entries():
            if conn.nat == dev and (gone is None or conn.reply.dst in gone):
                self.tracker.destroy(conn, self.tracker.now, ADDRESS_GONE)

    # ---- bytes -------------------------------------------------------------------------------------------------------

    def _translate(self, skb: Skb, conn: Conn, hook: Hook, manip: int) -> int:
        """nf_nat_packet: make the packet look like the inverse of the entry's other direction."""
        reply = skb.ctinfo in _REPLIES
        bit = _NAT[manip ^ reply]
        if not conn.status & bit:
            return ACCEPT
        target = translation(conn, reply, manip)
        _pull(skb, 0)
        data = None if target is None else rewritten(skb.packet.data, 0, target, manip)
        return self._put(skb, data, hook, bit)

    def _translate_error(self, skb: Skb, conn: Conn, hook: Hook, manip: int) -> int:
        """nf_nat_icmp_reply_translation, nf_nat_icmpv6_reply_translation: the packet quoted inside, then the error itself."""
        packet = skb.packet
        skb.pulled = max(skb.pulled, QUOTED[packet.version])
        if not packet.complete or not _error_passes(packet, conn):
            skb.dropped = ("nat", BAD_ERROR)
            return DROP
        reply = skb.ctinfo in _REPLIES
        bit = _NAT[manip ^ reply]
        if not conn.status & bit:
            return ACCEPT
        other = conn.original if reply else conn.reply
        _pull(skb, packet.l4 + 8)
        data = rewritten(packet.data, packet.l4 + 8, other, 1 - manip)
        if data is not None:
            outer = _outer(other, packet.protonum)
            data = rewritten(icmp_summed_anew(data, packet.l4), 0, outer, manip)
        return self._put(skb, data, hook, bit)

    def _put(self, skb: Skb, data: bytes | None, hook: Hook, bit: int) -> int:
        if data is None:
            skb.dropped = ("nat", CUT_SHORT)
            return DROP
        if data == skb.packet.data:
            return ACCEPT
        before = skb.packet
        skb.packet = _read_anew(data, before)
        if self._emit is not None:
            self._emit(Translated(before.id, hook.name, _WHAT[bit], describe(before), describe(skb.packet)))
        return ACCEPT


def _pull(skb: Skb, at: int) -> None:
    """The kernel makes the headers writable of the packet whose IP header stands at `at`, and so moves them into the first fragment."""
    skb.pulled = max(skb.pulled, writable(skb.packet.data, at, skb.packet.version) - skb.packet.l4)


def translation(conn: Conn, reply: bool, manip: int) -> Tuple | None:
    """What packets of one direction look like after `manip`: the inverse of the entry's other direction; None: as they are."""
    if not conn.status & _NAT[manip ^ reply]:
        return None
    return invert(conn.original if reply else conn.reply)


def _read_anew(data: bytes, before: Packet) -> Packet:
    """The rewritten packet. Where reading its options has left zeros in them, the kernel does not sum the header of what it delivers."""
    if before.version == 6 or before.l4 == 20:
        return Packet(data, before.id)
    head = data[:10] + b"\0\0" + data[12 : before.l4]
    packet = Packet(head[:10] + wire.checksum(head).to_bytes(2) + data[12:], before.id)
    packet.data = data
    return packet


def _error_passes(packet: Packet, conn: Conn) -> bool:
    if not (checksums.icmp_ok(packet) if packet.version == 4 else checksums.transport_ok(packet)):
        return False
    if packet.data[packet.l4] != _REDIRECTS[packet.version]:
        return True
    return conn.status & _BOTH_DONE == _BOTH_DONE and not conn.status & (_NAT[0] | _NAT[1])


def _outer(other: Tuple, protonum: int) -> Tuple:
    """The inverse of the other direction, as far as an ICMP error has it: addresses."""
    return Tuple(other.dst, other.src, 0, 0, protonum)


def _destination_differs(skb: Skb, conn: Conn) -> bool:
    mine, other = (conn.reply, conn.original) if skb.ctinfo in _REPLIES else (conn.original, conn.reply)
    return mine.dst != other.src


def _alive(conn: Conn) -> bool:
    return conn.status & (CONFIRMED | DYING) == CONFIRMED


def _name(version: int) -> str:
    return f"nat ipv{version}"


def _itself(address: Address) -> Address:
    return address


def _no_need(skb: Skb) -> bool:
    return True


def _nobody(text: str) -> None:
    """Nobody reads the log."""
