"""Tracker: one machine's connection tracking. Bytes in, label and entry out. As nf_conntrack_core.c, Linux 6.18.

`track` is what conntrack does at PREROUTING and OUTPUT (nf_conntrack_in), `confirm` at the end of INPUT and POSTROUTING
(nf_confirm). Time is told, never asked. Entries expire at their very instant: `expire(now)`, `next_expiry()`.

Not here: hooks and priorities (netfilter/tracking.py), the protocols' own rules (tcp.py, udp.py ...), NAT.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sim.conntrack import checksums, generic, helpers, icmp, sctp, seqadj, tcp, udp, why
from sim.conntrack.conn import Conn, GreConn, SctpConn, TcpConn
from sim.conntrack.entries import Entries, snapshot
from sim.conntrack.tuples import (
    GRE,
    ICMP,
    ICMPV6,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
    Packed,
    key_of,
    pack,
    packed_inverse,
    packed_of,
)
from sim.conntrack.words import (
    ACCEPT,
    CONFIRMED,
    DROP,
    DYING,
    EXPECTED,
    REPEAT,
    SEEN_REPLY,
    SEQ_ADJUST,
    TOLD_REPLY,
    Ctinfo,
)
from sim.packet import Packet, Tuple
from sim.trace import Reason

if TYPE_CHECKING:
    from mypy_extensions import i64

Handler = Callable[["Tracker", Conn, Packet, int, bool, int], int]
HANDLERS: Final[dict[int, Handler]] = {
    ICMP: icmp.handle, ICMPV6: icmp.handle_v6, UDPLITE: udp.handle_lite,
    GRE: generic.handle_gre, SCTP: sctp.handle,
}  # fmt: skip
PREROUTING: Final = 0
_INVALID: Final = int(Ctinfo.INVALID)
_ESTABLISHED: Final = int(Ctinfo.ESTABLISHED)
_ESTABLISHED_REPLY: Final = int(Ctinfo.ESTABLISHED_REPLY)
_RELATED: Final = int(Ctinfo.RELATED)
_RELATED_REPLY: Final = int(Ctinfo.RELATED_REPLY)
_NEW: Final = int(Ctinfo.NEW)


class Tracked(NamedTuple):
    """What conntrack said of a packet. `verdict` is DROP only when the table is full: then there is no label either.

    `kernel_log`: what the kernel would log with nf_conntrack_log_invalid=255, in its own words.
    """

    verdict: int
    conn: Conn | None
    ctinfo: int
    reason: Reason
    kernel_log: tuple[str, ...]


def _with_numbers(reason: Reason, numbers: dict[str, Any]) -> Reason:
    return Reason(reason.code, reason.text, {**numbers, **reason.numbers})


class Tracker(Entries):
    """Connection tracking of one machine. See `Entries` for what happens to entries, listeners and statistics."""

    # -- packets

    def track(self, packet: Packet, hook: int, now: int, zone: int = 0, helper: str | None = None) -> Tracked:
        """Label a packet that enters by PREROUTING or OUTPUT (`hook`): see Tracked. `helper`: what a new entry will get."""
        ctinfo = self.enter(packet, hook, now, zone, helper)
        return Tracked(self.verdict, self.conn, ctinfo, self.reason, self.kernel_log)

    def enter(self, packet: Packet, hook: int, now: int, zone: int = 0, helper: str | None = None) -> int:
        """As `track`, for the fast path: returns the Ctinfo; verdict, conn, reason and kernel_log are fields until the next packet."""
        self._template = helper
        self._begin(packet, now)
        protonum = packet.protonum
        if protonum in (ICMP, ICMPV6):
            ctinfo = self._judge_error(packet, hook == PREROUTING, zone)
            if ctinfo != icmp.GO_ON:
                return ctinfo
        packed = packed_of(packet) if protonum != GRE else self._packed_gre(packet)
        if packed is None:
            return self._invalid(why.NO_TUPLE)
        return self._resolve(packet, packed, hook == PREROUTING, now, zone)

    def enter_again(self, packet: Packet, packed: Packed, conn: Conn | None, now: i64) -> int:
        """As `enter` at PREROUTING in zone 0, for a whole packet with this tuple, not GRE; `conn`: the entry of the one before it."""
        self._template = None
        self._begin(packet, now)
        if packet.protonum in (ICMP, ICMPV6):
            ctinfo = self._judge_error(packet, True, 0)
            if ctinfo != icmp.GO_ON:
                return ctinfo
        if conn is not None and conn.status & (CONFIRMED | DYING) != CONFIRMED:
            conn = None
        return self._resolve(packet, packed, True, now, 0, conn)

    def _begin(self, packet: Packet, now: i64) -> None:
        """A packet comes: of the one before nothing is said any more."""
        self.now = now
        if now >= self.timers.due:
            self.expire(now)
        self.packet_id = packet.id
        self.conn = None
        self.verdict = ACCEPT
        self.why: Reason | None = None
        self.kernel_log = ()

    def _judge_error(self, packet: Packet, prerouting: bool, zone: int) -> int:
        """The ctinfo of an ICMP error, or of a packet with a wrong checksum; GO_ON for those that have entries of their own."""
        ctinfo = icmp.judge(self, packet, prerouting, zone)
        if ctinfo == _INVALID:
            self.reason = self.refused()
        return ctinfo

    def _packed_gre(self, packet: Packet) -> Packed | None:
        """GRE's tuple, with the source key that a helper has noted."""
        key = key_of(packet)
        if key is not None and self.keymaps:
            key = self.keymaps.complete(key, packet.data, packet.l4)
        return None if key is None else pack(key)

    def _resolve(self, packet: Packet, packed: Packed, prerouting: bool, now: i64, zone: int, conn: Conn | None = None) -> int:
        """Find or make the entry (`conn`: it is known already), and let its protocol judge."""
        while True:
            direction: i64 = 0
            conn = (self.table.default.get(packed) if zone == 0 else self.table.held(packed, zone)) if conn is None else conn
            if conn is None:
                conn = self._make(packed, zone)
                if conn is None:
                    return _INVALID
            elif packed[conn.turn >> 8] == conn.turn & 255:
                direction = 1
            if self.emit is None:
                answer = self._judge(conn, packet, direction, prerouting, now)
            else:
                answer = self._watched(conn, packet, direction, prerouting, now)
            if answer == ACCEPT:
                break
            if answer != REPEAT:
                return self._invalid(self.refused())
            conn = None
        if self.why is not None:
            self.reason = self.why
        self.conn = conn
        if direction:
            if not conn.status & SEEN_REPLY:
                conn.status |= SEEN_REPLY
                conn.cache |= TOLD_REPLY
            return _ESTABLISHED_REPLY
        status = conn.status
        if status & SEEN_REPLY:
            return _ESTABLISHED
        if not status & EXPECTED:
            return _NEW
        if self.why is None:
            self.reason = why.EXPECTED if self.emit is None else _with_numbers(why.EXPECTED, self.numbers)
        return _RELATED

    def _judge(self, conn: Conn, packet: Packet, direction: i64, prerouting: bool, now: i64) -> int:
        """Let the entry's protocol judge."""
        protonum = packet.protonum
        if protonum == TCP:
            return tcp.handle(self, cast(TcpConn, conn), packet, direction, prerouting, now)
        if protonum == UDP:
            return udp.handle(self, conn, packet, direction, prerouting, now)
        return HANDLERS.get(protonum, generic.handle)(self, conn, packet, direction, prerouting, now)

    def _invalid(self, reason: Reason) -> int:
        self.reason = reason
        self.conn = None
        self.stats["invalid"] += 1
        return _INVALID

    def _make(self, packed: Packed, zone: int) -> Conn | None:
        """A new entry, not yet in the table (init_conntrack); None when its tuple has no answer or the table is full."""
        back = packed_inverse(packed)
        if back is None:
            self._invalid(why.NO_INVERSE)
            return None
        settings = self.settings
        if settings.max and len(self.table) >= settings.max and not self._early_drop(packed):
            self.warn("nf_conntrack: table full, dropping packet")
            self.stats["drop"] += 1
            self.collector.ask(self, self.now)
            self.verdict, self.reason = DROP, why.TABLE_FULL
            return None
        conn = self._allocate(packed, back, zone)
        expected = self.expectations.count and self._meet_expectation(conn)
        if not expected and self._template is not None:
            helpers.assign(conn, self._template)
        return conn

    def fresh(self, original: Tuple, reply: Tuple, zone: int) -> Conn:
        """An entry as a program makes it, not yet in the table (nf_conntrack_alloc)."""
        return self._allocate(pack(original), pack(reply), zone)

    def _allocate(self, there: Packed, back: Packed, zone: int) -> Conn:
        self._serial += 1
        protonum, settings = there[-1], self.settings
        conn: Conn
        if protonum == TCP:
            conn = TcpConn(self._serial, there, back, zone)
        elif protonum == SCTP:
            conn = SctpConn(self._serial, there, back, zone)
        else:
            conn = (GreConn if protonum == GRE else Conn)(self._serial, there, back, zone)
        if settings.acct:
            conn.acct = [0, 0, 0, 0]
        if self.labelled:
            conn.labels = 0
        conn.heard = settings.events == 1 or (settings.events == 2 and bool(self.listeners))
        return conn

    def _meet_expectation(self, conn: Conn) -> bool:
        expected = self.expectations.find(conn.original, conn.zone)
        if expected is None:
            return False
        conn.status |= EXPECTED
        conn.master = expected.master
        conn.mark = expected.master.mark
        conn.helper = expected.helper
        self.expectations.use(expected, self.packet_id)
        if expected.expectfn is not None:
            expected.expectfn(conn, expected)
        return True

    # -- helpers

    def help(self, conn: Conn, packet: Packet, ctinfo: int, now: int, looped: bool = False) -> int:
        """Let the entry's helper read the packet, just before it is confirmed, and shift its sequence numbers: ACCEPT or DROP.

        `leaving` is then the packet as it goes on: NAT may have written into it. Where the helper drops it `reason` and `kernel_log` say
        why. `looped`: it came in by lo, where numbers are not shifted (nf_confirm).
        """
        self.kernel_log = ()
        self.leaving = packet
        self.written = []
        if ctinfo == _RELATED_REPLY or packet.fragment:
            return ACCEPT
        self.now, self.packet_id = now, packet.id
        shifts = conn.seqadj if conn.status & SEQ_ADJUST and not looped else None
        helper = helpers.HELPERS.get((conn.helper or "", conn.original.protonum))
        verdict, written = ACCEPT, False
        if helper is not None:
            verdict, written = self._help(helper, conn, packet, ctinfo, now)
        if verdict == ACCEPT and shifts is not None:
            data = seqadj.adjusted(self.leaving.data, self.leaving.l4, shifts, int(ctinfo == _ESTABLISHED_REPLY))
            if data is None:
                self.stats["drop"] += 1
                self.reason = why.NOT_ADJUSTED
                return DROP
            self.leaving = Packet(data, packet.id)
        if written:
            self.leaving = checksums.summed_anew(self.leaving, conn.original.protonum)
        return verdict

    def _help(self, helper: helpers.Helper, conn: Conn, packet: Packet, ctinfo: int, now: int) -> tuple[int, bool]:
        """The verdict, and whether NAT wrote into the packet without its checksum."""
        if conn.help is None and helper.memory is not None:
            conn.help = helper.memory()
        before = snapshot(conn)
        helping = helpers.Help(self, helper, conn, packet, ctinfo, now)
        verdict = helper.help(helping)
        if conn.status & CONFIRMED and not conn.status & DYING:
            self.updated(conn, before)
        self.kernel_log = helping.log
        if helping.reason is not None and verdict != ACCEPT:
            self.reason = helping.reason
        self.leaving, self.written = helping.packet, helping.written
        return verdict, helping.packet is not packet and not helping.summed

    def _early_drop(self, packed: Packed) -> bool:
        victims = self.table.evictable(packed, self.settings.buckets)
        for victim in victims:
            self.destroy(victim, self.now, why.EARLY_DROP)
        self.stats["early_drop"] += len(victims)
        return bool(victims)

    def _watched(self, conn: Conn, packet: Packet, direction: i64, prerouting: bool, now: i64) -> int:
        """Let the protocol judge, and emit what changed in the entry. The reason gets the numbers that the protocol went by."""
        before = snapshot(conn)
        self.numbers = {}
        answer = self._judge(conn, packet, direction, prerouting, now)
        if self.numbers:
            if self.why is not None:
                self.why = _with_numbers(self.why, self.numbers)
            self.reason = _with_numbers(self.reason, self.numbers)
        if conn.status & CONFIRMED and not conn.status & DYING:
            if answer == ACCEPT and direction and not conn.status & SEEN_REPLY:
                conn.status |= SEEN_REPLY
                conn.cache |= TOLD_REPLY
            self.updated(conn, before)
        return answer
