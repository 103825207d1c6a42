"""Lane: the quick way of a replay, for plain packets whose fate hangs on their connection alone. From bytes to the line of JSON.

A plain packet is a whole TCP or UDP packet, or an ICMP question or answer, over IPv4 or IPv6, without options or extension headers,
that may be forwarded as it is or as NAT rewrites it. Conntrack judges it as always. Then, where the rules can be foreseen (ways.py), what
becomes of the first packet of a connection becomes of all in that direction with that ctinfo: the same counters count, it leaves by the
same device, with the same addresses. That is remembered with its tuple until rules, sysctls, addresses or routes change. All else goes
the whole way through wall.py; the line is the same, byte by byte.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from sim.conntrack.conn import Conn
from sim.conntrack.show import protocol, tuple_view
from sim.conntrack.tuples import PORTED, Packed, packed_of
from sim.conntrack.words import ASSURED, CONFIRMED, DYING, SEEN_REPLY
from sim.conntrack.zones import ID
from sim.edges.replay.arrival import OWN, Arrivals
from sim.edges.replay.page import Page
from sim.edges.replay.wall import MTU, Wall
from sim.edges.replay.ways import ACCEPT, ESTABLISHED, NEW, REPLY, Way, Ways
from sim.errors import Malformed
from sim.netfilter.nat.choice import DST, SRC
from sim.netfilter.nat.rewrite import ICMP_WITH_ID, rewritten
from sim.netfilter.skb import Skb
from sim.packet import Packet, Tuple, u16
from sim.units import SECOND, show_address

if TYPE_CHECKING:
    from mypy_extensions import i64

_MOST: Final = 1 << 17


class Known:
    """A connection's part of the line of JSON: `head`, time-out, `tail`."""

    __slots__ = ("conn", "head", "mark", "state", "status", "tail", "tuples")

    def __init__(self, conn: Conn) -> None:
        original, number = conn.original, conn.protonum
        self.conn = conn
        self.head = _HEADS.get((conn.family, number)) or _head(conn.family, number)
        self.tuples = f', "original": {_tuple_text(original)}, "reply": {_tuple_text(conn.reply)}, "unreplied": '
        self.state: str | None = None
        self.status: i64 = -1
        self.mark: i64 = 0
        self.tail = b""

    def write(self, page: Page, now: i64) -> None:
        """The entry as the line of JSON has it, and the line's end."""
        conn = self.conn
        state = conn.state_name()
        if conn.status != self.status or state is not self.state or conn.mark != self.mark:
            self._describe(conn, state)
        left = conn.expires - now
        page.write(self.head)
        page.number(left // SECOND if left > 0 else 0)
        page.end(self.tail)

    def _describe(self, conn: Conn, state: str | None) -> None:
        self.state, self.status, self.mark = state, conn.status, conn.mark
        unreplied = "false" if conn.status & SEEN_REPLY else "true"
        assured = "true" if conn.status & ASSURED else "false"
        zone = f', "zone": {conn.zone}' if 0 < conn.zone <= ID else ""
        named = "null" if state is None else f'"{state}"'
        tail = f', "state": {named}{self.tuples}{unreplied}, "assured": {assured}, "mark": {conn.mark}{zone}}}}}\n'
        self.tail = tail.encode()


_HEADS: Final[dict[tuple[str, int], bytes]] = {}


def _head(family: str, number: int) -> bytes:
    """An entry's text up to its time-out: there are but a few."""
    text = f'{{"family": "{family}", "protocol": "{protocol(number)}", "protonum": {number}, "timeout": '
    found = _HEADS[family, number] = text.encode()
    return found


def _tuple_text(one: Tuple) -> str:
    if one.protonum not in PORTED:
        return json.dumps(tuple_view(one))
    return f'{{"src": "{show_address(one.src)}", "dst": "{show_address(one.dst)}", "sport": {one.sport}, "dport": {one.dport}}}'


class Flow:
    """The packets with one tuple that come in by `dev`: their entry, when there is one, what is known of it, and their ways by ctinfo.

    `early` are the cells that count them ahead of conntrack; `whole`: rules there want more than can be foreseen.
    """

    __slots__ = ("conn", "dev", "early", "established", "known", "new", "reply", "whole")

    def __init__(self, dev: str) -> None:
        self.dev = dev
        self.early: list[list[int]] = []
        self.whole = False
        self.conn: Conn | None = None
        self.known: Known | None = None
        self.established: Way | None = None
        self.new: Way | None = None
        self.reply: Way | None = None

    def way(self, ctinfo: i64) -> Way | None:
        """The way of packets with that ctinfo, if it is known."""
        if ctinfo == ESTABLISHED:
            return self.established
        if ctinfo == REPLY:
            return self.reply
        return self.new if ctinfo == NEW else None

    def remember(self, conn: Conn, ctinfo: i64, way: Way) -> None:
        """That is the way, from now on; of another entry nothing is known."""
        if conn is not self.conn:
            self.conn, self.known = conn, None
            self.established = self.new = self.reply = None
        if ctinfo == ESTABLISHED:
            self.established = way
        elif ctinfo == REPLY:
            self.reply = way
        else:
            self.new = way


class Lane:
    """The quick way through `wall`, onto `page`.

    A packet of which `write` says False goes the other: `judged` is it then, if conntrack has seen it already, and `ctinfo` what that said.
    """

    def __init__(self, wall: Wall, arrivals: Arrivals, page: Page) -> None:
        self.judged: Packet | None = None
        self.ctinfo = 0
        self._page = page
        self._arrivals = arrivals
        self._tracker = wall.ip.tracker
        self._tracking = wall.ip.tracking
        self._ways = Ways(wall)
        self._flows: dict[Packed, Flow] = {}
        self._reasons: dict[tuple[str, bool], bytes] = {}
        self._ways.on_change.append(self._flows.clear)

    def forget(self) -> None:
        """Rules, settings, addresses or routes may be others now."""
        self._ways.forget()

    # ---- a packet ----------------------------------------------------------------------------------------------------

    def write(self, number: int, data: bytes, interface: str | None, now: i64) -> bool:
        """Write the line of the packet `data`, number `number` of the capture, that came by `interface`; or False: see above."""
        self.judged = None
        if not is_plain(data) or not self._ways.are_open():
            return False
        try:
            packet = Packet(data, number)
        except Malformed:
            return False
        packed = packed_of(packet)
        if packed is None:
            return False
        flow = self._flows.get(packed)
        if flow is None or interface is not None:
            flow = self._meet(packet, packed, interface, flow, now)
        if flow is None or flow.whole:
            return False
        tracker = self._tracker
        ctinfo: i64 = tracker.enter_again(packet, packed, flow.conn, now)
        conn = tracker.conn
        if conn is None or tracker.verdict != ACCEPT or tracker.kernel_log or conn.status & DYING:
            return self._not_here(packet, ctinfo)
        way = flow.way(ctinfo) if flow.conn is conn else None
        if way is None:
            way = self._ways.find(packet, conn, ctinfo, flow.dev, now, flow.early)
            if way is None:
                return self._not_here(packet, ctinfo)
            flow.remember(conn, ctinfo, way)
        size = len(data)
        for cell in way.cells:
            cell[0] += 1
            cell[1] += size
        if conn.status & CONFIRMED:
            if conn.cache and way.passes:
                tracker.confirm(conn, packet, now)
            self._begin(packet, way, way.passes, now)
            if flow.known is None:
                flow.known = self._known(conn)
            flow.known.write(self._page, now)
        else:
            self._first(packet, conn, ctinfo, flow, way, now)
        return True

    def _not_here(self, packet: Packet, ctinfo: i64) -> bool:
        self.judged, self.ctinfo = packet, ctinfo
        return False

    def _meet(self, packet: Packet, packed: Packed, interface: str | None, met: Flow | None, now: int) -> Flow | None:
        """The flow of packets with this tuple that come by `interface`; None for the firewall's own."""
        dev = self._arrivals.device(interface, packet.data)
        if dev == OWN:
            return None
        if met is not None and met.dev == dev:
            return met
        if len(self._flows) > _MOST:
            self._flows.clear()
        flow = self._flows[packed] = Flow(dev)
        early = self._ways.ahead(packet, dev, now)
        flow.early, flow.whole = early or [], early is None
        return flow

    def _first(self, packet: Packet, conn: Conn, ctinfo: i64, flow: Flow, way: Way, now: i64) -> None:
        """A packet whose entry is not in the table: it gets in, if the packet passes; what its tuple finds then may be another's."""
        passes = way.passes
        reason = self._tracker.reason
        if passes:
            skb = Skb(packet, now, flow.dev)
            skb.conn, skb.ctinfo, skb.reason = conn, ctinfo, reason
            passes = self._tracking.confirm(skb) == ACCEPT
            self._tracker.reason = reason
        self._begin(packet, way, passes, now)
        found = self._tracker.find(conn.reply if ctinfo == REPLY else conn.original)
        if found is None:
            self._page.end(b"null}\n")
        elif found[0] is conn:
            flow.known = Known(conn)
            flow.known.write(self._page, now)
        else:
            Known(found[0]).write(self._page, now)

    def _known(self, conn: Conn) -> Known:
        """What is known of the entry: the other direction's packets may have told it already."""
        for packed in (conn.there, conn.back):
            other = self._flows.get(packed)
            if other is not None and other.conn is conn and other.known is not None:
                return other.known
        return Known(conn)

    def _begin(self, packet: Packet, way: Way, passes: bool, now: i64) -> None:
        """The line up to its entry."""
        page, reason = self._page, self._tracker.reason
        page.write(b'{"packet": ')
        page.number(packet.id)
        page.write(b', "time": ')
        page.seconds(now)
        page.write(way.head if passes or not way.passes else dropped(way.head))
        if passes:
            if way.before is None and way.behind is None:
                write_leaving(page, packet.data)
            else:
                data = translated(packet.data, way)
                page.hex(data, 0, len(data))
        if reason is not way.reason or passes is not way.passes:
            way.reason, way.told = reason if passes is way.passes else None, self._told(reason.text, passes)
        page.write(way.told)

    def _told(self, reason: str, passes: bool) -> bytes:
        found = self._reasons.get((reason, passes))
        if found is None:
            if len(self._reasons) > _MOST:
                self._reasons.clear()
            end = '"}' if passes else ""
            text = f'{end}], "kernel_log": [], "reason": {json.dumps(reason, ensure_ascii=False)}, "entry": '
            found = self._reasons[reason, passes] = text.encode()
        return found


def is_plain(data: bytes) -> bool:
    """Whether the bytes are a packet for this way, as far as can be seen at once."""
    size: i64 = len(data)
    if size < 28 or size > MTU:
        return False
    first: i64 = data[0]
    if first == 0x45:
        if data[6] & 0x3F or data[7] or data[8] <= 1 or u16(data, 2) != size:
            return False
        return _has_header(data, data[9], 20, size)
    if first >> 4 != 6 or size < 48 or data[7] <= 1 or u16(data, 4) + 40 != size:
        return False
    # the addresses that need a closer look begin with 0 or 255
    if data[8] == 0 or data[8] == 255 or data[24] == 0 or data[24] == 255:
        return False
    return _has_header(data, data[6], 40, size)


def _has_header(data: bytes, protonum: i64, at: i64, size: i64) -> bool:
    """A whole header of TCP, of UDP, or of an ICMP question or answer; 8 bytes are there."""
    if protonum == 6:
        return size >= at + 20
    if protonum == 17:
        return True
    if protonum == 1:
        return at == 20 and data[at] in ICMP_WITH_ID
    return protonum == 58 and at == 40 and (data[at] == 128 or data[at] == 129)


def write_leaving(page: Page, data: bytes) -> None:
    """A plain packet's bytes as they leave, one hop further (machine/forwarding.py, lower_ttl), in hexadecimal."""
    first: i64 = data[0]
    if first != 0x45:
        page.hex(data, 0, 4)
        page.word(u16(data, 4) << 16 | (u16(data, 6) - 1))
        page.hex(data, 8, len(data))
        return
    page.hex(data, 0, 8)
    page.word((u16(data, 8) - 0x100) << 16 | lowered_sum(u16(data, 10)))
    page.hex(data, 12, len(data))


def lowered_sum(total: i64) -> i64:
    """IPv4's checksum, one hop further (ip_decrease_ttl)."""
    total += 0x100
    return (total + 1) & 0xFFFF if total >= 0xFFFF else total


def translated(data: bytes, way: Way) -> bytes:
    """A plain packet's bytes as they leave when NAT changes them, on this side of routing or on that."""
    if way.before is not None:
        data = rewritten(data, 0, way.before, DST) or data
    data = lowered(data)
    if way.behind is not None:
        data = rewritten(data, 0, way.behind, SRC) or data
    return data


def lowered(data: bytes) -> bytes:
    """One hop further, as `write_leaving` has it."""
    if data[0] != 0x45:
        return data[:7] + bytes((data[7] - 1,)) + data[8:]
    total = lowered_sum(u16(data, 10))
    return data[:8] + bytes((data[8] - 1, data[9], total >> 8, total & 255)) + data[12:]


def dropped(head: bytes) -> bytes:
    """A way's head for a packet that conntrack, in the end, did not confirm."""
    return head[: head.index(b'"verdict": ')] + b'"verdict": "DROP", "out": ['
