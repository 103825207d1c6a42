"""Wall: the firewall of a replay. An IP layer between devices, with rules and conntrack, and no services: it answers nothing by itself.

    wall = Wall({"lan": ["192.168.1.1/24"], "wan": ["203.0.113.2/24"]})
    outcome = wall.receive(data, "lan", number)         # or wall.send(data, number): one of the firewall's own

It forwards IPv4 and IPv6 whatever the addresses: with two devices, what comes in by one and is not for the firewall goes out
by the other; else the routes decide. rp_filter is off, the MTU 1500, ICMP errors are not rate limited, conntrack is always
on. What the firewall itself makes (REJECT, ICMP errors) follows the routes: the devices' own networks, and a default by the
last device. Time is told: `wall.now`. No SimPy here, and no capture: those are console.py's and run.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from mypy_extensions import mypyc_attr

from sim import wire
from sim.conntrack.conn import Conn
from sim.conntrack.show import protocol, seconds_left, tuple_view
from sim.conntrack.tuples import Key, key_of
from sim.conntrack.words import ASSURED, LABEL, SEEN_REPLY, Ctinfo, direction
from sim.conntrack.zones import ID
from sim.edges.replay.arrival import target_of
from sim.edges.replay.outcome import NONE, SELF, Made, Outcome, Rewritten, Step
from sim.errors import Malformed, UsageError
from sim.machine.errors import SocketError
from sim.machine.ip import IpLayer
from sim.machine.routes import NO_ROUTE, Decision, Kind, Route
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook, Priority
from sim.packet import Packet
from sim.trace import Dropped, Event, Json, RuleTried, Translated
from sim.units import LOOPBACK6, Address, is_link_local

NAME: Final = "firewall"
MTU: Final = 1500
SETTINGS: Final = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv4.conf.all.accept_local": "1",
    "net.ipv4.conf.all.route_localnet": "1",
    "net.ipv4.icmp_ratelimit": "0",
    "net.ipv6.icmp.ratelimit": "0",
}
BEHIND_CONNTRACK: Final = Priority.CONNTRACK + 1
"""Where the label is read: nothing of a ruleset stands between."""
_ACCEPT = 1
_REPLY = int(Ctinfo.ESTABLISHED_REPLY)
_BY_TUPLE = frozenset((int(Ctinfo.ESTABLISHED), int(Ctinfo.NEW), _REPLY))
"""Packets whose own tuple is their entry's: not so those that are RELATED by what they quote."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Wall:
    """`addresses`: device -> its addresses ("192.168.1.1/24"), at least one device besides lo; `told`: whether outcomes have their trace.

    Raises UsageError.
    """

    def __init__(self, addresses: Mapping[str, Sequence[str]], told: bool = False) -> None:
        devices = [dev for dev in addresses if dev != "lo"]
        if not devices:
            raise UsageError("a firewall needs at least one device besides lo")
        self.now = 0
        self.ip = IpLayer(NAME, lambda: self.now, self._transmit, self._deliver, self._hear if told else None, new_id=lambda: -1)
        for dev, texts in addresses.items():
            self.ip.add_interface(dev, list(texts), MTU)
        for everything in (bytes(4), bytes(16)):
            self.ip.routes.add(Route(everything, 0, devices[-1]))
        self.ip.path_in = _ways_in(devices)
        for key, value in SETTINGS.items():
            self.ip.sysctls.set(key, value)
        self._log_helper, self.ip.tracking.log_helper = self.ip.tracking.log_helper, self._helper_said
        self.ip.track_always = True
        self.ip.arrange_conntrack()
        self.ip.hooks.register(Hook.PREROUTING, BEHIND_CONNTRACK, "replay", self._came)
        self.ip.hooks.register(Hook.OUTPUT, BEHIND_CONNTRACK, "replay", self._made)
        self._begin(0, b"")

    # ---- packets -----------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, dev: str, number: int) -> Outcome:
        """The packet `data` arrives in `dev`. `number` names it, and is above 0."""
        self._begin(number, data)
        self.ip.receive(data, dev, number)
        return self._outcome(data, dev)

    def go_on(self, packet: Packet, data: bytes, dev: str, ctinfo: int) -> Outcome:
        """As `receive`, for a packet of which conntrack has said `ctinfo` a moment ago; the rest of what it said its tracker still has."""
        tracker = self.ip.tracker
        log = tracker.kernel_log
        self._begin(packet.id, data)
        tracker.kernel_log, self.ip.tracking.ahead = log, ctinfo
        self.ip.take(packet, dev)
        return self._outcome(data, dev)

    def send(self, data: bytes, number: int) -> Outcome:
        """The firewall itself sends `data`: through OUTPUT, as from a raw socket (raw_send_hdrinc, net/ipv4/raw.c, Linux 6.18).

        So an IPv4 header's length and checksum are made right, and what does not fit the MTU is refused.
        """
        self._begin(number, data, own=True)
        refused, sent = "", False
        try:
            if len(data) > MTU and self.ip.routes.decide(target_of(data)).kind != Kind.LOCAL:  # lo takes all
                raise SocketError("EMSGSIZE")
            sent = self.ip.send(_as_raw_socket(data))
        except (SocketError, Malformed) as error:
            refused = str(error)
        return self._outcome(data, None, sent, refused)

    def _begin(self, number: int, data: bytes, own: bool = False) -> None:
        self._number = number
        self._data = data
        self._own = own
        self._skb: Skb | None = None
        self._ctinfo: int | None = None
        self._log: tuple[str, ...] = ()
        self.ip.tracker.kernel_log = ()
        self._out: list[tuple[str, bytes]] = []
        self._self: list[tuple[str, bytes]] = []
        self._makes: list[tuple[Skb, int | None]] = []
        self._passed = False
        self._steps: list[Step | Rewritten] = []
        self._dropped = NONE

    def _outcome(self, data: bytes, dev: str | None, sent: bool = False, refused: str = "") -> Outcome:
        skb = self._skb
        if skb is None or self._ctinfo is None:
            label = way = None
            reason = refused or self._dropped or why_unlabelled(data)
        else:
            label, way = LABEL[self._ctinfo], direction(self._ctinfo)
            reason = skb.reason.text if skb.reason is not None else ""
        went = sent if self._own else self._passed or bool(self._self)
        return Outcome(
            self._number, self.now, dev, data, label, way, "ACCEPT" if went else "DROP", (*self._out, *self._self), self._log, reason,
            self._dropped, tuple(self._steps), _made(self._makes) if self._makes else (),
        )  # fmt: skip

    def _helper_said(self, text: str, skb: Skb) -> None:
        self._log = (*self._log, text)  # also of an ICMP error that the firewall has made about the packet
        if self._log_helper is not None:
            self._log_helper(text, skb)

    def _came(self, skb: Skb) -> int:
        if self._skb is None:
            self._skb = skb
            self._ctinfo = skb.ctinfo
        self._note_log()
        return _ACCEPT

    def _made(self, skb: Skb) -> int:
        if self._own and self._skb is None:
            return self._came(skb)
        self._makes.append((skb, skb.ctinfo))
        self._note_log()
        return _ACCEPT

    def _note_log(self) -> None:
        """What conntrack logged about this packet; not again for the next one, of which conntrack may say nothing."""
        tracker = self.ip.tracker
        if tracker.kernel_log:
            self._log += tracker.kernel_log
            tracker.kernel_log = ()

    def _transmit(self, dev: str, via: Address | None, packet: Packet) -> None:
        self._out.append((dev, packet.data))
        self._passed = self._passed or packet.id == self._number

    def _deliver(self, skb: Skb) -> None:
        self._self.append((SELF, skb.packet.data))

    def _hear(self, event: Event) -> None:
        if isinstance(event, RuleTried) and event.packet == (-1 if self._own else self._number):
            rule = f"-A {event.chain} {event.text}" if event.language == "iptables" else event.text
            self._steps.append(Step(event.table, event.chain, rule, event.verdict))
        elif isinstance(event, Translated) and event.packet == (-1 if self._own else self._number):
            self._steps.append(Rewritten(event.hook, event.what, event.before, event.after))
        elif isinstance(event, Dropped) and not self._dropped and event.packet in (-1, self._number):
            self._dropped = event.by if event.where not in ("ip", "routing") else event.reason.text

    # ---- the table ---------------------------------------------------------------------------------------------------

    def lookup(self, data: bytes) -> Conn | None:
        """The entry that a lookup of this packet's own tuple finds now, or None."""
        skb = self._skb
        if skb is not None and self._data is data and skb.conn is not None and skb.ctinfo in _BY_TUPLE and not _in_pieces(data):
            key: Key | None = skb.conn.reply if skb.ctinfo == _REPLY else skb.conn.original
        else:
            key = own_key(data)
        found = None if key is None else self.ip.tracker.find(key)
        return None if found is None else found[0]

    def entry(self, data: bytes) -> dict[str, Json] | None:
        """The same, in the form of a line of JSON."""
        conn = self.lookup(data)
        return None if conn is None else entry_line(conn, self.now)

    def advance(self, now: int) -> None:
        """Let time pass up to `now` (µs): what expires on the way does so at its own instant."""
        expiry = self.ip.next_expiry()
        while expiry is not None and expiry <= now:
            self.now = max(self.now, expiry)
            self.ip.expire(self.now)
            expiry = self.ip.next_expiry()
        self.now = max(self.now, now)


