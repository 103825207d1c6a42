"""ICMP and ICMPv6: questions with their answers, and errors, which are RELATED to the connection that they quote.

As nf_conntrack_proto_icmp.c and _icmpv6.c, Linux 6.18. `judge` comes before the table is asked; `handle` and `handle_v6`
after, for questions and answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.conntrack import checksums, why
from sim.conntrack.conn import Conn
from sim.conntrack.show import whole_address
from sim.conntrack.tuples import GRE, ICMP, ICMPV6, invert, pack, quoted_key
from sim.conntrack.words import ACCEPT, CONFIRMED, INVALID, SEEN_REPLY, Ctinfo
from sim.packet import Packet
from sim.trace import Reason

if TYPE_CHECKING:
    from sim.conntrack.tracker import Tracker

GO_ON: Final = -1
"""It is no error: ask the table."""
HIGHEST_TYPE: Final = 18
ERRORS: Final = frozenset((3, 4, 5, 11, 12))
QUERIES: Final = frozenset((8, 13, 15, 17))
QUERIES_V6: Final = frozenset((128, 139))
UNTRACKED_V6: Final = frozenset((130, 131, 132, 133, 134, 135, 136, 143, 151, 152))
"""MLD query, report, done; router and neighbour solicitation and advertisement; MLDv2 report; multicast router discovery."""
REDIRECT_V6: Final = 137
INVALID_LABEL: Final = int(Ctinfo.INVALID)


def judge(tracker: Tracker, packet: Packet, prerouting: bool, zone: int) -> int:
    """A Ctinfo, or GO_ON (nf_conntrack_handle_icmp). For a RELATED one `tracker.conn` is the entry."""
    if packet.version == 4 and packet.protonum == ICMP:
        return _judge_v4(tracker, packet, prerouting, zone)
    if packet.version == 6 and packet.protonum == ICMPV6:
        return _judge_v6(tracker, packet, prerouting, zone)
    return GO_ON


def _wrong(tracker: Tracker, packet: Packet, text: str, reason: Reason) -> int:
    tracker.malformed(packet.protonum, text, reason)
    tracker.stats["error"] += 1
    return INVALID_LABEL


def _unrelated(tracker: Tracker, reason: Reason) -> int:
    tracker.why = reason
    tracker.stats["error"] += 1
    return INVALID_LABEL


def _judge_v4(tracker: Tracker, packet: Packet, prerouting: bool, zone: int) -> int:
    """nf_conntrack_icmpv4_error."""
    data, at = packet.data, packet.l4
    if not packet.complete:
        return GO_ON if packet.fragment else _wrong(tracker, packet, "short packet", why.ICMP_SHORT)
    if prerouting and tracker.settings.checksum and not checksums.icmp_ok(packet):
        return _wrong(tracker, packet, "bad hw icmp checksum", why.BAD_CHECKSUM)
    if data[at] > HIGHEST_TYPE:
        return _wrong(tracker, packet, "invalid icmp type", why.ICMP_TYPE)
    if data[at] not in ERRORS:
        return GO_ON
    return _related(tracker, packet, at + 8, zone)


def _judge_v6(tracker: Tracker, packet: Packet, prerouting: bool, zone: int) -> int:
    """nf_conntrack_icmpv6_error."""
    if not packet.complete:
        return GO_ON if packet.fragment else _wrong(tracker, packet, "short packet", why.ICMP_SHORT)
    if prerouting and tracker.settings.checksum and not checksums.transport_ok(packet):
        return _wrong(tracker, packet, "ICMPv6 checksum failed", why.BAD_CHECKSUM)
    kind = packet.data[packet.l4]
    if kind in UNTRACKED_V6:
        tracker.reason = why.NDP
        return Ctinfo.UNTRACKED
    if kind == REDIRECT_V6:
        return _redirect(tracker, packet, zone)
    return GO_ON if kind >= 128 else _related(tracker, packet, packet.l4 + 8, zone)


def _redirect(tracker: Tracker, packet: Packet, zone: int) -> int:
    """nf_conntrack_icmpv6_redirect: the packet that it is about stands in an option."""
    data, at = packet.data, packet.l4
    if len(data) < at + 40:
        return _wrong(tracker, packet, "short redirect", why.REDIRECT_SHORT)
    if data[at + 1] != 0:
        return GO_ON
    if packet.ttl != 255 or int.from_bytes(packet.src[:2]) & 0xFFC0 != 0xFE80:
        return _wrong(tracker, packet, "invalid saddr or hoplimit for redirect", why.REDIRECT_ORIGIN)
    if len(data) < at + 42 or data[at + 41] == 0:
        return _wrong(tracker, packet, "redirect without options", why.REDIRECT_EMPTY)
    if data[at + 40] != 4:
        return GO_ON
    return _related(tracker, packet, at + 48, zone)


def _related(tracker: Tracker, packet: Packet, at: int, zone: int) -> int:
    """Is the quoted packet one of ours, and was the error sent to its sender? (nf_conntrack_inet_error)"""
    quoted = quoted_key(packet.data, at, packet.version)
    if quoted is None:
        return _unrelated(tracker, why.ICMP_ERROR_UNREADABLE)
    if quoted[4] == GRE and tracker.keymaps and packet.version == 4:
        quoted = tracker.keymaps.complete(quoted, packet.data, at + (packet.data[at] & 15) * 4)
    inverse = invert(quoted)
    if inverse is None:
        return _unrelated(tracker, why.ICMP_ERROR_UNREADABLE)
    packed = pack(inverse)
    conn = tracker.table.held(packed, zone)
    if conn is None:
        return _unrelated(tracker, why.ICMP_ERROR_UNKNOWN)
    reply = packed == conn.back
    inner = (conn.reply if reply else conn.original).dst
    if packet.dst != inner:
        tracker.log(packet.protonum, f"outer daddr {whole_address(packet.dst)} != inner {whole_address(inner)}")
        return _unrelated(tracker, why.outer_address(packet.dst, inner))
    tracker.conn = conn
    tracker.reason = why.ICMP_ERROR
    return Ctinfo.RELATED_REPLY if reply else Ctinfo.RELATED


def handle(tracker: Tracker, conn: Conn, packet: Packet, direction: int, prerouting: bool, now: int) -> int:
    """A question or its answer (nf_conntrack_icmp_packet)."""
    if packet.version != 4:
        tracker.why = why.ICMP_WRONG_FAMILY
        return INVALID
    if conn.original.dport >> 8 not in QUERIES:
        tracker.why = why.ICMP_NOT_A_QUERY
        return INVALID
    return _take(tracker, conn, packet, direction, tracker.settings.icmp, now)


def handle_v6(tracker: Tracker, conn: Conn, packet: Packet, direction: int, prerouting: bool, now: int) -> int:
    """A question or its answer (nf_conntrack_icmpv6_packet)."""
    if packet.version != 6:
        tracker.why = why.ICMP_WRONG_FAMILY
        return INVALID
    if not conn.status & CONFIRMED and conn.original.dport >> 8 not in QUERIES_V6:
        tracker.why = why.ICMP_NOT_A_QUERY
        return INVALID
    return _take(tracker, conn, packet, direction, tracker.settings.icmpv6, now)


def _take(tracker: Tracker, conn: Conn, packet: Packet, direction: int, timeout: int, now: int) -> int:
    if direction:
        tracker.reason = why.ICMP_ANSWER
    elif conn.status & CONFIRMED and not conn.status & SEEN_REPLY:
        tracker.reason = why.ICMP_ASKED_AGAIN
    else:
        tracker.reason = why.ICMP_QUERY
    tracker.refresh(conn, timeout, now)
    if conn.acct is not None:
        tracker.count(conn, packet, direction)
    return ACCEPT
