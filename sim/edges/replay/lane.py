"""Lane: the quick way of a replay, for plain packets whose fate hangs on their connection alone. From bytes to the line of JSON.

A plain packet is a whole TCP or UDP packet over IPv4 or IPv6, without options or extension headers, that may be forwarded as it is.
Conntrack judges it as always. Then, where the rules can be foreseen (ruleset/foresee.py) and nothing translates it, what becomes of
the first packet of a connection becomes of all in that direction with that ctinfo: the same counters count, it leaves by the same
device. That is remembered with the connection until rules, sysctls, addresses or routes change. All else goes the whole way through
wall.py; the line is the same, byte by byte.
"""

from __future__ import annotations

import json
from typing import Final

from sim.conntrack.conn import Conn
from sim.conntrack.show import protocol, seconds_left, tuple_view
from sim.conntrack.tuples import PORTED
from sim.conntrack.words import ASSURED, CONFIRMED, DYING, LABEL, SEEN_REPLY, Ctinfo, Status, direction
from sim.edges.replay.wall import MTU, Wall
from sim.errors import Malformed
from sim.machine.routes import Decision, Kind
from sim.netfilter.skb import Skb
from sim.netfilter.words import Hook
from sim.packet import Packet, Tuple
from sim.ruleset.foresee import Foreseer
from sim.units import SECOND, is_link_local, show_address

_MOST: Final = 1 << 15
_ESTABLISHED: Final = int(Ctinfo.ESTABLISHED)
_NEW: Final = int(Ctinfo.NEW)
_REPLY: Final = int(Ctinfo.ESTABLISHED_REPLY)
_ACCEPT: Final = 1
_TRANSLATED: Final = int(Status.SRC_NAT | Status.DST_NAT)
_CONFIRMED: Final = int(CONFIRMED)
_DYING: Final = int(DYING)
_SEEN_REPLY: Final = int(SEEN_REPLY)
_ASSURED: Final = int(ASSURED)
_HEX: Final = tuple(f"{number:02x}" for number in range(256))
_AHEAD: Final = frozenset(("defrag", "conntrack"))
_OURS: Final = frozenset(("defrag", "conntrack", "replay"))


class Way:
    """What becomes of a connection's packets with one ctinfo that come in by `indev`: `passes`, and the `cells` that count them.

    `head` is the line of JSON from the device to the packet's bytes.
    """

    __slots__ = ("cells", "head", "indev", "passes")

    def __init__(self, indev: str, passes: bool, cells: list[list[int]], head: str) -> None:
        self.indev = indev
        self.passes = passes
        self.cells = cells
        self.head = head


class Known:
    """What is remembered of a connection: its ways by ctinfo, and its part of the line of JSON: `head`, time-out, `tail`."""

    __slots__ = ("conn", "established", "head", "mark", "new", "reply", "state", "status", "tail", "tuples")

    def __init__(self, conn: Conn) -> None:
        number = conn.original.protonum
        self.conn = conn
        self.established: Way | None = None
        self.new: Way | None = None
        self.reply: Way | None = None
        self.head = f'{{"family": "{conn.family}", "protocol": "{protocol(number)}", "protonum": {number}, "timeout": '
        self.tuples = f', "original": {_tuple_text(conn.original)}, "reply": {_tuple_text(conn.reply)}, "unreplied": '
        self.state: str | None = None
        self.status = -1
        self.mark = 0
        self.tail = ""

    def way(self, ctinfo: int) -> Way | None:
        """The way of packets with that ctinfo, if it is known."""
        if ctinfo == _ESTABLISHED:
            return self.established
        if ctinfo == _REPLY:
            return self.reply
        return self.new if ctinfo == _NEW else None

    def entry(self, now: int) -> str:
        """The entry as the line of JSON has it."""
        conn = self.conn
        state = conn.state_name()
        if conn.status != self.status or state is not self.state or conn.mark != self.mark:
            self._describe(conn, state)
        return f"{self.head}{seconds_left(conn, now)}{self.tail}"

    def _describe(self, conn: Conn, state: str | None) -> None:
        self.state, self.status, self.mark = state, conn.status, conn.mark
        unreplied = "false" if conn.status & _SEEN_REPLY else "true"
        assured = "true" if conn.status & _ASSURED else "false"
        zone = f', "zone": {conn.zone}' if conn.zone else ""
        named = "null" if state is None else f'"{state}"'
        self.tail = f', "state": {named}{self.tuples}{unreplied}, "assured": {assured}, "mark": {conn.mark}{zone}}}'


def _tuple_text(one: Tuple) -> str:
    if one.protonum not in PORTED:
        return json.dumps(tuple_view(one))
    return f'{{"src": "{show_address(one.src)}", "dst": "{show_address(one.dst)}", "sport": {one.sport}, "dport": {one.dport}}}'