def entry_line(conn: Conn, now: int) -> dict[str, Json]:
    """An entry as a line of a replay has it, the time-out in whole seconds as `conntrack -L` prints it."""
    number = conn.original.protonum
    line: dict[str, Json] = {
        "family": conn.family, "protocol": protocol(number), "protonum": number, "timeout": seconds_left(conn, now),
        "state": conn.state_name(), "original": tuple_view(conn.original), "reply": tuple_view(conn.reply),
        "unreplied": not conn.status & SEEN_REPLY, "assured": bool(conn.status & ASSURED), "mark": conn.mark,
    }  # fmt: skip
    return line | {ZONED[conn.zone >> 16]: conn.zone & ID} if conn.zone else line


ZONED: Final = ("zone", "zone-orig", "zone-reply")
"""What a zone is called by its direction: both, the original, the reply."""


def _made(makes: Sequence[tuple[Skb, int | None]]) -> tuple[Made, ...]:
    """The label is conntrack's: a rule behind it may still have made the packet UNTRACKED."""
    return tuple((skb.packet.data, LABEL[ctinfo], direction(ctinfo)) for skb, ctinfo in makes if ctinfo is not None)


def _in_pieces(data: bytes) -> bool:
    """Whether this is a fragment; for IPv6, whether it may be one."""
    return bool(data[6] & 0x3F or data[7]) if data[0] >> 4 == 4 else data[6] not in (6, 17, 58)