class Lane:
    """The quick way through `wall`.

    A packet of which `line` says None goes the other: `judged` is it then, if conntrack has seen it already, and `ctinfo` what that said.
    """

    def __init__(self, wall: Wall) -> None:
        self.judged: Packet | None = None
        self.ctinfo = 0
        self._wall = wall
        self._ip = wall.ip
        self._tracker = wall.ip.tracker
        self._tracking = wall.ip.tracking
        self._routes = wall.ip.routes
        self._known: dict[int, Known] = {}
        self._reasons: dict[str, str] = {}
        self._generation = -1
        self._open = False
        self._asked = False
        self._translates = False
        self._chains: dict[int, list[Foreseer]] = {}
        self._ip.rules.on_load.append(self.forget)
        self._ip.sysctls.on_change.append(self._forget_for)

    def forget(self) -> None:
        """Rules, settings, addresses or routes may be others now."""
        self._known.clear()
        self._asked = False

    def _forget_for(self, key: str) -> None:
        self.forget()

    # ---- a packet ----------------------------------------------------------------------------------------------------

    def line(self, number: int, data: bytes, dev: str, now: int) -> str | None:
        """The line of the packet `data`, number `number` of the capture, that arrives in `dev`; or None: see above."""
        self.judged = None
        if not is_plain(data) or not self._is_open():
            return None
        try:
            packet = Packet(data, number)
        except Malformed:
            return None
        tracker = self._tracker
        ctinfo = tracker.enter(packet, 0, now)
        conn = tracker.conn
        if conn is None or tracker.verdict != _ACCEPT or tracker.kernel_log or conn.status & _DYING:
            return self._not_here(packet, ctinfo)
        known = self._known.get(conn.id)
        way = None if known is None else known.way(ctinfo)
        if way is None or way.indev != dev:
            way = self._find(packet, conn, ctinfo, dev, now)
            if way is None:
                return self._not_here(packet, ctinfo)
        size = len(data)
        for cell in way.cells:
            cell[0] += 1
            cell[1] += size
        return self._write(packet, conn, ctinfo, way, known, now)

    def _write(self, packet: Packet, conn: Conn, ctinfo: int, way: Way, known: Known | None, now: int) -> str:
        """The line of a packet that goes this way; the entry is confirmed on it, and its changes are told."""
        reason, passes = self._tracker.reason.text, way.passes
        if not conn.status & _CONFIRMED or (conn.cache and passes):
            passes = passes and self._confirmed(packet, conn, ctinfo, way.indev, now)
            entry = self._entry_text(packet, conn, ctinfo, way, now)
        else:
            if known is None or known.way(ctinfo) is not way:
                known = self._remember(conn, ctinfo, way)
            entry = known.entry(now)
        begin = f'{{"packet": {packet.id}, "time": {seconds_text(now)}'
        if passes:
            return f'{begin}{way.head}{leaving(packet.data)}"}}{self._reason_text(reason)}{entry}}}'
        return f"{begin}{way.head if not way.passes else dropped(way.head)}{self._reason_text(reason)}{entry}}}"

    def _not_here(self, packet: Packet, ctinfo: int) -> str | None:
        self.judged, self.ctinfo = packet, ctinfo
        return None

    def _reason_text(self, reason: str) -> str:
        found = self._reasons.get(reason)
        if found is None:
            if len(self._reasons) > _MOST:
                self._reasons.clear()
            found = self._reasons[reason] = f'], "kernel_log": [], "reason": {json.dumps(reason, ensure_ascii=False)}, "entry": '
        return found

    def _confirmed(self, packet: Packet, conn: Conn, ctinfo: int, dev: str, now: int) -> bool:
        """Whether the entry gets into the table; what is to be told of it, is."""
        skb = Skb(packet, now, dev)
        skb.conn, skb.ctinfo, skb.reason = conn, ctinfo, self._tracker.reason
        return self._tracking.confirm(skb) == _ACCEPT

    def _entry_text(self, packet: Packet, conn: Conn, ctinfo: int, way: Way, now: int) -> str:
        """The entry that the packet's own tuple finds now."""
        found = self._tracker.find(conn.reply if ctinfo == _REPLY else conn.original)
        if found is None:
            return "null"
        if found[0] is conn:
            return self._remember(conn, ctinfo, way).entry(now)
        return Known(found[0]).entry(now)

    def _remember(self, conn: Conn, ctinfo: int, way: Way) -> Known:
        known = self._known.get(conn.id)
        if known is None or known.conn is not conn:
            if len(self._known) > _MOST:
                self._known.clear()
            known = self._known[conn.id] = Known(conn)
        if ctinfo == _ESTABLISHED:
            known.established = way
        elif ctinfo == _REPLY:
            known.reply = way
        else:
            known.new = way
        return known

    # ---- where it goes -----------------------------------------------------------------------------------------------

    def _is_open(self) -> bool:
        if not self._asked or self._generation != self._routes.generation:
            self._known.clear()
            self._asked, self._generation = True, self._routes.generation
            self._open = self._ip.emit is None and self._read_hooks()
        return self._open

    def _read_hooks(self) -> bool:
        """What stands in the hooks: chains that can be asked, and what a plain packet passes untouched; False where there is more."""
        foreseers = self._ip.rules.foreseers()
        ahead = [name for _, name in self._ip.hooks.names(Hook.PREROUTING)]
        if "conntrack" not in ahead or not _AHEAD.issuperset(ahead[: ahead.index("conntrack") + 1]) or len(self._tracking.families) != 2:
            return False
        self._translates = False
        for hook in (Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING):
            chains = self._chains[int(hook)] = []
            for _, name in self._ip.hooks.names(hook):
                if name in foreseers:
                    chains.append(foreseers[name])
                elif name.startswith("nat ipv"):
                    self._translates = True
                elif name not in _OURS:
                    return False
        return True

    def _find(self, packet: Packet, conn: Conn, ctinfo: int, dev: str, now: int) -> Way | None:
        """The way of this packet and all like it; None where that is not to be foreseen."""
        if ctinfo not in (_ESTABLISHED, _REPLY, _NEW) or conn.helper is not None or conn.seqadj is not None:
            return None
        if self._translates and (conn.status & _TRANSLATED or conn.nat or ctinfo == _NEW or not conn.status & _CONFIRMED):
            return None
        skb = Skb(packet, now, dev)
        skb.conn, skb.ctinfo = conn, ctinfo
        met: list[list[int]] = []
        verdict = self._foresee(Hook.PREROUTING, skb, met)
        out = ""
        if verdict == _ACCEPT:
            decision = self._decide(skb)
            if decision is None:
                return None
            out = skb.outdev = decision.dev
            verdict = self._foresee(Hook.FORWARD, skb, met)
            if verdict == _ACCEPT:
                verdict = self._foresee(Hook.POSTROUTING, skb, met)
        if verdict < 0:
            return None
        return Way(dev, verdict == _ACCEPT, met, head_text(dev, ctinfo, out if verdict == _ACCEPT else ""))

    def _foresee(self, hook: Hook, skb: Skb, met: list[list[int]]) -> int:
        for chain in self._chains[int(hook)]:
            verdict = chain(skb, met)
            if verdict != _ACCEPT:
                return verdict
        return _ACCEPT

    def _decide(self, skb: Skb) -> Decision | None:
        """Where it is forwarded to; None where it is not, or not like that (IpLayer, Forwarding)."""
        ip, packet = self._ip, skb.packet
        decision = self._routes.decide(packet.dst)
        if ip.path_in is not None:
            decision = ip.path_in(skb, decision)
        if decision.kind != Kind.UNICAST or decision.dev in ("", "lo") or decision.mtu < MTU or not ip.forwarding[packet.version]:
            return None
        if packet.version == 4:
            return decision if ip.comes_rightly(skb) else None
        return decision if decision.dev == skb.indev or not is_link_local(packet.src) else None


def is_plain(data: bytes) -> bool:
    """Whether the bytes are a packet for this way, as far as can be seen at once."""
    size = len(data)
    if size < 28 or size > MTU:
        return False
    if data[0] == 0x45:
        if data[6] & 0x3F or data[7] or data[8] <= 1 or data[2] << 8 | data[3] != size:
            return False
        return (data[9] == 6 and size >= 40) or data[9] == 17
    if data[0] >> 4 != 6 or size < 48 or data[7] <= 1 or (data[4] << 8 | data[5]) + 40 != size:
        return False
    # the addresses that need a closer look begin with 0 or 255
    if data[8] == 0 or data[8] == 255 or data[24] == 0 or data[24] == 255:
        return False
    return (data[6] == 6 and size >= 60) or data[6] == 17


def leaving(data: bytes) -> str:
    """A plain packet's bytes as they leave, one hop further (machine/forwarding.py, lower_ttl), in hexadecimal."""
    if data[0] != 0x45:
        return data[:7].hex() + _HEX[data[7] - 1] + data[8:].hex()
    total = (data[10] << 8 | data[11]) + 0x100
    if total >= 0xFFFF:
        total = (total + 1) & 0xFFFF
    text = data.hex()
    return f"{text[:16]}{_HEX[data[8] - 1]}{text[18:20]}{_HEX[total >> 8]}{_HEX[total & 255]}{text[24:]}"


def seconds_text(now: int) -> str:
    """µs as json.dumps writes them in seconds."""
    whole = now // SECOND
    if whole == 0 or whole >= 1_000_000_000:
        return repr(now / SECOND)
    part = now - whole * SECOND
    return f"{whole}.{str(SECOND + part)[1:].rstrip('0')}" if part else f"{whole}.0"


def head_text(dev: str, ctinfo: int, out: str) -> str:
    """The line from the device to the bytes that leave by `out`; "" for a packet that does not."""
    way = json.dumps(direction(ctinfo))
    begin = f', "in": {json.dumps(dev, ensure_ascii=False)}, "label": "{LABEL[ctinfo]}", "direction": {way}, "verdict": '
    return f'{begin}"ACCEPT", "out": [{{"dev": {json.dumps(out, ensure_ascii=False)}, "bytes": "' if out else f'{begin}"DROP", "out": ['


def dropped(head: str) -> str:
    """The same for a packet that conntrack, in the end, did not confirm."""
    return head[: head.index('"verdict": ')] + '"verdict": "DROP", "out": ['