def own_key(data: bytes) -> Key | None:
    """The tuple that a raw packet bears, also one that no IP stack would take for its length or checksum; or None."""
    try:
        return key_of(Packet(data))
    except Malformed:
        pass
    try:
        return key_of(Packet(with_right_header(data)))
    except (Malformed, IndexError):
        return None


def why_unlabelled(data: bytes) -> str:
    """Why a packet never reached conntrack, as far as its bytes tell."""
    try:
        packet = Packet(data)
    except Malformed as error:
        return str(error)
    if packet.fragment or packet.more:
        return "A fragment: it waits until the whole packet is here."
    return "Dropped ahead of conntrack."


def _ways_in(devices: Sequence[str]) -> Callable[[Skb, Decision], Decision]:
    """Between two devices, what is not for the firewall itself goes out by the other, whatever its addresses.

    But what is for a link-local address stays on its link: IPv6's own lookup allows no other device (ip6_route_input_lookup).
    """
    far = {dev: other for dev, other in zip(devices, reversed(devices), strict=True) if len(devices) == 2}
    ways = {dev: Decision(Kind.UNICAST, other, None, None, MTU) for dev, other in far.items()}

    def path_in(skb: Skb, decision: Decision) -> Decision:
        if decision.kind != Kind.UNICAST:
            return decision
        if skb.packet.version == 6 and (is_link_local(skb.packet.dst) or skb.packet.dst == LOOPBACK6):  # rt6_need_strict
            return decision if decision.dev == skb.indev else NO_ROUTE
        return ways.get(skb.indev, decision)

    return path_in


def _as_raw_socket(data: bytes) -> bytes:
    """IPv4: the header's length and checksum as the kernel writes them."""
    return with_right_header(data) if data[0] >> 4 == 4 else data


def with_right_header(data: bytes) -> bytes:
    """The packet with the length that it has, and IPv4's checksum; as it is where the header is not whole."""
    size = (data[0] & 15) * 4
    if data[0] >> 4 == 6 and len(data) >= 40:
        return data[:4] + (len(data) - 40).to_bytes(2) + data[6:]
    if data[0] >> 4 != 4 or not 20 <= size <= len(data):
        return data
    head = data[:2] + len(data).to_bytes(2) + data[4:10] + b"\0\0" + data[12:size]
    return head[:10] + wire.checksum(head).to_bytes(2) + head[12:] + data[size:]


__all__ = ["MTU", "NAME", "Wall", "entry_line", "why_unlabelled"]
